import type { $ZodObject, $ZodType, $ZodTypeDef } from "zod/v4/core";
import type { SecretSchema } from "../spec.ts";

/** One key of a schema, as a prompt or a help page needs it. */
export interface SchemaField {
  readonly key: string;
  readonly required: boolean;
  /** What the text must be, in words: `text`, `true or false`, `a number`. */
  readonly expected: string;
  /** The kind of value: `string`, `boolean`, `number`, `bigint`, `literal`, `enum`, or zod's own word. */
  readonly type: string;
  readonly default?: unknown;
  readonly choices?: readonly string[];
}

/** Turns text into the value that the field's schema takes; text that does not fit is handed on as it is, and the schema refuses it. */
export type TextConverter = (text: string) => unknown;

const TRUE = /^(?:true|1|yes|y|on|t)$/i;
const FALSE = /^(?:false|0|no|n|off|f)$/i;
const DECIMAL = /^-?\d+(?:\.\d+)?$/;
const INTEGER = /^-?\d+$/;

/** The boolean that a text stands for: true/false, 1/0, yes/no, y/n, on/off, t/f in any case; `undefined` for anything else. */
export function booleanFromText(text: string): boolean | undefined {
  if (TRUE.test(text)) return true;
  return FALSE.test(text) ? false : undefined;
}

/** The number that a full decimal text stands for; `undefined` for anything else, also for an integer that a double cannot hold. */
export function numberFromText(text: string): number | undefined {
  if (!DECIMAL.test(text)) return undefined;
  const number = Number(text);
  if (!Number.isFinite(number)) return undefined;
  return INTEGER.test(text) && !Number.isSafeInteger(number) ? undefined : number;
}

/** The fields of a schema in the order of their declaration; empty for `arbitrary`. */
export function schemaFields(schema: SecretSchema): SchemaField[] {
  if (schema.fields === undefined) return [];
  return Object.entries(shapeOf(schema.fields)).map(([key, field]) => {
    const { base, optional, defaultValue } = unwrap(field);
    const choices = choicesOf(base);
    return {
      key,
      required: !optional,
      expected: expectationOf(base),
      type: base.type,
      ...(defaultValue === undefined ? {} : { default: defaultValue }),
      ...(choices === undefined ? {} : { choices }),
    };
  });
}

/** How the text of each field becomes a value, for the fields where text is not the value itself. */
export function textConverters(fields: $ZodObject): Map<string, TextConverter> {
  const converters = new Map<string, TextConverter>();
  for (const [key, field] of Object.entries(shapeOf(fields))) {
    const converter = converterOf(unwrap(field).base);
    if (converter !== undefined) converters.set(key, converter);
  }
  return converters;
}

/** What the text of a field must be, in words and without its value. */
export function expectedOf(fields: $ZodObject, key: string): string {
  const field = shapeOf(fields)[key];
  return field === undefined ? "text" : expectationOf(unwrap(field).base);
}

/**
 * Refuses what cannot be a secret schema.
 * @throws TypeError when `fields` is no zod 4 object or a field coerces
 */
export function assertSchemaIsExact(type: string, fields: $ZodObject): void {
  if (definitionOf(fields)?.type !== "object") {
    throw new TypeError(`The fields of the secret schema "${type}" must be a zod 4 object (from "zod" or "zod/mini").`);
  }
  for (const [key, field] of Object.entries(shapeOf(fields))) {
    const { base } = unwrap(field);
    if (base.coerce === true && base.type !== "string") {
      throw new TypeError(
        `The key "${key}" of the secret schema "${type}" coerces: z.coerce.boolean("false") is true and z.coerce.number("") is 0. ` +
          "Use a plain z.boolean() or z.number(); text is converted exactly.",
      );
    }
  }
}

// The parts of zod's definitions that are read here; zod's own types are one union per kind of schema.
interface Definition extends $ZodTypeDef {
  readonly innerType?: $ZodType;
  readonly in?: $ZodType;
  readonly coerce?: boolean;
  readonly defaultValue?: unknown;
  readonly values?: readonly unknown[];
  readonly entries?: Readonly<Record<string, string | number>>;
  readonly shape?: Readonly<Record<string, $ZodType>>;
}

const WRAPPERS = new Set(["optional", "default", "prefault", "nullable", "nonoptional", "readonly", "catch"]);
const MAKES_OPTIONAL = new Set(["optional", "default", "prefault", "catch"]);

function definitionOf(schema: $ZodType): Definition | undefined {
  return (schema as { readonly _zod?: { readonly def: Definition } })._zod?.def;
}

function shapeOf(fields: $ZodObject): Readonly<Record<string, $ZodType>> {
  return definitionOf(fields)?.shape ?? {};
}

function unwrap(field: $ZodType): { readonly base: Definition; readonly optional: boolean; readonly defaultValue: unknown } {
  let definition = definitionOf(field);
  let optional = false;
  let defaultValue: unknown;
  for (;;) {
    if (definition === undefined) return { base: { type: "unknown" }, optional, defaultValue };
    if (WRAPPERS.has(definition.type) && definition.innerType !== undefined) {
      if (MAKES_OPTIONAL.has(definition.type)) optional = true;
      defaultValue ??= definition.defaultValue;
      definition = definitionOf(definition.innerType);
    } else if (definition.type === "pipe" && definition.in !== undefined) definition = definitionOf(definition.in);
    else return { base: definition, optional, defaultValue };
  }
}

function converterOf(base: Definition): TextConverter | undefined {
  switch (base.type) {
    case "boolean":
      return (text) => booleanFromText(text) ?? text;
    case "number":
      return (text) => numberFromText(text) ?? text;
    case "bigint":
      return (text) => (INTEGER.test(text) ? BigInt(text) : text);
    case "literal":
    case "enum": {
      const values = valuesOf(base);
      if (values.every((value) => typeof value === "string")) return undefined;
      return (text) => values.find((value) => String(value) === text) ?? text;
    }
    default:
      return undefined;
  }
}

function valuesOf(base: Definition): readonly unknown[] {
  return base.values ?? Object.values(base.entries ?? {});
}

function choicesOf(base: Definition): string[] | undefined {
  return base.type === "literal" || base.type === "enum" ? valuesOf(base).map(String) : undefined;
}

function expectationOf(base: Definition): string {
  switch (base.type) {
    case "boolean":
      return "true or false";
    case "number":
      return "a decimal number";
    case "bigint":
      return "a whole number";
    case "literal":
    case "enum": {
      const choices = choicesOf(base) ?? [];
      return choices.length === 1 ? `exactly "${choices.join()}"` : `one of ${choices.map((choice) => `"${choice}"`).join(", ")}`;
    }
    case "string":
      return "text";
    default:
      return `text that the schema takes as ${base.type}`;
  }
}
