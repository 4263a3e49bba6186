import { randomUUID } from "node:crypto";
import { printable, SecretsError } from "@coffer/core";
import { changeDefinitions, type Where } from "./change.ts";
import { assertStackName, checkComponent, looksSecret } from "./component-check.ts";
import { registryFor } from "./components.ts";
import { findStack, readConfiguration } from "./configuration.ts";
import { assertJson } from "./document.ts";
import { assertStackReachable } from "./locality.ts";
import {
  type Component,
  COMPONENT_TYPES,
  DEFAULT_COMPONENTS,
  DEFAULT_NAME,
  FILE_VERSION,
  isDefaultId,
  type StackDefinition,
  type StoredComponent,
  type StoredStack,
  typeInWords,
} from "./model.ts";
import { referencesIn } from "./references.ts";
import { isObject, type JsonObject } from "./source-file.ts";

/** A stack with its components as data: definitions only. */
export interface ExportedStack {
  readonly version: number;
  readonly stack: StoredStack;
  readonly components: readonly StoredComponent[];
}

/** What was exported, and what was left out. */
export interface StackExport {
  readonly exported: ExportedStack;
  /** Settings that look like secrets and stand there in clear text: they are not in the export. */
  readonly omitted: readonly { readonly component: string; readonly setting: string }[];
}

/** How to import a stack. */
export interface ImportOptions extends Where {
  /** Another name for the stack. */
  readonly name?: string | undefined;
  /** Other names for components, by their old ones. */
  readonly rename?: Readonly<Record<string, string>> | undefined;
}

/** What was imported. */
export interface StackImport {
  readonly stack: StackDefinition;
  /** The names of components that were there already, with the same id, flavor and settings. */
  readonly reused: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * A stack with its components as inert JSON. Secrets are never in it: references stay references, and a setting that is a secret itself is left out.
 * @throws SecretsError `not_found`
 */
export function exportStack(name: string, where: Where = {}): StackExport {
  const { secretsManager, orchestrator } = findStack(readConfiguration(where), name);
  const omitted: { component: string; setting: string }[] = [];
  const components = [secretsManager, orchestrator].flatMap((component) => {
    if (component === undefined) return [];
    const { file: _file, origin: _origin, settings, ...rest } = component;
    const shared = Object.entries(settings).filter(([setting, value]) => {
      const isSecret = looksSecret(setting) && referencesIn({ [setting]: value }).length === 0;
      if (isSecret) omitted.push({ component: component.name, setting });
      return !isSecret;
    });
    return [{ ...rest, settings: Object.fromEntries(shared) }];
  });
  const stack: StoredStack = {
    name,
    ...(secretsManager === undefined ? {} : { secrets_manager: secretsManager.name }),
    ...(orchestrator === undefined ? {} : { orchestrator: orchestrator.name }),
  };
  return { exported: { version: FILE_VERSION, stack, components }, omitted };
}

/**
 * Writes an exported stack and its components down, all or nothing. A component keeps its id, so that whoever imports it shares its secrets; one whose name is
 * taken by something else is refused.
 * @throws SecretsError `invalid_request` when it is no export, `already_exists` naming what is in the way, `unknown_flavor`, `invalid_settings`
 */
export async function importStack(data: unknown, options: ImportOptions = {}): Promise<StackImport> {
  const { stack: given, components } = await checkedExport(data);
  const origin = options.in ?? "user";
  const newName = (name: string): string =>
    options.rename !== undefined && Object.hasOwn(options.rename, name) ? (options.rename[name] ?? name) : name;
  const name = options.name ?? given.name;
  return changeDefinitions(origin, options, async (draft, configuration) => {
    const registry = registryFor(configuration, options);
    assertStackName(name, "stack");
    const reused: string[] = [];
    const warnings: string[] = [];
    const taken: string[] =
      draft.stack(name) === undefined && (origin === "project" || name !== DEFAULT_NAME) ? [] : [`stack "${printable(name)}"`];
    for (const component of components) {
      const renamed: StoredComponent = { ...component, name: newName(component.name) };
      const { type } = renamed;
      const present =
        draft.component(type, renamed.name) ?? DEFAULT_COMPONENTS.find((other) => other.type === type && other.name === renamed.name);
      if (present !== undefined) {
        if (isSame(present, renamed)) reused.push(renamed.name);
        else taken.push(`${typeInWords(type)} "${printable(renamed.name)}"`);
        continue;
      }
      // The same component under a second name would be one store under two names.
      if (isDefaultId(renamed.id) || draft.components.some(({ id }) => id === renamed.id)) renamed.id = randomUUID();
      warnings.push(...(await checkComponent(renamed, renamed.settings, registry, origin)));
      draft.components.push(renamed);
    }
    if (taken.length > 0)
      throw new SecretsError("already_exists", `There is already another ${taken.join(" and ")}. Nothing was imported.`, {
        hint: "Import under other names: --name=NAME for the stack, --rename=OLD:NEW for a component.",
      });
    const stack: StoredStack = { name };
    for (const type of COMPONENT_TYPES) if (given[type] !== undefined) stack[type] = newName(given[type]);
    draft.stacks.push(stack);
    const file = origin === "project" ? (configuration.project?.file ?? null) : configuration.configFile;
    const part = (type: Component["type"]): Component | undefined => {
      const found = [...draft.components, ...DEFAULT_COMPONENTS].find(
        (component) => component.type === type && component.name === stack[type],
      );
      return found === undefined ? undefined : { ...found, origin, file };
    };
    const [secretsManager, orchestrator] = [part("secrets_manager"), part("orchestrator")];
    const definition: StackDefinition = {
      name,
      ...(secretsManager === undefined ? {} : { secretsManager }),
      ...(orchestrator === undefined ? {} : { orchestrator }),
      origin,
      file,
    };
    await assertStackReachable(definition, registry);
    return { stack: definition, reused, warnings };
  });
}

async function checkedExport(data: unknown): Promise<ExportedStack> {
  const refuse = (reason: string, hint = "Export one with: coffer stack export NAME"): SecretsError =>
    new SecretsError("invalid_request", `This is no exported stack: ${reason}.`, { hint });
  if (!isObject(data)) throw refuse("expected an object");
  if (typeof data["version"] === "number" && data["version"] > FILE_VERSION)
    throw new SecretsError("unsupported", `This stack was exported by a newer Coffer (version ${data["version"]}).`, {
      hint: "Update Coffer.",
    });
  // Only what is known: what is imported becomes part of the user's configuration.
  const { exportSchema } = await import("./document-schema.ts");
  const result = exportSchema.safeParse(data);
  if (!result.success)
    throw refuse([...new Set(result.error.issues.map(({ path }) => path.map(String).join(".") || "the top"))].map(printable).join(", "));
  const { version, stack, components } = result.data as unknown as ExportedStack;
  for (const type of COMPONENT_TYPES) {
    const name = stack[type];
    if (name !== undefined && !components.some((component) => component.type === type && component.name === name))
      throw refuse(`its ${typeInWords(type)} "${printable(name)}" is not in it`);
  }
  for (const { settings } of components) assertJson(settings);
  return { version, stack, components };
}

function isSame(one: StoredComponent, other: StoredComponent): boolean {
  const form = ({ type, id, flavor, scope = "global", namespace, settings }: StoredComponent): string =>
    JSON.stringify([type, id.toLowerCase(), flavor, scope, namespace, sorted(settings)]);
  return form(one) === form(other);
}

function sorted(settings: JsonObject): unknown {
  return Object.entries(settings).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
