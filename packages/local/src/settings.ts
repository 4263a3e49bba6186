// zod/mini and only here: this module is imported when settings are checked, never when the package is.
import * as z from "zod/mini";
import { PROTECTIONS, type PassphraseProvider } from "./protection.ts";
import { type CreationNotice, DEFAULT_REVISIONS } from "./settings-types.ts";

const text = z.string().check(z.minLength(1));
const isFunction = (value: unknown): boolean => typeof value === "function";

/** The settings of the flavor `local`; LocalSettings says what each is for. */
export const settingsSchema = z.strictObject({
  path: z.optional(text),
  protection: z.optional(z.enum(PROTECTIONS)),
  key_file: z.optional(text),
  passphrase: z.optional(z.union([text, z.custom<PassphraseProvider>(isFunction)])),
  passphrase_file: z.optional(text),
  passphrase_fd: z.optional(z.int().check(z.gte(0))),
  revisions: z._default(z.int().check(z.gte(1), z.lte(1000)), DEFAULT_REVISIONS),
  onCreate: z.optional(z.custom<(notice: CreationNotice) => void | Promise<void>>(isFunction)),
});
