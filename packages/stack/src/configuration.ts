import { join } from "node:path";
import { printable, SecretsError, type SecretScope, suggest } from "@coffer/core";
import { configDirectory, type Environment, stateDirectory } from "./directories.ts";
import {
  type Component,
  commandOf,
  type ComponentType,
  DEFAULT_COMPONENTS,
  DEFAULT_NAME,
  DEFAULT_STACK,
  type DefinitionOrigin,
  NAME_PATTERN,
  type StackDefinition,
  typeInWords,
} from "./model.ts";
import { findProjectFolder, type Project, projectRecord, readProject } from "./project.ts";
import { assertOwn, isObject, type JsonObject, misshapen, parseFile, readBytes } from "./source-file.ts";

/**
 * Where to look for definitions: the directory that a project is looked for from, and the environment. Those of the process by default. What is opened is no
 * part of that: flavors read the environment of the process.
 */
export interface Surroundings {
  readonly cwd?: string | undefined;
  readonly env?: Environment | undefined;
}

/** What is on the disk: the user's definitions and state, and the project, when there is one. */
export interface Configuration {
  readonly env: Environment;
  readonly configFile: string;
  readonly stateFile: string;
  /** The user's file; `undefined` when there is none. */
  readonly user: JsonObject | undefined;
  readonly state: JsonObject | undefined;
  readonly project: Project | undefined;
}

/**
 * Reads the user's configuration and state and the project's file. Runs nothing, loads nothing, and looks only at what is needed to find things; `validate`
 * checks everything.
 * @throws SecretsError `corrupt`, `unsupported`, `permission_denied`
 */
export function readConfiguration({ cwd, env = process.env }: Surroundings = {}): Configuration {
  const configFile = join(configDirectory(env), "config.json");
  const stateFile = join(stateDirectory(env), "state.json");
  const user = readOwn(configFile);
  const state = readOwn(stateFile);
  const folder = findProjectFolder(cwd, env);
  const project = folder === undefined ? undefined : readProject(folder, projectRecord(state, folder, stateFile)?.["trusted"]);
  return { env, configFile, stateFile, user, state, project };
}

/** The project that is there and does not count, in a line for people; `undefined` when there is none. */
export function ignoredProject({ project }: Configuration): string | undefined {
  if (project === undefined || project.status === "trusted") return undefined;
  const why = project.status === "new" ? "is not trusted" : "has changed since it was trusted";
  return `${printable(project.file)} ${why} and is ignored. Look at it, then: coffer trust`;
}

/** The stack that `--stack` or COFFER_STACK names, or the active one. */
export function currentStack(configuration: Configuration, name?: string): StackDefinition {
  const explicit = name ?? (configuration.env["COFFER_STACK"] || undefined);
  if (explicit !== undefined) return findStack(configuration, explicit);
  const { stack, origin } = activeChoice(configuration);
  if (origin === "project") {
    const { project } = configuration;
    if (project !== undefined && project.status !== "trusted")
      // Falling back to another stack would write secrets to where nobody expects them.
      throw new SecretsError(
        "untrusted",
        `The active stack "${printable(stack)}" comes from ${printable(project.file)}, which has changed since it was trusted.`,
        {
          hint: "Look at the file, then: coffer trust. Or name another stack: --stack=NAME",
        },
      );
    return findStack(configuration, stack, ["project"]);
  }
  return findStack(configuration, stack, ["user", "default"]);
}

/** The user's choice of the active stack, for the project or for everywhere else. */
export function activeChoice({ state, stateFile, project }: Configuration): { readonly stack: string; readonly origin: DefinitionOrigin } {
  const own = project === undefined ? undefined : projectRecord(state, project.folder, stateFile)?.["active"];
  const choice = own ?? state?.["active"];
  if (choice === undefined) return { stack: DEFAULT_NAME, origin: "default" };
  if (!isObject(choice) || typeof choice["stack"] !== "string" || !isOrigin(choice["origin"]))
    throw misshapen(stateFile, "active: expected a stack and its origin");
  return { stack: choice["stack"], origin: choice["origin"] };
}

/** Definitions are looked up from the project outward. */
export const PRECEDENCE: readonly DefinitionOrigin[] = ["project", "user", "default"];

/** Where the components of a stack are looked up: its own file first. The default components can be changed by the user, and by no project. */
export function outwardFrom(origin: DefinitionOrigin): readonly DefinitionOrigin[] {
  return origin === "project" ? PRECEDENCE : ["user", "default"];
}

/**
 * The stack of this name, with its components. They are looked up from the file of the stack outward, so that a project cannot redirect a stack of the user.
 * @throws SecretsError `not_found`, `corrupt`
 */
export function findStack(configuration: Configuration, name: string, origins: readonly DefinitionOrigin[] = PRECEDENCE): StackDefinition {
  const { origin, value, file, place } = stackEntry(configuration, name, origins);
  const part = (type: ComponentType): Component | undefined => {
    const component = value[type];
    if (component === undefined) return undefined;
    if (typeof component !== "string") throw misshapen(file ?? "", `${place}.${type}: expected the name of a ${typeInWords(type)}`);
    try {
      return findComponent(configuration, type, component, outwardFrom(origin));
    } catch (error) {
      if (!SecretsError.isInstance(error) || error.code !== "not_found") throw error;
      throw new SecretsError(
        "not_found",
        `The stack "${printable(name)}" has a ${typeInWords(type)} "${printable(component)}" that is not defined.`,
        {
          hint: `${error.hint ?? ""} Choose one: coffer stack update ${printable(name)} --${commandOf(type)}=NAME`,
        },
      );
    }
  };
  const secretsManager = part("secrets_manager");
  const orchestrator = part("orchestrator");
  return {
    name,
    ...(secretsManager === undefined ? {} : { secretsManager }),
    ...(orchestrator === undefined ? {} : { orchestrator }),
    origin,
    file,
  };
}

/**
 * The stack of this name as it is written, whether or not its components can be found.
 * @throws SecretsError `not_found`, `corrupt`
 */
export function stackEntry(
  configuration: Configuration,
  name: string,
  origins: readonly DefinitionOrigin[] = PRECEDENCE,
): Entry & { readonly origin: DefinitionOrigin } {
  for (const origin of origins) {
    const [entry, twin] = entriesOf(configuration, origin, "stacks").filter(({ value }) => value["name"] === name);
    if (twin !== undefined) throw misshapen(twin.file ?? "", `${twin.place}.name: there are two stacks called "${printable(name)}"`);
    if (entry !== undefined) return { ...entry, origin };
  }
  throw unknownName(configuration, "stack", name, namesOf(configuration, "stacks"));
}

/**
 * The component of this type and name.
 * @throws SecretsError `not_found`, `corrupt`
 */
export function findComponent(
  configuration: Configuration,
  type: ComponentType,
  name: string,
  origins: readonly DefinitionOrigin[] = PRECEDENCE,
): Component {
  for (const origin of origins) {
    const entries = entriesOf(configuration, origin, "components").filter(({ value }) => value["type"] === type && value["name"] === name);
    const [entry, twin] = entries;
    if (twin !== undefined)
      throw misshapen(twin.file ?? "", `${twin.place}.name: there are two of type ${type} called "${printable(name)}"`);
    if (entry !== undefined) return componentOf(entry, origin);
  }
  throw unknownName(configuration, typeInWords(type), name, namesOf(configuration, "components", type));
}

/** One component or stack in a file, as it was read. */
export interface Entry {
  readonly value: JsonObject;
  readonly file: string | null;
  /** `components[2]` */
  readonly place: string;
}

/** The components or stacks of one file. */
export function entriesOf(configuration: Configuration, origin: DefinitionOrigin, list: "components" | "stacks"): Entry[] {
  if (origin === "default") {
    const defaults = list === "stacks" ? [DEFAULT_STACK] : DEFAULT_COMPONENTS;
    return defaults.map((value, index) => ({ value: { ...value }, file: null, place: `${list}[${index}]` }));
  }
  const { project, user, configFile } = configuration;
  const [document, file] = origin === "project" ? [project?.document, project?.file ?? ""] : [user, configFile];
  const values = document?.[list] ?? [];
  if (!Array.isArray(values)) throw misshapen(file, `${list}: expected a list`);
  return values.map((value: unknown, index) => {
    const place = `${list}[${index}]`;
    if (!isObject(value)) throw misshapen(file, `${place}: expected an object`);
    return { value, file, place };
  });
}

/** The names of stacks or components that can be used, each once. */
export function namesOf(configuration: Configuration, list: "components" | "stacks", type?: ComponentType): string[] {
  const names = PRECEDENCE.flatMap((origin) => entriesOf(configuration, origin, list))
    .filter(({ value }) => type === undefined || value["type"] === type)
    .map(({ value }) => value["name"]);
  return [...new Set(names.filter((name) => typeof name === "string"))].toSorted();
}

/** The names of all stacks that can be used. */
export function stackNames(configuration: Configuration): string[] {
  return namesOf(configuration, "stacks");
}

/** The names of all components of a type that can be used. */
export function componentNames(configuration: Configuration, type: ComponentType): string[] {
  return namesOf(configuration, "components", type);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const FLAVOR = /^[a-z][a-z0-9_]*$/;
const SCOPES: ReadonlySet<unknown> = new Set<SecretScope>(["none", "global", "namespace", "component"]);

/** The checks of `document-schema.ts` for the one component that is used, without zod: a test holds the two against each other. */
function componentOf({ value, file, place }: Entry, origin: DefinitionOrigin): Component {
  const { type, name, id, flavor, settings = {}, scope, namespace } = value;
  const demand = (holds: boolean, field: string, expected: string): void => {
    if (!holds) throw misshapen(file ?? "", `${place}.${field}: expected ${expected}`);
  };
  demand(typeof name === "string" && NAME_PATTERN.test(name), "name", "a name");
  demand(typeof id === "string" && UUID.test(id), "id", "a UUID");
  demand(typeof flavor === "string" && FLAVOR.test(flavor), "flavor", "the name of a flavor");
  demand(isObject(settings), "settings", "an object");
  demand(scope === undefined || SCOPES.has(scope), "scope", "none, global, namespace or component");
  demand(namespace === undefined || typeof namespace === "string", "namespace", "text");
  // Each field was looked at above.
  const checked = { type, name, id, flavor, settings } as Pick<Component, "type" | "name" | "id" | "flavor" | "settings">;
  return {
    ...checked,
    ...(scope === undefined ? {} : { scope: scope as SecretScope }),
    ...(namespace === undefined ? {} : { namespace: namespace as string }),
    origin,
    file,
  };
}

function unknownName(configuration: Configuration, what: string, name: string, known: readonly string[]): SecretsError {
  const near = suggest(name, known)[0];
  const ignored = ignoredProject(configuration);
  const hint = [
    near === undefined ? "" : `Did you mean ${printable(near)}?`,
    `There is: ${known.map(printable).join(", ")}.`,
    ignored === undefined ? "" : `${ignored}.`,
  ];
  return new SecretsError("not_found", `There is no ${what} called "${printable(name.slice(0, 80))}".`, {
    hint: hint.filter((part) => part !== "").join(" "),
  });
}

function readOwn(path: string): JsonObject | undefined {
  const bytes = readBytes(path, { follow: true, check: (stats) => assertOwn(path, stats) });
  return bytes === undefined ? undefined : parseFile(path, bytes);
}

function isOrigin(value: unknown): value is DefinitionOrigin {
  return value === "project" || value === "user" || value === "default";
}
