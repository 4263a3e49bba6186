import { createHash } from "node:crypto";
import { DriverError, escapeName, type EscapeRule, type SecretScope, unescapeName } from "@coffer/core";

/** The longest id of a secret. */
export const ID_LIMIT = 255;
const ID = /^[A-Za-z0-9_-]+$/;
// Outside of the service's alphabet a name continues with `_x` and two hexadecimal digits.
const RULE: EscapeRule = { allows: (character) => ID.test(character), introducer: "_x" };
const HASH_LENGTH = 32;
const STEM_LENGTH = ID_LIMIT - HASH_LENGTH - "-h".length;
const HASHED = new RegExp(`^[A-Za-z0-9_-]{${STEM_LENGTH}}-h[0-9a-f]{${HASH_LENGTH}}$`);

/** A name as the service holds it. */
export interface ServiceName {
  readonly id: string;
  /** The id is cut and hashed: the whole name has to be written down beside it. */
  readonly hashed: boolean;
}

/**
 * The id of a secret. In scope `none` it is the name itself; otherwise the name is escaped, and one that becomes too long keeps its beginning and ends in
 * 128 bits of its SHA-256.
 * @throws DriverError `invalid_name` for a name of scope `none` that the service cannot hold
 */
export function serviceName(name: string, scope: SecretScope): ServiceName {
  if (scope === "none") {
    if (name.length <= ID_LIMIT && ID.test(name)) return { id: name, hashed: false };
    throw new DriverError("invalid_name", undefined, {
      safeMessage: "Secret Manager holds no such name.",
      hint: `With scope "none" a name is the service's own: 1 to ${ID_LIMIT} letters, digits, "_" or "-".`,
    });
  }
  const escaped = escapeName(name, RULE);
  // An escaped name that merely looks like a hashed one is hashed as well, so that no two names share an id.
  if (escaped.length <= ID_LIMIT && !HASHED.test(escaped)) return { id: escaped, hashed: false };
  const hash = createHash("sha256").update(name).digest("hex").slice(0, HASH_LENGTH);
  return { id: `${escaped.slice(0, STEM_LENGTH)}-h${hash}`, hashed: true };
}

/**
 * The name behind an id of a listing; `undefined` for one that is not written as ours are.
 * @param written the name that was written down beside the id
 */
export function nameOf(id: string, written: string | undefined, scope: SecretScope): string | undefined {
  if (scope === "none") return id;
  if (!HASHED.test(id)) return unescapeName(id, RULE);
  return written !== undefined && serviceName(written, scope).id === id ? written : undefined;
}

/**
 * What every id of a listing with this prefix contains, for the filter of the service; empty when the filter cannot say it. `undefined` when no id can have
 * this prefix.
 */
export function filterOf(prefix: string, scope: SecretScope): string | undefined {
  const start = scope === "none" ? prefix : escapeName(prefix, RULE);
  if (start !== "" && !ID.test(start)) return undefined;
  const part = start.slice(0, STEM_LENGTH);
  // These mean something else in the language of filters.
  return /^(?:AND|OR|NOT|-.*)$/.test(part) ? "" : part;
}
