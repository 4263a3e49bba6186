import { plainSettings as plainly } from "@coffer/core";
import type { VaultSettings } from "./settings-types.ts";

/** Whether text is an address: a host that is to be trusted with tokens is written down plainly, without a user or a query. */
export function isAddress(value: unknown): value is string {
  // What comes after a ? or a # would be no path, also where nothing does yet.
  if (typeof value !== "string" || /[\s\p{Cc}?#]/u.test(value) || !URL.canParse(value)) return false;
  const url = new URL(value);
  return /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
}

/** Whether this is text without control characters: what stands in a header or names a file. */
export function isLine(value: unknown): value is string {
  return typeof value === "string" && value.length >= 1 && value.length <= 65_536 && !/\p{Cc}/u.test(value);
}

/** Whether text can be a token: it stands in a header. */
export function isToken(value: unknown): value is string {
  return typeof value === "string" && value.length <= 65_536 && /^[\x21-\x7e]+$/.test(value);
}

/** Whether text is a path below which an engine or a namespace is mounted: segments with slashes between them. */
export function isMountPath(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value.length <= 512 &&
    // A namespace stands in a header.
    /^[\x20-\x7e]+$/.test(value) &&
    value.split("/").every((segment) => segment !== "" && segment !== "." && segment !== ".." && !/[?#%\\]/.test(segment))
  );
}

/** Whether text is the name of a host, as a certificate carries one; an address in numbers is none. */
export function isHostName(value: unknown): value is string {
  return (
    typeof value === "string" && value.length <= 253 && /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.?$/.test(value) && !/^[\d.]+$/.test(value)
  );
}

/** Whether this may be a client of the SDK. */
export function isClient(value: unknown): boolean {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, "request") === "function";
}

/** Whether this may get a token. */
export function isProvider(value: unknown): boolean {
  return typeof value === "function";
}

// What needs no schema to be found right; anything else in the settings, and the schema looks.
const PLAIN: Readonly<Record<string, (value: unknown) => boolean>> = {
  address: isAddress,
  vault_namespace: isMountPath,
  mount: isMountPath,
  kv_version: (value) => value === 1 || value === 2,
  token: isToken,
  token_file: isLine,
  role_id: isLine,
  secret_id: isLine,
  secret_id_file: isLine,
  ca_file: isLine,
  token_provider: isProvider,
  client: isClient,
};

/** The settings when they are plainly right. */
export function plainSettings(settings: unknown): VaultSettings | undefined {
  return plainly(settings, (name, value) => Object.hasOwn(PLAIN, name) && PLAIN[name]?.(value) === true);
}
