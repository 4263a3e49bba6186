// zod/mini and only here: this module is imported when settings are checked, never when the package is.
import * as z from "zod/mini";
import { isAddress, isClient, isHostName, isLine, isMountPath, isProvider, isToken } from "./settings-check.ts";
import { AUTH_METHODS, type ExistingClient } from "./settings-types.ts";

const line = z.optional(z.string().check(z.refine(isLine, "text of one line")));
const mountPath = z.optional(z.string().check(z.refine(isMountPath, "a path like team/kv, without a slash at its ends")));
const flag = z.optional(z.boolean());

/** The settings of the flavor `vault`; VaultSettings says what each is for. */
export const settingsSchema = z.strictObject({
  address: z.optional(z.string().check(z.refine(isAddress, "an address like https://vault.example:8200, without user or query"))),
  allow_http: flag,
  vault_namespace: mountPath,
  mount: mountPath,
  kv_version: z.optional(z.literal([1, 2])),
  auth_method: z.optional(z.enum(AUTH_METHODS)),
  auth_mount: mountPath,
  token: z.optional(z.string().check(z.refine(isToken, "a token, one line without spaces"))),
  token_file: line,
  renew_token: flag,
  role_id: line,
  secret_id: line,
  secret_id_file: line,
  secret_id_wrapped: flag,
  role: line,
  jwt: line,
  jwt_file: line,
  username: line,
  password: line,
  password_file: line,
  ca_file: line,
  ca_path: line,
  client_cert_file: line,
  client_key_file: line,
  tls_server_name: z.optional(z.string().check(z.refine(isHostName, "a host name"))),
  tls_skip_verify: flag,
  max_retries: z.optional(z.int().check(z.gte(0), z.lte(10))),
  soft_delete: flag,
  custom_metadata: flag,
  token_provider: z.optional(z.custom<() => Promise<string>>(isProvider)),
  client: z.optional(z.custom<ExistingClient>(isClient)),
});
