import { type Registry, SecretsError } from "@coffer/core";
import type { Context } from "../context.ts";
import { InstalledRegistry, withModules } from "../integrations.ts";
import { visible } from "../output/visible.ts";
import { configurationOf } from "../stack.ts";
import { sayProblems } from "./problems.ts";

/**
 * Everything that is known, for a list: what is installed by its manifests, without running any of its code, and what the modules bring that the user or a
 * trusted project names. What is wrong with any of it is told, and is no reason to list nothing.
 */
export async function everythingKnown(context: Context): Promise<Registry> {
  const installed = new InstalledRegistry(context);
  sayProblems(context, await installed.discover());
  try {
    const registry = await withModules(installed, configurationOf(context));
    if ("load" in registry && typeof registry.load === "function") await registry.load();
    return registry;
  } catch (error) {
    if (!SecretsError.isInstance(error)) throw error;
    context.say(`warning: ${visible(error.message)}${error.hint === undefined ? "" : `\nhint: ${visible(error.hint)}`}`);
    return installed;
  }
}
