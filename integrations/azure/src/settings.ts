// zod/mini and only here: this module is imported when settings are checked, never when the package is.
import type { TokenCredential } from "@azure/identity";
import type { SecretClient } from "@azure/keyvault-secrets";
import * as z from "zod/mini";
import { CLOUDS, CREDENTIAL_KINDS, TEXT_SETTINGS } from "./settings-types.ts";

const text = (form: RegExp, rule = "a text") => z.optional(z.string().check(z.regex(form, rule)));
const hasMethod = (name: string) => (value: unknown) =>
  typeof value === "object" && value !== null && typeof Reflect.get(value, name) === "function";

/** The settings of the flavor `azure_key_vault`; AzureSettings says what each is for. */
export const settingsSchema = z.strictObject({
  key_vault_name: text(TEXT_SETTINGS.key_vault_name, "3 to 24 letters, digits and hyphens, a letter first"),
  vault_url: text(TEXT_SETTINGS.vault_url, "an address like https://host, without a path"),
  cloud: z.optional(z.enum(CLOUDS)),
  credential_kind: z.optional(z.enum(CREDENTIAL_KINDS)),
  tenant_id: text(TEXT_SETTINGS.tenant_id, "text without spaces"),
  client_id: text(TEXT_SETTINGS.client_id, "text without spaces"),
  client_secret: text(TEXT_SETTINGS.client_secret),
  client_certificate_path: text(TEXT_SETTINGS.client_certificate_path),
  client_certificate_password: text(TEXT_SETTINGS.client_certificate_password),
  federated_token_file: text(TEXT_SETTINGS.federated_token_file),
  authority_host: text(TEXT_SETTINGS.authority_host, "an address like https://host, without a path"),
  access_token: text(TEXT_SETTINGS.access_token, "text without spaces"),
  credential: z.optional(z.custom<TokenCredential>(hasMethod("getToken"))),
  client: z.optional(z.custom<SecretClient>(hasMethod("getSecret"))),
  ca_file: text(TEXT_SETTINGS.ca_file),
  api_version: text(TEXT_SETTINGS.api_version, "a version, like 7.6"),
  verify_challenge: z.optional(z.boolean()),
});
