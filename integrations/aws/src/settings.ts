// zod/mini and only here: this module is imported when settings are checked, never when the package is.
import * as z from "zod/mini";
import { RESERVED_TAGS } from "./marker.ts";
import { isRegion } from "./region.ts";
import type { AwsCredentials, ExistingClient } from "./settings-types.ts";

const text = z.string().check(z.minLength(1), z.maxLength(2048), z.regex(/^[^\p{Cc}]*$/u));
// What a tag may be: API_Tag of the API reference. Two of the fifty are ours.
const tagText = z.string().check(z.regex(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u));
const tagKey = tagText.check(
  z.minLength(1),
  z.maxLength(128),
  z.refine((key) => !key.startsWith("aws:") && !RESERVED_TAGS.has(key)),
);

const isClient = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "send" in value && typeof value.send === "function";
const isCredentials = (value: unknown): boolean =>
  typeof value === "function" ||
  (typeof value === "object" &&
    value !== null &&
    "accessKeyId" in value &&
    typeof value.accessKeyId === "string" &&
    "secretAccessKey" in value &&
    typeof value.secretAccessKey === "string");

/** An address that a client can be pointed at: no path, no user name, no query. */
function isEndpoint(value: string): boolean {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || /\s/.test(value)) return false;
  return /^https?:$/.test(url.protocol) && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
}

/** The settings of the flavor `aws`; AwsSettings says what each is for. */
export const settingsSchema = z.strictObject({
  region: z.optional(z.string().check(z.refine(isRegion))),
  profile: z.optional(text),
  endpoint: z.optional(z.string().check(z.refine(isEndpoint))),
  allow_http: z.optional(z.boolean()),
  kms_key: z.optional(text),
  tags: z.optional(z.record(tagKey, tagText.check(z.maxLength(256))).check(z.refine((tags) => Object.keys(tags).length <= 46))),
  recovery_window_days: z.optional(z.int().check(z.gte(7), z.lte(30))),
  max_attempts: z.optional(z.int().check(z.gte(1), z.lte(10))),
  credentials: z.optional(z.custom<AwsCredentials>(isCredentials)),
  client: z.optional(z.custom<ExistingClient>(isClient)),
});
