/**
 * The secret schema for credentials of Google Cloud, at `@coffer/gcp/schemas`. Importing this module imports zod.
 * @packageDocumentation
 */
import { defineSecretSchema } from "@coffer/core";
import * as z from "zod/mini";

/** How to sign in to Google Cloud: the JSON of a credential (a service account key, for instance) as one text. */
export const gcpSchema = defineSecretSchema({
  type: "gcp",
  description: "How to sign in to Google Cloud: the JSON of a credential.",
  fields: z.object({ token: z.string().check(z.refine(isJsonObject, "a JSON object")) }),
});

function isJsonObject(text: string): boolean {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
  } catch {
    // The parser's message would quote the text.
    return false;
  }
}
