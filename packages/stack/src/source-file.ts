import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from "node:fs";
import { printable, SecretsError } from "@coffer/core";
import { damageIn } from "./damage.ts";
import { FILE_VERSION } from "./model.ts";

/** A JSON object as it was read: nothing about it is known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

// Far more than any team writes by hand, and little enough that a planted file costs nothing.
const LARGEST_FILE = 4 * 2 ** 20;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * The bytes of a regular file, or `undefined` where there is none. It is never waited for (a FIFO), never read without a bound (a device).
 * @param follow whether a symbolic link counts: configuration is often linked into place; what a project brings is not
 * @throws SecretsError `permission_denied`, `corrupt`
 */
export function readBytes(path: string, { follow, check }: { follow: boolean; check?: (stats: Stats) => void }): Buffer | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | (follow ? 0 : constants.O_NOFOLLOW));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw unreadable(path, code === "ELOOP" ? "it is a symbolic link" : code);
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw unreadable(path, "it is not a regular file");
    if (stats.size > LARGEST_FILE) throw unreadable(path, "it is too large");
    check?.(stats);
    return readFileSync(file);
  } catch (error) {
    throw SecretsError.isInstance(error) ? error : unreadable(path, (error as NodeJS.ErrnoException).code);
  } finally {
    closeSync(file);
  }
}

/**
 * Refuses a file of the user that somebody else owns or can write: it decides where secrets are sent. Others may read it, there are no secrets in it.
 * @throws SecretsError `permission_denied` with the command that mends it
 */
export function assertOwn(path: string, stats: Stats): void {
  const user = process.geteuid?.();
  // Windows has no such owner and bits; access lists of the profile directory stand in their place.
  if (user === undefined) return;
  if (stats.uid !== user && stats.uid !== 0)
    throw new SecretsError("permission_denied", `${printable(path)} belongs to another user (${stats.uid}).`, {
      hint: `If it is yours: sudo chown ${user} ${shellQuoted(path)}`,
    });
  if ((stats.mode & WRITABLE_BY_OTHERS) !== 0)
    throw new SecretsError(
      "permission_denied",
      `${printable(path)} can be written by others (mode ${(stats.mode & 0o7777).toString(8).padStart(4, "0")}).`,
      { hint: `chmod go-w ${shellQuoted(path)}` },
    );
}

/**
 * The object in a file of ours.
 * @throws SecretsError `corrupt` with the place and never the content, `unsupported` when a newer Coffer wrote it
 */
export function parseFile(path: string, bytes: Buffer): JsonObject {
  const text = textOf(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const { line, column } = damageIn(text) ?? { line: 1, column: 1 };
    throw new SecretsError("corrupt", `${printable(path)} is not JSON: line ${line}, column ${column}.`, {
      hint: "Mend the file, or put back an older copy. It was left as it is.",
    });
  }
  if (!isObject(value)) throw misshapen(path, "the top: expected an object");
  const { version } = value;
  if (typeof version === "number" && version > FILE_VERSION)
    throw new SecretsError(
      "unsupported",
      `${printable(path)} was written by a newer Coffer (version ${version}; this one knows ${FILE_VERSION}).`,
      {
        hint: "Update Coffer. The file was left as it is.",
      },
    );
  if (version !== FILE_VERSION) throw misshapen(path, `version: expected ${FILE_VERSION}`);
  return value;
}

/** The text of a file. Editors of some systems begin it with a byte order mark. */
export function textOf(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

/** The error for a file that is JSON and not what it should be. */
export function misshapen(path: string, ...problems: readonly string[]): SecretsError {
  return new SecretsError("corrupt", `${printable(path)} is not valid: ${problems.join("; ")}.`, {
    hint: "Mend the file, or put back an older copy. It was left as it is.",
  });
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A path for a command that people copy. */
export function shellQuoted(path: string): string {
  return /^[A-Za-z0-9_./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", `'"'"'`)}'`;
}

function unreadable(path: string, reason: string | undefined): SecretsError {
  const isTrouble = reason !== undefined && /^E(?!ACCES|PERM)/.test(reason);
  return new SecretsError(
    isTrouble ? "unavailable" : "permission_denied",
    `${printable(path)} cannot be read: ${reason ?? "unknown reason"}.`,
    {
      hint: "Nothing was changed.",
    },
  );
}
