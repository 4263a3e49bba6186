import type { $ZodObject, ParsePayload, util } from "zod/v4/core";
import { SecretsError } from "../errors/secrets-error.ts";
import { printable } from "../secret/printable.ts";
import { withoutPrototype } from "../secret/values.ts";
import type { SecretSchema, TextValues } from "../spec.ts";
import { expectedOf, type TextConverter, textConverters } from "./fields.ts";

/** What is wrong with one key. Never says anything about its value. */
export interface SchemaIssue {
  readonly key: string;
  readonly problem: "missing" | "unknown" | "invalid";
  /** What the text should have been, in words. */
  readonly expected?: string;
}

export type SchemaResult =
  | { readonly content: Readonly<Record<string, unknown>>; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

// The part of an issue of zod 4 that is used. Its message is not: a refinement may have put the value into it.
interface ZodIssue {
  readonly code?: string;
  readonly path?: readonly PropertyKey[];
  readonly format?: string;
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
}

interface CompiledSchema {
  readonly fields: $ZodObject;
  // An object instead of a set: looking a key up costs half, and there is one look-up for each key of each read.
  readonly known: Readonly<Record<string, true>>;
  readonly open: boolean;
  readonly converters: readonly (readonly [string, TextConverter])[];
}

const compiled = new WeakMap<SecretSchema, CompiledSchema>();

/** Turns stored text into typed content, or says everything that is wrong at once. Asynchronous only when a field's check is. */
export function parseValues(schema: SecretSchema, values: TextValues): SchemaResult | Promise<SchemaResult> {
  if (schema.fields === undefined) return { content: values };
  const plan = compiled.get(schema) ?? compile(schema, schema.fields);
  let input: Readonly<Record<string, unknown>> = values;
  if (plan.converters.length > 0) {
    const converted: Record<string, unknown> = withoutPrototype({ ...values });
    for (const [key, convert] of plan.converters) {
      const text = values[key];
      if (text !== undefined) converted[key] = convert(text);
    }
    input = converted;
  }
  const result = run(plan.fields, input);
  return result instanceof Promise ? result.then((answer) => conclude(plan, values, answer)) : conclude(plan, values, result);
}

/**
 * What `parse` of zod does inside, without importing a copy of zod and without the exception: every zod 4 schema (zod, zod/mini) has it.
 * A check that is asynchronous throws in the synchronous run; then all checks run once more, waited for.
 */
function run(fields: $ZodObject, input: unknown): util.MaybeAsync<ParsePayload> {
  try {
    return fields._zod.run({ value: input, issues: [] }, { async: false });
  } catch (error) {
    if (!(error instanceof Error) || error.constructor.name !== "$ZodAsyncError") throw error;
    return fields._zod.run({ value: input, issues: [] }, { async: true });
  }
}

function conclude(plan: CompiledSchema, values: TextValues, result: ParsePayload): SchemaResult {
  let issues: SchemaIssue[] | undefined;
  if (!plan.open) for (const key in values) if (plan.known[key] === undefined) (issues ??= []).push({ key, problem: "unknown" });
  // The output of an object schema is an object.
  if (result.issues.length === 0) return issues === undefined ? { content: result.value as Readonly<Record<string, unknown>> } : { issues };
  const reported = new Set(issues?.map((issue) => issue.key));
  for (const issue of result.issues as readonly ZodIssue[]) {
    const key = String(issue.path?.[0] ?? "");
    // One line per key: the first complaint of zod is the most basic one, and unknown keys of a strict object were named above.
    if (reported.has(key) || issue.code === "unrecognized_keys") continue;
    reported.add(key);
    (issues ??= []).push(
      key !== "" && values[key] === undefined
        ? { key, problem: "missing", expected: expectedOf(plan.fields, key) }
        : { key, problem: "invalid", expected: expectation(plan, key, issue) },
    );
  }
  return issues === undefined ? { content: result.value as Readonly<Record<string, unknown>> } : { issues };
}

function expectation(plan: CompiledSchema, key: string, issue: ZodIssue): string {
  if (key === "") return "keys that fit together";
  if (issue.code === "too_small") return `${expectedOf(plan.fields, key)}, at least ${issue.minimum}`;
  if (issue.code === "too_big") return `${expectedOf(plan.fields, key)}, at most ${issue.maximum}`;
  if (issue.code === "invalid_format" && issue.format !== undefined) return `text of the form "${issue.format}"`;
  return expectedOf(plan.fields, key);
}

function compile(schema: SecretSchema, fields: $ZodObject): CompiledSchema {
  const { shape, catchall } = fields._zod.def;
  const plan: CompiledSchema = {
    fields,
    known: withoutPrototype(Object.fromEntries(Object.keys(shape).map((key) => [key, true as const]))),
    open: catchall !== undefined && catchall._zod.def.type !== "never",
    converters: [...textConverters(fields)],
  };
  compiled.set(schema, plan);
  return plan;
}

/** The typed content, or an error that names every key at fault with what was expected, and no value. */
export async function contentOf(
  schema: SecretSchema,
  values: TextValues,
  failure: {
    readonly code: "schema_violation" | "schema_mismatch";
    readonly operation: string;
    readonly secretName: string;
    readonly flavor: string;
  },
): Promise<Readonly<Record<string, unknown>>> {
  const parsed = parseValues(schema, values);
  const result = parsed instanceof Promise ? await parsed : parsed;
  if (result.issues === undefined) return result.content;
  throw schemaError(schema, result.issues, failure);
}

function schemaError(
  schema: SecretSchema,
  issues: readonly SchemaIssue[],
  failure: {
    readonly code: "schema_violation" | "schema_mismatch";
    readonly operation: string;
    readonly secretName: string;
    readonly flavor: string;
  },
): SecretsError {
  const lines = issues.map((issue) => `${printable(issue.key) || "the secret"}: ${describe(issue)}`);
  const happened =
    failure.code === "schema_violation"
      ? `The values for the secret "${printable(failure.secretName)}" do not conform with the schema "${schema.type}"`
      : `The stored secret "${printable(failure.secretName)}" does not fit the schema "${schema.type}"`;
  return new SecretsError(failure.code, `${happened}: ${lines.join("; ")}.`, {
    operation: failure.operation,
    secretName: failure.secretName,
    flavor: failure.flavor,
    keys: issues.map((issue) => issue.key),
    hint:
      failure.code === "schema_violation"
        ? `The schema "${schema.type}" has the keys ${Object.keys(schema.fields?._zod.def.shape ?? {}).join(", ")}.`
        : "Read it with { validate: false } to get its text, or update the keys.",
  });
}

function describe(issue: SchemaIssue): string {
  if (issue.problem === "missing") return `missing, expected ${issue.expected ?? "text"}`;
  return issue.problem === "unknown" ? "not a key of this schema" : `expected ${issue.expected ?? "other text"}`;
}
