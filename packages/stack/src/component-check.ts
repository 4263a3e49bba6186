import {
  checkSettings,
  printable,
  type Registry,
  type SchemaField,
  schemaFields,
  type TextConverter,
  textConverters,
  scopePrefix,
  SecretsError,
} from "@coffer/core";
import type { $ZodObject } from "zod/v4/core";
import { assertJson } from "./document.ts";
import { flavorOf, type OpenableFlavor } from "./flavors.ts";
import { type ComponentType, commandOf, NAME_PATTERN, STACK_NAME_RULE, type StoredComponent, typeInWords } from "./model.ts";
import { brokenReferencesIn, referencesIn } from "./references.ts";
import type { JsonObject } from "./source-file.ts";

/** The attributes of every secrets manager; all others are settings of its flavor. */
export const MANAGER_ATTRIBUTES = ["scope", "namespace"] as const;

/**
 * Checks a component as a whole before it is written: its name, its settings by the schema of its flavor, its scope.
 * @returns what is allowed and deserves a word, for people
 * @throws SecretsError `invalid_name`, `invalid_settings` with everything that is wrong and what is allowed, `unknown_flavor`
 */
export async function checkComponent(
  component: StoredComponent,
  settings: JsonObject,
  registry: Registry,
  origin: "user" | "project",
): Promise<string[]> {
  const { type, name } = component;
  assertStackName(name, typeInWords(type));
  assertJson(settings);
  const flavor = await flavorOf(registry, type, component.flavor);
  const warnings = type === "secrets_manager" ? checkManager(component, settings) : [];
  await assertSettings(type, flavor, settings, component);
  const plain = Object.entries(settings).filter(
    ([key, value]) => looksSecret(key) && typeof value === "string" && referencesIn({ key: value }).length === 0,
  );
  if (plain.length > 0)
    warnings.push(
      ...plainSecrets(
        plain.map(([key]) => printable(key)),
        type,
        origin,
      ),
    );
  for (const setting of brokenReferencesIn(settings))
    warnings.push(`The setting ${printable(setting)} is taken as text: a reference is the whole text, {{secret.key}} or {{secret#key}}.`);
  return warnings;
}

/** @throws SecretsError `invalid_name` */
export function assertStackName(name: string, what: string): void {
  if (NAME_PATTERN.test(name)) return;
  throw new SecretsError("invalid_name", `"${printable(name.slice(0, 80))}" cannot be the name of a ${what}.`, {
    hint: `A name is ${STACK_NAME_RULE}.`,
  });
}

/** The settings of a flavor, as a prompt or a help page needs them. */
export async function settingFields(flavor: OpenableFlavor): Promise<SchemaField[]> {
  return fieldsOf(flavor, await settingsObject(flavor));
}

/**
 * Attributes as they come from a command line, all text: numbers, booleans, choices, and as JSON lists and maps, as the schema of the flavor wants them. Text that
 * does not fit stays text, and the schema refuses it.
 */
export async function settingsFromText(flavor: OpenableFlavor, texts: Readonly<Record<string, string>>): Promise<Record<string, unknown>> {
  const fields = await settingsObject(flavor);
  const converters = fields === undefined ? new Map<string, TextConverter>() : textConverters(fields);
  const types = new Map(fieldsOf(flavor, fields).map(({ key, type }) => [key, type]));
  const convert = (key: string, text: string): unknown => {
    const converter = converters.get(key);
    if (converter !== undefined) return converter(text);
    return STRUCTURES.has(types.get(key) ?? "") ? (jsonOf(text) ?? text) : text;
  };
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, convert(key, text)]));
}

function fieldsOf({ name }: OpenableFlavor, fields: $ZodObject | undefined): SchemaField[] {
  return fields === undefined ? [] : schemaFields({ type: name, fields });
}

const STRUCTURES: ReadonlySet<string> = new Set(["record", "object", "array"]);

/** The settings as one object; `undefined` for settings that are no object (a union of several): they have no list of fields. */
async function settingsObject({ settings }: OpenableFlavor): Promise<$ZodObject | undefined> {
  const schema = typeof settings === "function" ? await settings() : settings;
  const isObject = "_zod" in schema && "def" in schema._zod && schema._zod.def.type === "object";
  return isObject ? (schema as unknown as $ZodObject) : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function checkManager({ id, scope = "global", namespace, name }: StoredComponent, settings: JsonObject): string[] {
  const referring = referencesIn(settings).map(({ setting }) => setting);
  if (referring.length > 0)
    throw new SecretsError(
      "invalid_settings",
      `The secrets manager "${printable(name)}" cannot refer to secrets in its own settings: ${referring.map(printable).join(", ")}.`,
      { keys: referring, hint: "Only other components can: the secrets manager is what the secrets come from." },
    );
  // Throws where scope and what it needs do not fit.
  scopePrefix({ scope, namespace, componentId: id });
  if (namespace !== undefined) scopePrefix({ scope: "namespace", namespace });
  if (scope !== "none") return [];
  return [
    `The scope none shares all names with every other user of the service, and writes there without a prefix. Unless you need that: --scope=global`,
  ];
}

async function assertSettings(
  type: ComponentType,
  flavor: OpenableFlavor,
  settings: JsonObject,
  component: StoredComponent,
): Promise<void> {
  const referring = new Set(type === "secrets_manager" ? [] : referencesIn(settings).map(({ setting }) => setting.split(/[.[]/)[0] ?? ""));
  const { problems = [] } = await checkSettings(flavor, settings);
  // What a reference stands for is checked when it is known.
  const real = problems.filter(({ keys, unknown }) => unknown || !keys.some((key) => referring.has(key)));
  const misplaced = type === "secrets_manager" ? [] : MANAGER_ATTRIBUTES.filter((key) => component[key] !== undefined);
  if (real.length === 0 && misplaced.length === 0) return;
  const texts = [...real.map(({ text }) => text), ...misplaced.map((key) => `${key}: only a secrets manager has that`)];
  const allowed = [
    ...(await settingFields(flavor)).filter(({ type: kind }) => kind !== "custom").map(({ key }) => key),
    ...(type === "secrets_manager" ? MANAGER_ATTRIBUTES : []),
  ];
  throw new SecretsError(
    "invalid_settings",
    `The settings of the ${typeInWords(type)} "${printable(component.name)}" (flavor ${flavor.name}) are not valid: ${texts.join("; ")}.`,
    {
      flavor: flavor.name,
      keys: [...real.flatMap(({ keys }) => keys), ...misplaced],
      hint: `Allowed: ${allowed.length === 0 ? "none" : allowed.join(", ")}. \`coffer ${commandOf(type)} flavor describe ${flavor.name}\` describes them.`,
    },
  );
}

const SECRET_WORD =
  /(?:^|_)(?:token|password|passphrase|passwd|secret|secret_id|api_?key|access_key|secret_key|private_key|credentials?|connection_string)$/;

/** Whether the value of a setting with this name is likely a secret itself. */
export function looksSecret(setting: string): boolean {
  return SECRET_WORD.test(setting.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase());
}

function plainSecrets(settings: readonly string[], type: ComponentType, origin: "user" | "project"): string[] {
  const names = settings.join(", ");
  const way =
    type === "secrets_manager"
      ? "Let the flavor take it from its environment variable or credentials file."
      : "Refer to a secret: {{secret.key}}";
  if (origin === "project")
    throw new SecretsError("invalid_settings", `A project's file is meant to be shared, and these settings look like secrets: ${names}.`, {
      keys: settings,
      hint: way,
    });
  return [`These settings look like secrets and are stored in clear text: ${names}. ${way}`];
}
