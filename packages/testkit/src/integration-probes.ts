import { inspect, isDeepStrictEqual } from "node:util";
import type { ComponentFlavor, SecretSchema, SecretsManagerFlavor } from "@coffer/core";
import { schemaFields } from "@coffer/core";
import type { $ZodType } from "zod/v4/core";

// What an application may say about any manager; a setting of a flavor by one of these names could never be reached.
const OUR_OPTIONS = ["flavor", "scope", "namespace", "componentId", "readonly", "cache", "timeoutMs", "registry"];

/** Holds the settings of a flavor against what the manager makes of them. Opens nothing. */
export async function flavorProblems(flavor: ComponentFlavor): Promise<string[]> {
  const { name } = flavor;
  if (flavor.type !== "secrets_manager") return [];
  const { settings: declared } = flavor as SecretsManagerFlavor;
  let settings: ShapedSchema;
  try {
    settings = (typeof declared === "function" ? await declared() : declared) as ShapedSchema;
  } catch {
    return [`The settings of the flavor "${name}" cannot be loaded.`];
  }
  if (settings?._zod === undefined) return [`The settings of the flavor "${name}" are no zod 4 schema.`];
  const keys = Object.keys(settings._zod.def.shape ?? {});
  const taken = OUR_OPTIONS.filter((option) => keys.includes(option)).map(
    (option) => `The flavor "${name}" has a setting "${option}", which is the name of an option of every manager.`,
  );
  return [...taken, ...(await shortcutProblems(flavor as SecretsManagerFlavor, settings as $ZodType, keys))];
}

/** A flavor may spare its callers the loading of zod; what it then takes must be what its schema takes, and come out the same. */
async function shortcutProblems(flavor: SecretsManagerFlavor, schema: $ZodType, keys: readonly string[]): Promise<string[]> {
  if (flavor.checkPlainly === undefined) return [];
  const { safeParseAsync } = await import("zod/v4/core");
  const wrong: readonly unknown[] = ["text", 1, true, "", null, [], {}, undefined];
  const probes = [...wrong, { no_such_setting: "x" }, ...keys.flatMap((key) => wrong.map((value) => ({ [key]: value })))];
  const problems = new Set<string>();
  for (const probe of probes) {
    const plain = flavor.checkPlainly(probe);
    if (plain === undefined) continue;
    const { success, data } = await safeParseAsync(schema, probe);
    if (!success) problems.add(`The flavor "${flavor.name}" plainly takes settings that its schema refuses: ${inspect(probe)}.`);
    else if (!isDeepStrictEqual(plain, data))
      problems.add(`The flavor "${flavor.name}" plainly makes something else of ${inspect(probe)} than its schema.`);
  }
  return [...problems];
}

interface ShapedSchema {
  readonly _zod?: { readonly def: { readonly shape?: Readonly<Record<string, $ZodType>> } };
}

const NO = ["false", "0", "no", "off", "f", "n"];
const NOTHING = ["", " ", "\n"];

/** Probes every field with the texts that coercion gets wrong. What a field makes of its text decides, not how it is declared. */
export async function schemaProblems(schema: SecretSchema): Promise<string[]> {
  const problems: string[] = [];
  const { safeParseAsync } = await import("zod/v4/core");
  const shape = (schema.fields as ShapedSchema | undefined)?._zod?.def.shape ?? {};
  for (const key of schema.publicKeys ?? []) {
    if (!Object.hasOwn(shape, key)) problems.push(`The schema "${schema.type}" calls the key "${key}" public, and has no such key.`);
  }
  const required = new Set(
    schemaFields(schema)
      .filter((field) => field.required)
      .map((field) => field.key),
  );
  for (const [key, field] of Object.entries(shape)) {
    const where = `The key "${key}" of the schema "${schema.type}"`;
    for (const text of NO) {
      const { success, data } = await safeParseAsync(field, text);
      if (success && data === true) problems.push(`${where} takes ${JSON.stringify(text)} for true.`);
    }
    for (const text of NOTHING) {
      const { success, data } = await safeParseAsync(field, text);
      if (success && (typeof data === "number" || typeof data === "bigint" || typeof data === "boolean" || data instanceof Date)) {
        problems.push(`${where} takes ${JSON.stringify(text)} for ${data instanceof Date ? "a date" : String(data)}.`);
      }
    }
    const { success } = await safeParseAsync(field, undefined);
    if (success && required.has(key)) problems.push(`${where} is required, and takes a missing value for one.`);
  }
  return problems;
}
