import { printable, SecretsError } from "@coffer/core";
import { changeDefinitions, changeState, recordOf, type Where } from "./change.ts";
import { assertStackName } from "./component-check.ts";
import { registryFor } from "./components.ts";
import {
  activeChoice,
  type Configuration,
  currentStack,
  findComponent,
  findStack,
  namesOf,
  outwardFrom,
  PRECEDENCE,
  readConfiguration,
  stackEntry,
} from "./configuration.ts";
import type { Draft } from "./document.ts";
import { assertStackReachable } from "./locality.ts";
import {
  type Component,
  type ComponentType,
  DEFAULT_NAME,
  DEFAULT_STACK,
  type DefinitionOrigin,
  type StackDefinition,
  type StoredStack,
  typeInWords,
} from "./model.ts";

/** The components of a stack, by name. In an update what is not named stays, and `undefined` takes a component out. */
export interface StackParts {
  readonly secretsManager?: string | undefined;
  readonly orchestrator?: string | undefined;
}

/** A stack in a list. */
export interface ListedStack extends StackDefinition {
  readonly active: boolean;
}

/** All stacks that can be used, and which one is active. */
export function listStacks(where: Where = {}): ListedStack[] {
  const configuration = readConfiguration(where);
  const active = activeChoice(configuration);
  return namesOf(configuration, "stacks").map((name) => {
    const stack = findStack(configuration, name);
    return { ...stack, active: name === active.stack && (stack.origin === "project") === (active.origin === "project") };
  });
}

/**
 * Writes a new stack down.
 * @throws SecretsError `already_exists`, `invalid_name`; `not_found` for a component; `invalid_settings` when a remote orchestrator could not reach one
 */
export async function registerStack(
  { name, ...parts }: StackParts & { readonly name: string },
  where: Where = {},
): Promise<StackDefinition> {
  const origin = where.in ?? "user";
  return changeDefinitions(origin, where, async (draft, configuration) => {
    assertStackName(name, "stack");
    assertFree(draft, name, origin);
    const stack: StoredStack = { name };
    setParts(stack, parts);
    draft.stacks.push(stack);
    return described(stack, origin, configuration, where);
  });
}

/**
 * Changes which components a stack has.
 * @throws SecretsError `not_found`, `invalid_settings` when a remote orchestrator could not reach one
 */
export async function updateStack(name: string, parts: StackParts, where: Where = {}): Promise<StackDefinition> {
  const origin = fileOf(name, where);
  return changeDefinitions(origin, where, async (draft, configuration) => {
    let stack = draft.stack(name);
    // The default stack is written down when it is changed.
    if (stack === undefined) draft.stacks.push((stack = { ...DEFAULT_STACK }));
    setParts(stack, parts);
    return described(stack, origin, configuration, where);
  });
}

/**
 * Takes components out of a stack.
 * @throws SecretsError `not_found`, also when the stack has none of that type
 */
export async function removeFromStack(name: string, types: readonly ComponentType[], where: Where = {}): Promise<StackDefinition> {
  const { value } = stackEntry(readConfiguration(where), name, originsIn(where));
  const absent = types.filter((type) => value[type] === undefined);
  if (absent.length > 0)
    throw new SecretsError(
      "not_found",
      `The stack "${printable(name)}" has no ${absent.map((type) => typeInWords(type)).join(" and no ")}.`,
      {
        hint: `coffer stack describe ${printable(name)}`,
      },
    );
  return updateStack(
    name,
    {
      ...(types.includes("secrets_manager") ? { secretsManager: undefined } : {}),
      ...(types.includes("orchestrator") ? { orchestrator: undefined } : {}),
    },
    where,
  );
}

/**
 * Gives a stack another name. Where it is active it stays so.
 * @throws SecretsError `not_found`, `already_exists`, `invalid_name`
 */
export async function renameStack(name: string, newName: string, where: Where = {}): Promise<StackDefinition> {
  const origin = fileOf(name, where);
  const renamed = await changeDefinitions(origin, where, (draft, configuration) => {
    const stack = draft.stack(name);
    if (stack === undefined || (origin === "user" && name === DEFAULT_NAME))
      throw builtIn("renamed", `coffer stack copy ${DEFAULT_NAME} ${newName}`);
    assertStackName(newName, "stack");
    assertFree(draft, newName, origin);
    stack.name = newName;
    return described(stack, origin, configuration, where);
  });
  // Killed just here, commands say that the active stack is gone, and which there are.
  const { project } = readConfiguration(where);
  await changeState(where, (draft) => {
    const records = draft.list<Record<string, unknown>>("projects").filter(({ path }) => origin === "user" || path === project?.folder);
    for (const record of [draft.document, ...records]) {
      const active = record["active"] as { stack: string; origin: DefinitionOrigin } | undefined;
      if (active?.stack === name && (active.origin === "project") === (origin === "project")) active.stack = newName;
    }
  });
  return renamed;
}

/**
 * Copies a stack under another name; both have the same components.
 * @throws SecretsError `not_found`, `already_exists`, `invalid_name`
 */
export async function copyStack(name: string, newName: string, where: Where = {}): Promise<StackDefinition> {
  const source = findStack(readConfiguration(where), name);
  const origin = where.in ?? (source.origin === "project" ? "project" : "user");
  return changeDefinitions(origin, where, (draft, configuration) => {
    assertStackName(newName, "stack");
    assertFree(draft, newName, origin);
    const { secretsManager, orchestrator } = source;
    const original = source.origin === origin ? draft.stack(name) : undefined;
    const stack: StoredStack = { ...original, name: newName };
    setParts(stack, { secretsManager: secretsManager?.name, orchestrator: orchestrator?.name });
    draft.stacks.push(stack);
    return described(stack, origin, configuration, where);
  });
}

/**
 * Removes a stack. Its components stay.
 * @throws SecretsError `not_found`; `unsupported` for the default one; `conflict` when it is active here
 */
export async function deleteStack(name: string, where: Where = {}): Promise<void> {
  const origin = fileOf(name, where);
  await changeDefinitions(origin, where, (draft, configuration) => {
    const stack = draft.stack(name);
    if (stack === undefined) throw builtIn("deleted", "It costs nothing, and the first command of everybody works with it.");
    const active = activeChoice(configuration);
    // Without the file's one the built-in one is there again.
    const staysThere = origin === "user" && name === DEFAULT_NAME;
    if (!staysThere && active.stack === name && (active.origin === "project") === (origin === "project"))
      throw new SecretsError("conflict", `The stack "${printable(name)}" is the active one and cannot be deleted.`, {
        retryable: false,
        hint: "First: coffer stack set OTHER",
      });
    draft.stacks.splice(draft.stacks.indexOf(stack), 1);
  });
}

/**
 * Makes a stack the active one: in the project around the directory, trusted or not, or else everywhere. This is the user's state; no file of the project
 * changes.
 * @throws SecretsError `not_found`, `invalid_settings` when a remote orchestrator could not reach a component
 */
export async function setActiveStack(name: string, where: Where = {}): Promise<StackDefinition> {
  const configuration = readConfiguration(where);
  const stack = findStack(configuration, name, originsIn(where));
  await assertStackReachable(stack, registryFor(configuration, where));
  const { project } = configuration;
  await changeState(where, (draft) => {
    const record = project === undefined ? draft.document : recordOf(draft, project.folder);
    record["active"] = { stack: name, origin: stack.origin };
  });
  return stack;
}

/** The stack of this name, or the active one; nothing of it is opened. */
export function describeStack(name?: string, where: Where = {}): StackDefinition {
  return currentStack(readConfiguration(where), name);
}

function originsIn(where: Where): readonly DefinitionOrigin[] {
  return where.in === undefined ? PRECEDENCE : [where.in, "default"];
}

/** The file that a stack is changed in. */
function fileOf(name: string, where: Where): "user" | "project" {
  const { origin } = stackEntry(readConfiguration(where), name, originsIn(where));
  return where.in ?? (origin === "project" ? "project" : "user");
}

function setParts(stack: StoredStack, parts: StackParts): void {
  const set = (type: ComponentType, given: boolean, name: string | undefined): void => {
    if (!given) return;
    if (name === undefined) delete stack[type];
    else stack[type] = name;
  };
  set("secrets_manager", "secretsManager" in parts, parts.secretsManager);
  set("orchestrator", "orchestrator" in parts, parts.orchestrator);
}

/** The stack as it will be, with its components found and the rule of local and remote kept. */
async function described(
  stack: StoredStack,
  origin: "user" | "project",
  configuration: Configuration,
  where: Where,
): Promise<StackDefinition> {
  const part = (type: ComponentType): Component | undefined => {
    const component = stack[type];
    return component === undefined ? undefined : findComponent(configuration, type, component, outwardFrom(origin));
  };
  const secretsManager = part("secrets_manager");
  const orchestrator = part("orchestrator");
  const definition: StackDefinition = {
    name: stack.name,
    ...(secretsManager === undefined ? {} : { secretsManager }),
    ...(orchestrator === undefined ? {} : { orchestrator }),
    origin,
    file: origin === "project" ? (configuration.project?.file ?? null) : configuration.configFile,
  };
  await assertStackReachable(definition, registryFor(configuration, where));
  return definition;
}

function assertFree(draft: Draft, name: string, origin: "user" | "project"): void {
  // A project may have a default stack of its own: whoever trusts the project works with it there.
  if (draft.stack(name) === undefined && (origin === "project" || name !== DEFAULT_NAME)) return;
  throw new SecretsError("already_exists", `There is already a stack called "${printable(name)}".`, {
    hint: `Choose another name, or change that one: coffer stack update ${printable(name)}`,
  });
}

function builtIn(what: string, hint: string): SecretsError {
  return new SecretsError("unsupported", `The stack "${DEFAULT_NAME}" is built in and cannot be ${what}.`, { hint });
}
