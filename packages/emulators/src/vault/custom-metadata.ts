import { counted, VaultRefusal } from "./answers.ts";
import { isWrittenNumber } from "./numbers.ts";

const MOST_KEYS = 64;
const LONGEST_KEY = 128;
const LONGEST_VALUE = 512;
const PREFIX = "custom_metadata validation failed";

/** What Go calls printable: letters, marks, numbers, punctuation, symbols, and of all spaces the ordinary one. */
export const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u;

/** What users may say about a key: text only. */
export type CustomMetadata = Readonly<Record<string, string>>;

/**
 * Reads `custom_metadata` from a request: numbers and booleans become text.
 * Throws a {@link VaultRefusal} that names everything that is over a limit.
 */
export function customMetadataFrom(value: unknown): CustomMetadata {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new VaultRefusal(400, ['Field validation failed: error converting input for field "custom_metadata": expected a map']);
  const entries = Object.entries(value).map(([key, each]): [string, string] => [key, textOf(key, each)]);
  if (entries.length > MOST_KEYS)
    throw new VaultRefusal(400, [counted(`${PREFIX}: payload must contain at most ${MOST_KEYS} keys, provided ${entries.length}`)]);
  const problems = entries.flatMap(problemsOf);
  if (problems.length > 0) throw new VaultRefusal(400, [counted(...problems)]);
  return Object.fromEntries(entries);
}

function textOf(key: string, value: unknown): string {
  if (value === null) return "";
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  if (isWrittenNumber(value)) return value.rawJSON;
  // The weak decoding of Go writes a boolean as a digit.
  if (typeof value === "boolean") return value ? "1" : "0";
  throw new VaultRefusal(400, [`${PREFIX}: '${key}' expected type 'string', got unconvertible type`]);
}

function problemsOf([key, value]: readonly [string, string]): string[] {
  const keyLength = Buffer.byteLength(key);
  const valueLength = Buffer.byteLength(value);
  const problems: string[] = [];
  if (keyLength === 0 || keyLength > LONGEST_KEY)
    problems.push(`${PREFIX}: length of key "${key}" is ${keyLength} but must be 0 < len(key) <= ${LONGEST_KEY}`);
  if (valueLength === 0 || valueLength > LONGEST_VALUE)
    problems.push(`${PREFIX}: length of value for key "${key}" is ${valueLength} but must be 0 < len(value) <= ${LONGEST_VALUE}`);
  if (!PRINTABLE.test(key)) problems.push(`${PREFIX}: key ${JSON.stringify(key)} (${key}) contains unprintable characters`);
  if (!PRINTABLE.test(value)) problems.push(`${PREFIX}: value for key "${key}" contains unprintable characters`);
  return problems;
}
