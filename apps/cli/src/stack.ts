import { SecretsError } from "@coffer/core";
import type { Call } from "./command.ts";
import type { Context } from "./context.ts";
import { visible } from "./output/visible.ts";

/** A component of a stack, as a session needs it. */
export interface ComponentDefinition {
  readonly name: string;
  readonly flavor: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface StackDefinition {
  readonly name: string;
  readonly secretsManager: ComponentDefinition;
}

// What exists without any file, so that the first command works.
const DEFAULT: StackDefinition = { name: "default", secretsManager: { name: "default", flavor: "local", settings: {} } };

/**
 * The stack that a command works on: the one that `--stack` or `COFFER_STACK` names, with the secrets manager that `--secrets-manager` names.
 * @throws SecretsError `not_found`
 */
export function stackOf(call: Call, context: Context): StackDefinition {
  const stack = call.options.value("stack") ?? (context.env["COFFER_STACK"] || DEFAULT.name);
  if (stack !== DEFAULT.name) throw unknown("stack", stack, DEFAULT.name);
  const manager = call.options.value("secrets-manager") ?? DEFAULT.secretsManager.name;
  if (manager !== DEFAULT.secretsManager.name) throw unknown("secrets manager", manager, DEFAULT.secretsManager.name);
  return DEFAULT;
}

function unknown(what: string, name: string, known: string): SecretsError {
  return new SecretsError("not_found", `There is no ${what} called "${visible(name)}".`, { hint: `There is: ${known}` });
}
