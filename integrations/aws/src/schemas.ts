/**
 * The secret schema for credentials of AWS, at `@coffer/aws/schemas`. Importing this module imports zod.
 * @packageDocumentation
 */
import { defineSecretSchema } from "@coffer/core";
import * as z from "zod/mini";

/** How to sign in to AWS: a pair of keys, with a session token when they are temporary. */
export const awsSchema = defineSecretSchema({
  type: "aws",
  description: "How to sign in to AWS: a pair of keys, with a session token when they are temporary.",
  fields: z.object({
    aws_access_key_id: z.string(),
    aws_secret_access_key: z.string(),
    aws_session_token: z.optional(z.string()),
  }),
});
