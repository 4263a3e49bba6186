import type { SecretsManagerOptions } from "@coffer/core";
import { type Environment, localStorePath } from "./directories.ts";
import { type Component, type ComponentSettings, isDefaultId } from "./model.ts";

/** What a secrets manager is opened with: what the flavor is given, and what core is. */
export interface ManagerOpening {
  readonly flavor: string;
  readonly settings: ComponentSettings;
  readonly options: Pick<SecretsManagerOptions, "scope" | "namespace" | "componentId">;
}

/** How to open a secrets manager that is defined. */
export function managerOpening(component: Component, env: Environment = process.env): ManagerOpening {
  const { flavor, id, scope = "global", namespace } = component;
  return { flavor, settings: placedSettings(component, env), options: { scope, namespace, componentId: id } };
}

/**
 * The settings with what follows from the component: two local secrets managers are two stores, so each but the default one has a place of its own, named by
 * what stays over a rename.
 */
function placedSettings({ flavor, id, settings }: Component, env: Environment): ComponentSettings {
  if (flavor !== "local" || settings["path"] !== undefined || isDefaultId(id)) return settings;
  return { ...settings, path: localStorePath(env, id.toLowerCase()) };
}
