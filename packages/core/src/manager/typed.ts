import type { Registry } from "../registry/registry.ts";
import type * as Validation from "../schema/validate.ts";
import { printable } from "../secret/printable.ts";
import { Secret, type SecretSchemaState, type TextContent } from "../secret/secret.ts";
import { textValues } from "../secret/values.ts";
import type { SecretRecord, SecretSchema, StoredSecret, TextValues } from "../spec.ts";
import { type GuardContext, managerError } from "./guard.ts";

// Loaded with the first schema, as zod is: a command that reads a secret without one needs neither.
const contentOf: typeof Validation.contentOf = async (...check) => (await import("../schema/validate.ts")).contentOf(...check);

const ARBITRARY: SecretSchemaState = Object.freeze({ type: "arbitrary", installed: true, package: null });

/**
 * What was stored, as the schema types it. A schema that was asked for must exist; one that the secret merely names may be missing: nobody is locked out
 * of their data.
 * @throws SecretsError `schema_mismatch`, `unknown_schema`
 */
export async function revealed(
  name: string,
  stored: StoredSecret,
  asked: SecretSchema | string | undefined,
  validate: boolean,
  registry: Registry,
  context: GuardContext,
): Promise<Secret<unknown>> {
  const record: SecretRecord = stored.state === "value" ? stored.record : { values: textValues() };
  const askedType = typeof asked === "string" ? asked : asked?.type;
  const storedType = record.schema ?? "arbitrary";
  if (validate && askedType !== undefined && askedType !== storedType && storedType !== "arbitrary") {
    throw managerError(
      "schema_mismatch",
      `The secret "${printable(name)}" has the schema "${printable(storedType)}", not "${printable(askedType)}".`,
      context,
      `Ask for it as "${printable(storedType)}", or read it with { validate: false }.`,
    );
  }
  const type = askedType ?? storedType;
  const plain = type === "arbitrary" || !validate;
  const schema = plain
    ? undefined
    : typeof asked === "object"
      ? asked
      : await (asked === undefined ? registry.schema(type) : registry.requireSchema(type));
  const state: SecretSchemaState =
    plain && type === "arbitrary" ? ARBITRARY : { type, installed: plain || schema !== undefined, package: null };
  const facts = {
    name,
    schema: state,
    revision: stored.revision ?? null,
    createdAt: stored.createdAt ?? null,
    updatedAt: stored.updatedAt ?? null,
    managed: stored.managed,
    encoding: (stored.state === "value" && stored.encoding) || null,
  };
  if (schema === undefined) return new Secret<TextContent>(facts, record.values);
  const content = await contentOf(schema, record.values, {
    code: "schema_mismatch",
    operation: context.method,
    secretName: name,
    flavor: context.flavor,
  });
  return new Secret(facts, record.values, content);
}

/**
 * What is to be stored, after its check.
 * @throws SecretsError `schema_violation`, `unknown_schema`
 */
export async function checkedRecord(
  name: string,
  schema: SecretSchema | string | undefined,
  values: TextValues,
  registry: Registry,
  context: GuardContext,
): Promise<SecretRecord> {
  if (schema === undefined || schema === "arbitrary" || (typeof schema === "object" && schema.fields === undefined)) return { values };
  const known = typeof schema === "string" ? await registry.requireSchema(schema) : schema;
  await contentOf(known, values, { code: "schema_violation", operation: context.method, secretName: name, flavor: context.flavor });
  return { schema: known.type, values };
}
