import {
  createSecretsManager,
  globalRegistry,
  type OrchestratorFlavor,
  type Registry,
  type SecretsManager,
  type SecretsManagerFlavor,
  type SecretsManagerOptions,
} from "@coffer/core";
import { type Configuration, currentStack, findComponent, ignoredProject, readConfiguration, type Surroundings } from "./configuration.ts";
import { checkedSettings, flavorOf } from "./flavors.ts";
import { assertStackReachable } from "./locality.ts";
import type { Component, StackDefinition } from "./model.ts";
import { ModuleRegistry, modulesOf } from "./modules.ts";
import { managerOpening } from "./opening.ts";
import { referringSettings } from "./references.ts";
import { Stack, type StackOrchestrator } from "./stack.ts";
import { validationLevel } from "./validation.ts";

/** How to open a stack. */
export interface OpenStackOptions extends Surroundings {
  /** The stack; the one that COFFER_STACK names, or the active one, by default. */
  readonly name?: string | undefined;
  /** Another secrets manager than that of the stack, by name. */
  readonly secretsManager?: string | undefined;
  /** Where flavors and schemas are looked up; the registry of the process by default. */
  readonly registry?: Registry | undefined;
  /** Options of the secrets manager that are no part of its definition. */
  readonly options?: Pick<SecretsManagerOptions, "readonly" | "cache" | "timeoutMs"> | undefined;
}

/**
 * Opens a stack by its name, or the active one. Its components open when they are first used; nothing is sent before.
 * @throws SecretsError `not_found`, `untrusted`, `corrupt`, `invalid_settings` when a remote orchestrator could not reach a local component
 */
export async function openStack(options: OpenStackOptions = {}): Promise<Stack> {
  const configuration = readConfiguration(options);
  const stack = withManager(configuration, currentStack(configuration, options.name), options.secretsManager);
  const registry = new ModuleRegistry(options.registry ?? globalRegistry(), modulesOf(configuration));
  await assertStackReachable(stack, registry);
  const manager =
    stack.secretsManager === undefined ? undefined : await managerOf(stack.secretsManager, configuration, registry, options.options);
  const { orchestrator } = stack;
  return new Stack(stack.name, {
    references: referringSettings(stack),
    secretsManager: manager,
    orchestrator: orchestrator === undefined ? undefined : (resolve) => orchestratorOf(orchestrator, registry, resolve),
    ignoredProject: ignoredProject(configuration),
    level: () => validationLevel(configuration.env),
  });
}

/** Opens the active stack. */
export async function activeStack(options: Omit<OpenStackOptions, "name"> = {}): Promise<Stack> {
  return openStack(options);
}

function withManager(configuration: Configuration, stack: StackDefinition, name: string | undefined): StackDefinition {
  return name === undefined ? stack : { ...stack, secretsManager: findComponent(configuration, "secrets_manager", name) };
}

/** Finds the flavor now, which loads no SDK, so that `stack.secretsManager` can answer at once; what is wrong is told there. */
async function managerOf(
  component: Component,
  { env }: Configuration,
  registry: Registry,
  more: OpenStackOptions["options"],
): Promise<() => SecretsManager> {
  const { flavor: name, settings, options } = managerOpening(component, env);
  try {
    const flavor = (await flavorOf(registry, "secrets_manager", name)) as SecretsManagerFlavor<unknown, unknown>;
    return () => createSecretsManager(flavor, settings, { ...more, ...options, registry });
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function orchestratorOf(
  { name, flavor: flavorName, settings }: Component,
  registry: Registry,
  resolve: (settings: Component["settings"]) => Promise<Component["settings"]>,
): StackOrchestrator {
  return {
    name,
    flavor: flavorName,
    open: async () => {
      const flavor = (await flavorOf(registry, "orchestrator", flavorName)) as OrchestratorFlavor;
      return flavor.open(await checkedSettings(flavor, await resolve(settings), name));
    },
  };
}
