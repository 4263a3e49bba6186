import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { closeSync, open, read } from "node:fs";
import { DriverError } from "@coffer/core";
import { callProgram } from "./errors.ts";
import type { PassphraseRequest } from "./protection.ts";
import type { LocalSettings } from "./settings-types.ts";

/** The cost of a new passphrase: N = 2^17 with r = 8 takes 128 MiB and about half a second for every guess. */
export const DEFAULT_COST = 17;
const COST_RANGE = { least: 10, most: 20 };
const KEY_BYTES = 32;
const CHECK_BYTES = 8;
const LONGEST = 64 * 1024;

interface Parameters {
  readonly kdf: "scrypt";
  /** The binary logarithm of N. */
  readonly cost: number;
  readonly salt: string;
  /** A few bytes beside the key: they tell a wrong passphrase from a damaged file. */
  readonly check: string;
}

/** A new key from a passphrase, and the parameters with which it comes again. */
export async function newPassphraseKey(
  passphrase: string,
  cost: number,
): Promise<{ readonly key: Uint8Array; readonly parameters: string }> {
  const salt = randomBytes(16);
  const { key, check } = await stretched(passphrase, salt, cost);
  const parameters: Parameters = { kdf: "scrypt", cost, salt: salt.toString("base64url"), check: check.toString("base64url") };
  return { key, parameters: JSON.stringify(parameters) };
}

/**
 * The key of a passphrase; `undefined` when the parameters are not ours.
 * @throws DriverError `unauthenticated` when it is another passphrase
 */
export async function passphraseKey(passphrase: string, parameters: string): Promise<Uint8Array | undefined> {
  const known = parsed(parameters);
  if (known === undefined) return undefined;
  const { key, check } = await stretched(passphrase, Buffer.from(known.salt, "base64url"), known.cost);
  const expected = Buffer.from(known.check, "base64url");
  if (expected.length === check.length && timingSafeEqual(expected, check)) return key;
  throw new DriverError("unauthenticated", undefined, {
    safeMessage: "The passphrase is not the one of this store.",
    hint: "Try again with the right passphrase.",
  });
}

function parsed(text: string): Parameters | undefined {
  try {
    const value = JSON.parse(text) as Partial<Parameters> | null;
    const { kdf, cost, salt, check } = value ?? {};
    // A file from somebody else must not make us take all the memory of the machine.
    const sane =
      kdf === "scrypt" && typeof cost === "number" && Number.isInteger(cost) && cost >= COST_RANGE.least && cost <= COST_RANGE.most;
    return sane && typeof salt === "string" && typeof check === "string" ? { kdf, cost, salt, check } : undefined;
  } catch {
    return undefined;
  }
}

function stretched(passphrase: string, salt: Uint8Array, cost: number): Promise<{ readonly key: Buffer; readonly check: Buffer }> {
  const N = 2 ** cost;
  return new Promise((resolve, reject) => {
    // One passphrase, however the keyboard composes its letters.
    scrypt(passphrase.normalize("NFC"), salt, KEY_BYTES + CHECK_BYTES, { N, r: 8, p: 1, maxmem: 256 * N * 8 }, (error, derived) => {
      if (error === null) resolve({ key: derived.subarray(0, KEY_BYTES), check: derived.subarray(KEY_BYTES) });
      else reject(error);
    });
  });
}

/**
 * The passphrase from the first source that there is: the program, the file of the settings, the file descriptor, COFFER_PASSPHRASE_FILE.
 * @throws DriverError `unauthenticated` when there is none, or none can be read
 */
export async function askPassphrase(settings: LocalSettings, request: PassphraseRequest): Promise<string> {
  const { passphrase, passphrase_file: file, passphrase_fd: descriptor } = settings;
  const fromEnvironment = process.env["COFFER_PASSPHRASE_FILE"];
  let text: string;
  if (passphrase !== undefined)
    text = typeof passphrase === "string" ? passphrase : await callProgram("passphrase", () => passphrase(request));
  else if (file !== undefined) text = await fromFile(file);
  else if (descriptor !== undefined) text = await fromDescriptor(descriptor);
  else if (fromEnvironment !== undefined && fromEnvironment !== "") text = await fromFile(fromEnvironment);
  else {
    throw new DriverError("unauthenticated", undefined, {
      safeMessage: "The store is protected by a passphrase, and none was given.",
      hint: "Set COFFER_PASSPHRASE_FILE to a file that holds it, or run the command in a terminal.",
    });
  }
  if (typeof text === "string" && text !== "") return text;
  throw new DriverError("unauthenticated", undefined, { safeMessage: "The passphrase is empty.", hint: "Give a passphrase." });
}

async function fromFile(path: string): Promise<string> {
  try {
    // Not `readFile`: whatever the path is, no more than a passphrase is taken from it.
    const file = await new Promise<number>((resolve, reject) => {
      open(path, "r", (error, descriptor) => (error === null ? resolve(descriptor) : reject(error)));
    });
    try {
      return withoutLineEnd(await readAll(file));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (DriverError.isInstance(error)) throw error;
    throw new DriverError("unauthenticated", error, {
      safeMessage: `The file of the passphrase cannot be read: ${path}`,
      hint: "Check that it exists and that you may read it.",
    });
  }
}

async function fromDescriptor(descriptor: number): Promise<string> {
  try {
    return withoutLineEnd(await readAll(descriptor));
  } catch (error) {
    if (DriverError.isInstance(error)) throw error;
    throw new DriverError("unauthenticated", error, {
      safeMessage: `The passphrase cannot be read from file descriptor ${descriptor}.`,
      hint: "Open it for reading when you start the program.",
    });
  }
}

async function readAll(descriptor: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let total = 0; total <= LONGEST;) {
    const chunk = Buffer.alloc(4096);
    const length = await new Promise<number>((resolve, reject) => {
      read(descriptor, chunk, 0, chunk.length, null, (error, bytes) => (error === null ? resolve(bytes) : reject(error)));
    });
    if (length === 0) break;
    chunks.push(chunk.subarray(0, length));
    total += length;
  }
  return Buffer.concat(chunks);
}

function withoutLineEnd(bytes: Uint8Array): string {
  const refuse = (safeMessage: string): DriverError =>
    new DriverError("unauthenticated", undefined, { safeMessage, hint: "Put the passphrase alone into it, as UTF-8 text." });
  if (bytes.length > LONGEST) throw refuse("What was given as the passphrase is too long to be one.");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/\r?\n$/, "");
  } catch {
    throw refuse("What was given as the passphrase is no text.");
  }
}
