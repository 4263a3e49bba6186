import { randomUUID } from "node:crypto";
import { globalRegistry, printable, type Registry, SecretsError, type SecretScope } from "@coffer/core";
import { changeDefinitions, type Where } from "./change.ts";
import { assertStackName, checkComponent, MANAGER_ATTRIBUTES } from "./component-check.ts";
import { type Configuration, entriesOf, findComponent, findStack, namesOf, PRECEDENCE, readConfiguration } from "./configuration.ts";
import { byTypeAndName, type Draft, plainJson } from "./document.ts";
import { flavorOf } from "./flavors.ts";
import { assertStackReachable } from "./locality.ts";
import {
  type Component,
  type ComponentSettings,
  type ComponentType,
  commandOf,
  COMPONENT_TYPES,
  isDefaultId,
  type StoredComponent,
  typeInWords,
} from "./model.ts";
import { ModuleRegistry, modulesOf } from "./modules.ts";

/** A component to register. */
export interface NewComponent {
  readonly type: ComponentType;
  readonly name: string;
  /** The name of a flavor, or an alias of it. */
  readonly flavor: string;
  readonly settings?: ComponentSettings | undefined;
  /** Of secrets managers; `global` by default. */
  readonly scope?: SecretScope | undefined;
  readonly namespace?: string | undefined;
}

/** What to change in a component. What is not named stays; `undefined` removes. */
export interface ComponentUpdate {
  readonly settings?: ComponentSettings | undefined;
  readonly scope?: SecretScope | undefined;
  readonly namespace?: string | undefined;
}

/** What was written, and what deserves a word. */
export interface ComponentChange {
  readonly component: Component;
  readonly warnings: readonly string[];
}

/** All components that can be used, those of the project before those of the user where both have one of a name. */
export function listComponents(type?: ComponentType, where: Where = {}): Component[] {
  const configuration = readConfiguration(where);
  return COMPONENT_TYPES.filter((one) => type === undefined || one === type)
    .flatMap((one) => namesOf(configuration, "components", one).map((name) => findComponent(configuration, one, name)))
    .toSorted(byTypeAndName);
}

/**
 * Writes a new component down. Its settings are checked by the schema of its flavor.
 * @throws SecretsError `already_exists`, `invalid_name`, `invalid_settings`, `unknown_flavor`
 */
export async function registerComponent(input: NewComponent, where: Where = {}): Promise<ComponentChange> {
  const origin = where.in ?? "user";
  return changeDefinitions(origin, where, async (draft, configuration) => {
    const registry = registryFor(configuration, where);
    const { type, name, settings = {}, namespace } = input;
    assertFree(configuration, draft, type, name);
    const flavor = await flavorOf(registry, type, input.flavor);
    const component: StoredComponent = {
      type,
      name,
      id: randomUUID(),
      flavor: flavor.name,
      // Written down, so that a later default changes nothing for what is there.
      ...(type === "secrets_manager" ? { scope: input.scope ?? "global" } : input.scope === undefined ? {} : { scope: input.scope }),
      ...(namespace === undefined ? {} : { namespace }),
      settings: { ...settings },
    };
    const warnings = await checkComponent(component, settings, registry, origin);
    draft.components.push(component);
    return { component: shown(component, origin, configuration), warnings };
  });
}

/**
 * Changes attributes of a component; those that are not named stay. Its name, id and flavor cannot be changed.
 * @throws SecretsError `not_found`, `invalid_settings`
 */
export async function updateComponent(
  type: ComponentType,
  name: string,
  update: ComponentUpdate,
  where: Where = {},
): Promise<ComponentChange> {
  return changeComponent(type, name, where, (component) => {
    const entries = Object.entries(update.settings ?? {});
    const removed = new Set(entries.filter(([, value]) => value === undefined).map(([key]) => key));
    const kept = Object.entries(component.settings).filter(([key]) => !removed.has(key));
    component.settings = Object.fromEntries([...kept, ...entries.filter(([, value]) => value !== undefined)]);
    for (const attribute of MANAGER_ATTRIBUTES) {
      if (!(attribute in update)) continue;
      const value = update[attribute];
      if (value === undefined) delete component[attribute];
      else Object.assign(component, { [attribute]: value });
    }
  });
}

/**
 * Removes attributes of a component.
 * @throws SecretsError `not_found`; `invalid_settings` when it does not have one of them, or cannot be without
 */
export async function removeAttributes(
  type: ComponentType,
  name: string,
  attributes: readonly string[],
  where: Where = {},
): Promise<ComponentChange> {
  return changeComponent(type, name, where, (component) => {
    const own = [...Object.keys(component.settings), ...MANAGER_ATTRIBUTES.filter((attribute) => component[attribute] !== undefined)];
    const absent = attributes.filter((attribute) => !own.includes(attribute));
    if (absent.length > 0)
      throw new SecretsError(
        "invalid_settings",
        `The ${typeInWords(type)} "${printable(name)}" has no ${absent.map(printable).join(", ")}.`,
        {
          keys: absent,
          hint: `It has: ${own.length === 0 ? "no attributes" : own.map(printable).join(", ")}. Its name and flavor cannot be removed.`,
        },
      );
    component.settings = Object.fromEntries(Object.entries(component.settings).filter(([key]) => !attributes.includes(key)));
    for (const attribute of MANAGER_ATTRIBUTES) if (attributes.includes(attribute)) delete component[attribute];
  });
}

/**
 * Gives a component another name, also in the stacks of its file. Its id stays, and with it its secrets.
 * @throws SecretsError `not_found`, `already_exists`, `invalid_name`, `conflict` when a stack of another file uses it
 */
export async function renameComponent(type: ComponentType, name: string, newName: string, where: Where = {}): Promise<Component> {
  const origin = fileOf(type, name, where);
  return changeDefinitions(origin, where, (draft, configuration) => {
    const component = draft.component(type, name);
    // Also one that was written down: the built-in one would be there again, and two names would be one store.
    if (component === undefined || isDefaultId(component.id))
      throw builtIn(type, name, "renamed", `coffer ${commandOf(type)} copy ${name} ${newName}`);
    assertStackName(newName, typeInWords(type));
    assertFree(configuration, draft, type, newName);
    const foreign = usersOf(configuration, type, name, origin).filter((stack) => stack.origin !== origin);
    if (foreign.length > 0) throw inUse(type, name, foreign, "renamed");
    component.name = newName;
    for (const stack of draft.stacks) if (stack[type] === name) stack[type] = newName;
    return shown(component, origin, configuration);
  });
}

/**
 * Copies a component under another name, with an id of its own: secrets of the scope `component`, and a local store, are not shared with the copy.
 * @throws SecretsError `not_found`, `already_exists`, `invalid_name`
 */
export async function copyComponent(type: ComponentType, name: string, newName: string, where: Where = {}): Promise<Component> {
  const source = findComponent(readConfiguration(where), type, name);
  const origin = where.in ?? (source.origin === "project" ? "project" : "user");
  return changeDefinitions(origin, where, (draft, configuration) => {
    assertStackName(newName, typeInWords(type));
    assertFree(configuration, draft, type, newName);
    // From the draft where it is there: with the fields that this version does not know.
    const { file: _file, origin: _origin, ...plain } = findComponent(configuration, type, name);
    const original: StoredComponent = source.origin === origin ? (draft.component(type, name) ?? plain) : plain;
    const component: StoredComponent = { ...original, name: newName, id: randomUUID(), settings: { ...original.settings } };
    draft.components.push(component);
    return shown(component, origin, configuration);
  });
}

/**
 * Removes a component. Its secrets stay where they are.
 * @throws SecretsError `not_found`, `conflict` naming the stacks that use it
 */
export async function deleteComponent(type: ComponentType, name: string, where: Where = {}): Promise<void> {
  const origin = fileOf(type, name, where);
  await changeDefinitions(origin, where, (draft, configuration) => {
    const component = draft.component(type, name);
    if (component === undefined)
      throw builtIn(type, name, "deleted", "It costs nothing, and the first command of everybody works with it.");
    const users = usersOf(configuration, type, name, origin);
    if (users.length > 0) throw inUse(type, name, users, "deleted");
    draft.components.splice(draft.components.indexOf(component), 1);
  });
}

/** The registry of an operation, with what trusted modules bring. */
export function registryFor(configuration: Configuration, { registry = globalRegistry() }: Where): Registry {
  return new ModuleRegistry(registry, modulesOf(configuration));
}

async function changeComponent(
  type: ComponentType,
  name: string,
  where: Where,
  change: (component: StoredComponent) => void,
): Promise<ComponentChange> {
  const origin = fileOf(type, name, where);
  return changeDefinitions(origin, where, async (draft, configuration) => {
    const registry = registryFor(configuration, where);
    let component = draft.component(type, name);
    if (component === undefined) {
      // The default component is written down with its id: it stays the same one.
      const { file: _file, origin: _origin, ...plain } = findComponent(configuration, type, name, ["default"]);
      component = { ...plain, settings: { ...plain.settings } };
      draft.components.push(component);
    }
    change(component);
    const warnings = await checkComponent(component, plainJson(component.settings), registry, origin);
    const changed = shown(component, origin, configuration);
    for (const user of usersOf(configuration, type, name, origin)) {
      const stack = findStack(configuration, user.name, [user.origin]);
      await assertStackReachable(
        type === "orchestrator" ? { ...stack, orchestrator: changed } : { ...stack, secretsManager: changed },
        registry,
      );
    }
    return { component: changed, warnings };
  });
}

/** The file that a component is changed in. */
function fileOf(type: ComponentType, name: string, where: Where): "user" | "project" {
  const configuration = readConfiguration(where);
  const { origin } = findComponent(configuration, type, name, where.in === undefined ? PRECEDENCE : [where.in, "default"]);
  return where.in ?? (origin === "project" ? "project" : "user");
}

interface StackUser {
  readonly name: string;
  readonly origin: "user" | "project";
}

/** The stacks that use the component of this file: those of the file, and those that look outward and find it there. */
function usersOf(configuration: Configuration, type: ComponentType, name: string, origin: "user" | "project"): StackUser[] {
  const inFile = (from: "user" | "project"): StackUser[] =>
    entriesOf(configuration, from, "stacks")
      .filter(({ value }) => value[type] === name)
      .map(({ value }) => ({ name: String(value["name"]), origin: from }));
  if (origin === "project") return inFile("project");
  const hidden = entriesOf(configuration, "project", "components").some(({ value }) => value["type"] === type && value["name"] === name);
  return [...inFile("user"), ...(hidden ? [] : inFile("project"))];
}

function inUse(type: ComponentType, name: string, users: readonly StackUser[], what: string): SecretsError {
  const stacks = users.map((user) => `"${printable(user.name)}"${user.origin === "project" ? " of the project" : ""}`).join(", ");
  return new SecretsError(
    "conflict",
    `The ${typeInWords(type)} "${printable(name)}" is used by the stack${users.length === 1 ? "" : "s"} ${stacks} and cannot be ${what}.`,
    {
      retryable: false,
      hint: `First: coffer stack update ${printable(users[0]?.name ?? "")} --${commandOf(type)}=OTHER, or remove-component`,
    },
  );
}

function builtIn(type: ComponentType, name: string, what: string, hint: string): SecretsError {
  return new SecretsError("unsupported", `The default ${typeInWords(type)} "${printable(name)}" is built in and cannot be ${what}.`, {
    hint,
  });
}

function assertFree(configuration: Configuration, draft: Draft, type: ComponentType, name: string): void {
  const isBuiltIn = entriesOf(configuration, "default", "components").some(({ value }) => value["type"] === type && value["name"] === name);
  if (draft.component(type, name) === undefined && !isBuiltIn) return;
  throw new SecretsError("already_exists", `There is already a ${typeInWords(type)} called "${printable(name)}".`, {
    hint: `Choose another name, or change that one: coffer ${commandOf(type)} update ${printable(name)}`,
  });
}

function shown(component: StoredComponent, origin: "user" | "project", configuration: Configuration): Component {
  const { type, name, id, flavor, scope, namespace } = component;
  return {
    type,
    name,
    id,
    flavor,
    settings: plainJson(component.settings),
    ...(scope === undefined ? {} : { scope }),
    ...(namespace === undefined ? {} : { namespace }),
    origin,
    file: origin === "project" ? (configuration.project?.file ?? null) : configuration.configFile,
  };
}
