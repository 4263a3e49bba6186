// zod/mini, because these load in every typed `coffer secret get`: bundled, it is an eighth of the size of zod.
import * as z from "zod/mini";
import { defineSecretSchema } from "./define.ts";
import type { SecretSchema } from "../spec.ts";

/** Any key is allowed; values are text. The schema of a secret that was registered without one. */
export const arbitrary: SecretSchema = { type: "arbitrary", fields: undefined, description: "Any keys, all text." };

/** How to reach a MySQL database. */
export const mysql = defineSecretSchema({
  type: "mysql",
  description: "How to reach a MySQL database.",
  fields: z.object({
    user: z.optional(z.string()),
    password: z.optional(z.string()),
    ssl_ca: z.optional(z.string()),
    ssl_cert: z.optional(z.string()),
    ssl_key: z.optional(z.string()),
    ssl_verify_server_cert: z._default(z.boolean(), false),
  }),
  publicKeys: ["ssl_verify_server_cert"],
});

/** A user name and a password. */
export const basicAuth = defineSecretSchema({
  type: "basic_auth",
  description: "A user name and a password.",
  fields: z.object({ username: z.string(), password: z.string() }),
});
