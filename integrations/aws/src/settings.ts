// zod/mini and only here: this module is imported when settings are checked, never when the package is.
import * as z from "zod/mini";
import { RESERVED_TAGS } from "./marker.ts";
import { isClient, isCredentials, isEndpoint, isLine, isRegion } from "./settings-check.ts";
import type { AwsCredentials, ExistingClient } from "./settings-types.ts";

const line = z.string().check(z.refine(isLine, "text of one line"));
// What a tag may be (API_Tag). A secret has fifty; three can be ours.
const MOST_TAGS = 47;
const tagText = z.string().check(z.maxLength(256), z.regex(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u));
const tagKey = tagText.check(z.refine((key) => key.length >= 1 && key.length <= 128 && !key.startsWith("aws:") && !RESERVED_TAGS.has(key)));

/** The settings of the flavor `aws`; AwsSettings says what each is for. */
export const settingsSchema = z.strictObject({
  region: z.optional(z.string().check(z.refine(isRegion, "a region, like eu-central-1"))),
  profile: z.optional(line),
  endpoint: z.optional(z.string().check(z.refine(isEndpoint, "an address like https://host, without user or query"))),
  allow_http: z.optional(z.boolean()),
  kms_key: z.optional(line),
  tags: z.optional(z.record(tagKey, tagText).check(z.refine((tags) => Object.keys(tags).length <= MOST_TAGS, `at most ${MOST_TAGS} tags`))),
  recovery_window_days: z.optional(z.int().check(z.gte(7), z.lte(30))),
  max_attempts: z.optional(z.int().check(z.gte(1), z.lte(10))),
  credentials: z.optional(z.custom<AwsCredentials>(isCredentials)),
  client: z.optional(z.custom<ExistingClient>(isClient)),
});
