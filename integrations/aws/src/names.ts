import { createHash } from "node:crypto";
import { DriverError, escapeName, type EscapeRule, type SecretScope } from "@coffer/core";

// Names of AWS: 1 to 512 of these (API_CreateSecret). `=` is one of them, and introduces our escapes, so it is the only portable character that is escaped.
const SERVICE_NAME = /^[A-Za-z0-9/_+=.@-]{1,512}$/;
const ARN = /^arn:[a-z0-9-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]{1,519}$/;
const RULE: EscapeRule = { allows: (character) => /[A-Za-z0-9/_+.@-]/.test(character), introducer: "=" };
const LONGEST = 512;
// No escape reads `=h`: what follows an introducer is a hexadecimal digit. So no other name can look like a shortened one.
const HASH_INTRODUCER = "=h";
const HASH_LENGTH = 32;
const STEM_LENGTH = LONGEST - HASH_INTRODUCER.length - HASH_LENGTH;
const SHORTENED = /=h[0-9a-f]{32}$/;
// The random end of an ARN looks like this. AWS advises against names that end so: they are mistaken for the ARN of a shorter name.
const LIKE_AN_ARN = /-(?=[A-Za-z0-9]{6}$)/;
const PERHAPS_LIKE_AN_ARN = /-[A-Za-z0-9]{0,6}$/;

/** The name under which the service keeps a portable name in full: itself, but for `=` and an end that looks like that of an ARN. */
export function encodeName(name: string): string {
  const escaped = escapeName(name, RULE);
  const whole = escaped.replace(LIKE_AN_ARN, "=2d");
  return whole.length <= LONGEST ? whole : stemOf(escaped) + HASH_INTRODUCER + hashOf(name);
}

/**
 * The portable name behind a name of the service; `undefined` when it is none that `encodeName` writes.
 * @param marked the real name as the marker tells it, for names that had to be shortened
 */
export function decodeName(serviceName: string, marked: string | undefined): string | undefined {
  const name = SHORTENED.test(serviceName)
    ? marked
    : serviceName.replaceAll(/=([0-7][0-9a-f])/g, (_escape, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return name !== undefined && encodeName(name) === serviceName ? name : undefined;
}

/** Whether the service's name is too short for the portable one, so that the marker has to hold it. */
export function isShortened(serviceName: string): boolean {
  return SHORTENED.test(serviceName);
}

/** A text with which the service's names of all names with this prefix start; others may start with it, too. */
export function encodePrefix(prefix: string): string {
  const escaped = escapeName(prefix, RULE).replace(PERHAPS_LIKE_AN_ARN, "");
  return escaped.length <= STEM_LENGTH ? escaped : stemOf(escaped);
}

/**
 * What the service is asked for. In scope `none` that is its own name or, except for a new secret, an ARN: the only way to a secret of another account.
 * @throws DriverError `invalid_name`
 */
export function serviceName(name: string, scope: SecretScope, use: "existing" | "new" = "existing"): string {
  if (scope !== "none") return encodeName(name);
  if (SERVICE_NAME.test(name) || (use === "existing" && ARN.test(name))) return name;
  throw new DriverError("invalid_name", undefined, {
    safeMessage: "AWS takes 1 to 512 of the characters A-Z a-z 0-9 / _ + = . @ -.",
    hint: use === "new" && ARN.test(name) ? "AWS makes the ARN itself: choose a name." : "Choose a name of these characters.",
  });
}

/** The start of an escaped name, as much as fits, without half an escape at its end. */
function stemOf(escaped: string): string {
  return escaped.slice(0, STEM_LENGTH).replace(/=.?$/, "");
}

function hashOf(name: string): string {
  return createHash("sha256").update(name).digest("hex").slice(0, HASH_LENGTH);
}
