import { printable, SecretsError } from "@coffer/core";
import { type Component, currentStack, findComponent } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { configurationOf } from "../../stack.ts";
import { typeOf } from "../where.ts";
import { WORDS } from "./shown.ts";

/**
 * The component that a command is about: the one that it names, or that of the active stack.
 * @throws SecretsError `not_found`; `no_secrets_manager` or `invalid_settings` when the stack has none
 */
export function componentOf(call: Call, context: Context): Component {
  const configuration = configurationOf(context);
  const type = typeOf(call);
  const name = call.arguments.get("NAME");
  if (name !== undefined) return findComponent(configuration, type, name);
  const stack = currentStack(configuration, call.options.value("stack"));
  const component = type === "orchestrator" ? stack.orchestrator : stack.secretsManager;
  if (component !== undefined) return component;
  const words = type.replace("_", "-");
  throw new SecretsError(
    type === "orchestrator" ? "invalid_settings" : "no_secrets_manager",
    `The stack "${printable(stack.name)}" has no ${WORDS[type]}.`,
    { hint: `coffer stack update ${printable(stack.name)} --${words}=NAME adds one; coffer ${words} list shows them.` },
  );
}

/** Where a component is defined, as people write it. */
export function originText(context: Context, { origin, file }: Pick<Component, "origin" | "file">): string {
  return origin === "default" || file === null ? "built in" : context.shortPath(file);
}
