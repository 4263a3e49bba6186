/**
 * The secret schema for credentials of Azure, at `@coffer/azure/schemas`. Importing this module imports zod.
 * @packageDocumentation
 */
import { defineSecretSchema } from "@coffer/core";
import * as z from "zod/mini";

const text = z.optional(z.string());

/** Credentials for Azure: of a storage account, or of a service principal. Every key may be left out, because each use needs a few of them. */
export const azureSchema = defineSecretSchema({
  type: "azure",
  description: "Credentials for Azure: of a storage account, or of a service principal.",
  fields: z.object({
    account_name: text,
    account_key: text,
    sas_token: text,
    connection_string: text,
    client_id: text,
    client_secret: text,
    tenant_id: text,
  }),
  publicKeys: ["account_name", "client_id", "tenant_id"],
});
