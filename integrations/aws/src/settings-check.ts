import { plainSettings as plainly } from "@coffer/core";
import type { AwsSettings } from "./settings-types.ts";

/** Whether text can be the name of a region: it becomes part of a host name, so nothing else gets there. */
export function isRegion(value: unknown): value is string {
  return typeof value === "string" && value.length <= 63 && /^[a-z]{2,}(?:-[a-z0-9]+)+$/.test(value);
}

/** Whether text is an address that a client can be pointed at: no user name, no query. */
export function isEndpoint(value: unknown): value is string {
  if (typeof value !== "string" || /[\s\p{Cc}]/u.test(value) || !URL.canParse(value)) return false;
  const url = new URL(value);
  return /^https?:$/.test(url.protocol) && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
}

/** Whether this is text without control characters. */
export function isLine(value: unknown): value is string {
  return typeof value === "string" && value.length >= 1 && value.length <= 2048 && !/\p{Cc}/u.test(value);
}

/** Whether this is a pair of keys, or a function that may get one. */
export function isCredentials(value: unknown): boolean {
  if (typeof value === "function") return true;
  return (
    typeof value === "object" &&
    value !== null &&
    "accessKeyId" in value &&
    typeof value.accessKeyId === "string" &&
    "secretAccessKey" in value &&
    typeof value.secretAccessKey === "string"
  );
}

/** Whether this may be a client of the SDK. */
export function isClient(value: unknown): boolean {
  return typeof value === "object" && value !== null && "send" in value && typeof value.send === "function";
}

// What needs no schema to be found right; anything else in the settings, and the schema looks.
const PLAIN: Readonly<Record<string, (value: unknown) => boolean>> = {
  region: isRegion,
  profile: isLine,
  endpoint: isEndpoint,
  kms_key: isLine,
  credentials: isCredentials,
  client: isClient,
};

/** The settings when they are plainly right. */
export function plainSettings(settings: unknown): AwsSettings | undefined {
  return plainly(settings, (name, value) => Object.hasOwn(PLAIN, name) && PLAIN[name]?.(value) === true);
}
