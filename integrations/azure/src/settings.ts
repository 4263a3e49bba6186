// zod/mini and only here: this module is imported when settings are checked, never when the package is.
import type { TokenCredential } from "@azure/identity";
import type { SecretClient } from "@azure/keyvault-secrets";
import * as z from "zod/mini";
import { CLOUDS, CREDENTIAL_KINDS } from "./settings-types.ts";

const text = z.string().check(z.minLength(1));
const oneLine = z.string().check(z.regex(/^[^\p{Cc}\s]+$/u, "text without spaces"));
/** An address without a user, a path or a query: a host that is to be trusted with tokens is written down plainly. */
const address = z.string().check(z.regex(/^https:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?\/?$/, "an address like https://host, without a path"));
const hasMethod = (name: string) => (value: unknown) =>
  typeof value === "object" && value !== null && typeof Reflect.get(value, name) === "function";

/** The settings of the flavor `azure_key_vault`; AzureSettings says what each is for. */
export const settingsSchema = z.strictObject({
  key_vault_name: z.optional(
    z.string().check(z.regex(/^[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]$/, "3 to 24 letters, digits and hyphens, a letter first")),
  ),
  vault_url: z.optional(address),
  cloud: z.optional(z.enum(CLOUDS)),
  credential_kind: z.optional(z.enum(CREDENTIAL_KINDS)),
  tenant_id: z.optional(oneLine),
  client_id: z.optional(oneLine),
  client_secret: z.optional(text),
  client_certificate_path: z.optional(text),
  client_certificate_password: z.optional(text),
  federated_token_file: z.optional(text),
  authority_host: z.optional(address),
  access_token: z.optional(oneLine),
  credential: z.optional(z.custom<TokenCredential>(hasMethod("getToken"))),
  client: z.optional(z.custom<SecretClient>(hasMethod("getSecret"))),
  ca_file: z.optional(text),
  api_version: z.optional(z.string().check(z.regex(/^[0-9A-Za-z.-]+$/, "a version, like 7.6"))),
  verify_challenge: z.optional(z.boolean()),
});
