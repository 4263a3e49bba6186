import type { ComponentType, Where } from "@coffer/stack";
import type { Call } from "../command.ts";
import type { Context } from "../context.ts";
import { InstalledRegistry } from "../integrations.ts";
import { configurationOf } from "../stack.ts";

/** Where a command changes definitions: the user's file, or with `--project` that of the project. Tells of a project that does not count. */
export function whereOf(call: Call, context: Context): Where & { readonly registry: InstalledRegistry } {
  configurationOf(context);
  return {
    cwd: context.cwd,
    env: context.env,
    registry: new InstalledRegistry(context),
    in: call.options.has("project") ? "project" : undefined,
  };
}

/** The type of component that a command is about, by its first word. */
export function typeOf(call: Call): ComponentType {
  return call.command.words[0] === "orchestrator" ? "orchestrator" : "secrets_manager";
}

/** Says what deserves a word. */
export function sayWarnings(context: Context, warnings: readonly string[]): void {
  for (const warning of warnings) context.say(`warning: ${warning}`);
}
