import { SecretsError } from "../errors/secrets-error.ts";
import { printable } from "../secret/printable.ts";
import type { LazySecretSchema, SecretSchema } from "../spec.ts";

/**
 * The schema that an integration brings, loaded if it is brought as something to load.
 * @param from who brings it, for messages
 * @throws SecretsError `unknown_schema` when loading fails, or gives no schema or one of another type
 */
export async function loadSecretSchema(schema: SecretSchema | LazySecretSchema, from: string): Promise<SecretSchema> {
  if (!("load" in schema)) return schema;
  const name = `the secret schema "${printable(schema.type)}"`;
  let loaded: unknown;
  try {
    loaded = await schema.load();
  } catch (error) {
    throw new SecretsError("unknown_schema", `${from} brings ${name}, but it could not be loaded.`, {
      hint: "Install the package again.",
      cause: error instanceof Error ? { name: error.name } : undefined,
      raw: error,
    });
  }
  if (isSchema(loaded) && loaded.type === schema.type) return loaded;
  const given = isSchema(loaded) ? `the schema "${printable(loaded.type)}"` : "no schema";
  throw new SecretsError("unknown_schema", `${from} announces ${name}, and loading it gives ${given}.`, {
    hint: "Install another version of the package.",
  });
}

function isSchema(value: unknown): value is SecretSchema {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string" && "fields" in value;
}
