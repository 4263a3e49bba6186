import type { SchemaField } from "@coffer/core";
import { tableText } from "../output/table.ts";
import { valueText } from "../output/value-text.ts";

/** The fields of a schema or of settings, for programs. */
export function fieldRecords(fields: readonly SchemaField[]): {
  readonly key: string;
  readonly type: string;
  readonly required: boolean;
  readonly default: unknown;
  readonly choices: readonly string[] | null;
}[] {
  return fields.map(({ key, type, required, default: value, choices }) => ({
    key,
    type,
    required,
    default: value ?? null,
    choices: choices ?? null,
  }));
}

/** The same for people. */
export function fieldTable(heading: string, fields: readonly SchemaField[]): Iterable<string> {
  if (fields.length === 0) return [];
  return tableText(
    [heading, "REQUIRED", "DEFAULT", "VALUE"],
    fields.map((field) => [
      field.key,
      field.required ? "yes" : "no",
      field.default === undefined ? "" : valueText(field.default),
      field.expected,
    ]),
  );
}
