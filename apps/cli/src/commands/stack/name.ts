import { currentStack } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { configurationOf } from "../../stack.ts";

/** The name of the stack that a command is about: the one that it names, or the active one. */
export function stackNameOf(call: Call, context: Context): string {
  return call.arguments.get("NAME") ?? currentStack(configurationOf(context)).name;
}
