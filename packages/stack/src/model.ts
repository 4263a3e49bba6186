import type { SecretScope } from "@coffer/core";

/** The kinds of component that a stack can have, at most one of each. */
export const COMPONENT_TYPES = ["secrets_manager", "orchestrator"] as const;
export type ComponentType = (typeof COMPONENT_TYPES)[number];

/** Where a definition comes from: the project's `coffer.json`, the user's `config.json`, or Coffer itself. */
export type DefinitionOrigin = "project" | "user" | "default";

/** The settings of a component as they are written: JSON, secret references unresolved. */
export type ComponentSettings = Readonly<Record<string, unknown>>;

/** A component as it is defined. */
export interface Component {
  readonly type: ComponentType;
  readonly name: string;
  /** Stays over renames; a copy gets its own. */
  readonly id: string;
  readonly flavor: string;
  readonly settings: ComponentSettings;
  /** Of secrets managers; `global` when it is left out. */
  readonly scope?: SecretScope;
  readonly namespace?: string;
  readonly origin: DefinitionOrigin;
  /** The file that defines it; `null` for what exists without any. */
  readonly file: string | null;
}

/** A stack with its components found. */
export interface StackDefinition {
  readonly name: string;
  readonly secretsManager?: Component;
  readonly orchestrator?: Component;
  readonly origin: DefinitionOrigin;
  readonly file: string | null;
}

/** A component in a file. Fields that this version does not know are kept. */
export interface StoredComponent {
  type: ComponentType;
  name: string;
  id: string;
  flavor: string;
  scope?: SecretScope;
  namespace?: string;
  settings: ComponentSettings;
}

/** A stack in a file: names of components. */
export interface StoredStack {
  name: string;
  secrets_manager?: string;
  orchestrator?: string;
}

/** The version of the files that this Coffer reads and writes. */
export const FILE_VERSION = 1;

/** The name of the stack, and of its components, that exist without any file. */
export const DEFAULT_NAME = "default";

/**
 * The ids of the default components. Constants, so that a default component that somebody writes down (to change a setting) stays the same component,
 * with the same store.
 */
export const DEFAULT_COMPONENTS: readonly StoredComponent[] = [
  { type: "secrets_manager", name: DEFAULT_NAME, id: "00000000-0000-4000-8000-000000000001", flavor: "local", settings: {} },
  { type: "orchestrator", name: DEFAULT_NAME, id: "00000000-0000-4000-8000-000000000002", flavor: "local", settings: {} },
];

/** Whether this is the id of a default component. */
export function isDefaultId(id: string): boolean {
  return DEFAULT_COMPONENTS.some((component) => component.id === id);
}

/** The stack that exists without any file. */
export const DEFAULT_STACK: StoredStack = { name: DEFAULT_NAME, secrets_manager: DEFAULT_NAME, orchestrator: DEFAULT_NAME };

/** The form of names of components and stacks. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** The same in words. */
export const STACK_NAME_RULE = "1 to 64 of the characters A-Z a-z 0-9 . _ -, starting with a letter or digit";

/** How people and messages call a type of component: `secrets manager`. */
export function typeInWords(type: ComponentType): string {
  return type.replaceAll("_", " ");
}

/** How the command line calls a type of component: `secrets-manager`. */
export function commandOf(type: ComponentType): string {
  return type.replaceAll("_", "-");
}
