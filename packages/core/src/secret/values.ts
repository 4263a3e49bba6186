import { SecretsError } from "../errors/secrets-error.ts";
import type { TextLike, TextValues } from "../spec.ts";
import { printable } from "./printable.ts";

const NEW_KEY = /^[A-Za-z_][A-Za-z0-9_.-]{0,254}$/;

/** The rule of new keys in words. */
export const KEY_RULE = 'a letter or "_", then letters, digits, "_", "." or "-", at most 255 characters';

/** A map of keys to values without a prototype, so that a key called `__proto__` is a key like any other. */
export function textValues(entries: Iterable<readonly [string, string]> = []): Record<string, string> {
  return withoutPrototype(Object.fromEntries(entries));
}

/**
 * Takes the prototype off a new object. Objects that are born without one (`Object.create(null)`) are slow hash tables in V8,
 * which made a typed read take twice as long; taken off afterwards, the object stays fast.
 */
export function withoutPrototype<Value extends object>(value: Value): Value {
  Object.setPrototypeOf(value, null);
  return value;
}

/**
 * The text of everything that a caller wants to write. Keys with `undefined` are left out.
 * @throws SecretsError `invalid_key` naming all keys that are not allowed
 * @throws TypeError naming the key when a value has no exact text form: an object, a half surrogate pair, NaN
 */
export function textOf(values: Readonly<Record<string, TextLike | undefined>>, alreadyStored?: TextValues): Record<string, string> {
  const text = textValues();
  const refused: string[] = [];
  for (const key of Object.keys(values)) {
    const value = values[key];
    if (value === undefined) continue;
    // Keys that other tools have stored may be anything; a new one must be usable as an option and in every service's console.
    if (!NEW_KEY.test(key) && !(alreadyStored !== undefined && key in alreadyStored)) refused.push(key);
    text[key] = toText(key, value);
  }
  if (refused.length > 0) {
    const shown = refused.map((key) => `"${printable(key.slice(0, 80))}"`).join(", ");
    throw new SecretsError("invalid_key", `${shown} cannot be ${refused.length === 1 ? "a key" : "keys"} of a secret.`, {
      keys: refused,
      hint: `A key is ${KEY_RULE}.`,
    });
  }
  return text;
}

function toText(key: string, value: TextLike): string {
  if (typeof value === "string") {
    if (!value.isWellFormed())
      throw new TypeError(`The value of "${printable(key)}" is not well-formed Unicode: it holds half of a surrogate pair.`);
    return value;
  }
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value === "number" && Number.isFinite(value)) {
    const text = String(value);
    if (!text.includes("e")) return text;
  }
  throw new TypeError(
    `The value of "${printable(key)}" has no exact text form: pass text, a boolean, a bigint or a finite number without an exponent.`,
  );
}
