import { createHash } from "node:crypto";
import { DriverError, escapeName, type EscapeRule, type SecretScope, unescapeName } from "@coffer/core";

/** What Key Vault takes as a name: letters, digits and `-`, in any case, at most 127. */
const SERVICE_NAME = /^[0-9A-Za-z-]{1,127}$/;
const LONGEST = 127;
const RULE: EscapeRule = { allows: (character) => /[0-9A-Za-z-]/.test(character), introducer: "-x" };
// What a hashed name looks like. A short name that happens to look so is hashed as well, so that no two names meet.
const HEAD = 40;
const HASHED = /^.{40}-h[0-9a-f]{32}$/i;

/**
 * The name of a secret in the vault. Ordinary names stay as they are, other characters are written `-x` and their code; what is too long is its first
 * 40 characters and a hash of the name without its case, because the vault ignores case. The marker then tells the real name.
 * @throws DriverError `invalid_name` for a name that is the service's own and that the service cannot have
 */
export function serviceName(name: string, scope: SecretScope): string {
  if (scope === "none") {
    if (SERVICE_NAME.test(name)) return name;
    throw new DriverError("invalid_name", undefined, {
      safeMessage: "Key Vault takes 1 to 127 letters, digits and hyphens.",
      hint: "Use a name of the vault itself, or another scope than none.",
    });
  }
  const escaped = escapeName(name, RULE);
  if (escaped.length <= LONGEST && !HASHED.test(escaped)) return escaped;
  const hash = createHash("sha256").update(name.toLowerCase()).digest("hex").slice(0, 32);
  return `${escaped.slice(0, HEAD)}-h${hash}`;
}

/** The name that a service name was made of; `undefined` for one that was hashed, or that Coffer could not have made. */
export function nameFromService(name: string): string | undefined {
  return HASHED.test(name) ? undefined : unescapeName(name, RULE);
}

/** Whether the vault takes both for the same name. */
export function isSameInVault(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
