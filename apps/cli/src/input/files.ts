import type { Context } from "../context.ts";
import { UsageError } from "../stop.ts";

/** The largest file that `--key=@file` reads, in bytes. */
export const FILE_LIMIT = 10_240;
/** The largest input that stdin and `--values=@file` give, in bytes. */
export const STREAM_LIMIT = 1024 * 1024;

/**
 * The text of a file for one key. The path is never repeated in a message: a password that starts with @ looks like one.
 * @throws UsageError naming the key and the reason
 */
export function readValueFile(context: Context, key: string, path: string): string {
  const read = context.readFile(path, FILE_LIMIT);
  if (!("problem" in read)) return decode(read, `The file for "${key}"`);
  if (read.problem === "too large") {
    throw new UsageError(
      `The file for "${key}" is larger than ${FILE_LIMIT.toLocaleString("en")} bytes.`,
      `Larger values come from stdin (--${key}=@- < FILE) or from a file with keys and values (--values=@FILE).`,
    );
  }
  throw new UsageError(
    `The file for "${key}" could not be read (${read.problem}).`,
    `After @ stands the path of a file: --${key}=@./FILE. A value that itself starts with @ is written with two: --${key}=@@VALUE`,
  );
}

/**
 * The text of a file with keys and values.
 * @throws UsageError with the reason
 */
export function readValuesFile(context: Context, path: string): string {
  const read = context.readFile(path, STREAM_LIMIT);
  if (!("problem" in read)) return decode(read, "The file of --values");
  const reason =
    read.problem === "too large" ? `is larger than ${STREAM_LIMIT.toLocaleString("en")} bytes` : `could not be read (${read.problem})`;
  throw new UsageError(`The file of --values ${reason}.`, "Write: --values=@./FILE.json, or --values=@- to read JSON from stdin.");
}

/**
 * The passphrase in a file, without the line break at its end.
 * @throws UsageError with the reason
 */
export function readPassphraseFile(context: Context, path: string): string {
  const read = context.readFile(path, FILE_LIMIT);
  if ("problem" in read) {
    const reason = read.problem === "too large" ? "is too large for that" : `could not be read (${read.problem})`;
    throw new UsageError(`The file of the passphrase ${reason}.`, "Write: --passphrase-file=./FILE");
  }
  const text = decode(read, "The file of the passphrase").replace(/\r?\n$/, "");
  if (text === "") throw new UsageError("The file of the passphrase is empty.", "Put the passphrase alone into it.");
  return text;
}

/**
 * The text on stdin. `what` says for whom: `"password"` or `--values`.
 * @throws UsageError with the reason
 */
export async function readStdinText(context: Context, what: string): Promise<string> {
  if (context.isTerminal("stdin")) {
    throw new UsageError(
      `${what} is read from stdin, and stdin is this terminal.`,
      "Pipe it in (COMMAND | coffer …) or redirect a file (coffer … < FILE); -i asks for values without showing them.",
    );
  }
  const read = await context.readStdin(STREAM_LIMIT);
  if (!("problem" in read)) return decode(read, `What stdin gives for ${what}`);
  const reason =
    read.problem === "too large" ? `is larger than ${STREAM_LIMIT.toLocaleString("en")} bytes` : `could not be read (${read.problem})`;
  throw new UsageError(
    `What stdin gives for ${what} ${reason}.`,
    "A secret holds passwords, keys and certificates; keep larger things elsewhere and their key here.",
  );
}

// Fatal, so that no byte is replaced silently; a byte order mark is part of the value.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array, what: string): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new UsageError(`${what} is not UTF-8 text.`, "Store bytes as text, for example as base64: base64 < FILE | coffer … --KEY=@-");
  }
}
