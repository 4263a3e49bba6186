import {
  checkSettings,
  createSecretsManager,
  type Locality,
  type OrchestratorFlavor,
  type SecretsManagerFlavor,
  type SecretsManagerOptions,
} from "@coffer/core";
import { checkedSettings, type OpenableFlavor } from "./flavors.ts";
import { assertReachable, type PlacedComponent } from "./locality.ts";
import type { ComponentSettings } from "./model.ts";
import { Stack } from "./stack.ts";
import { validationLevel } from "./validation.ts";

/** A secrets manager in the stack of a program. */
export interface DefinedSecretsManager<Place extends Locality = Locality> {
  readonly flavor: SecretsManagerFlavor<unknown, unknown, Place>;
  readonly settings: unknown;
  readonly options: SecretsManagerOptions;
}

/** An orchestrator in the stack of a program. */
export interface DefinedOrchestrator<Place extends Locality = Locality> {
  readonly flavor: OrchestratorFlavor<unknown, Place>;
  readonly settings: ComponentSettings;
}

/** A secrets manager for `defineStack`. */
export function secretsManager<Settings, SettingsInput, Place extends Locality>(
  flavor: SecretsManagerFlavor<Settings, SettingsInput, Place>,
  settings: SettingsInput,
  options: SecretsManagerOptions = {},
): DefinedSecretsManager<Place> {
  return { flavor, settings, options };
}

/** An orchestrator for `defineStack`. Its settings may refer to secrets, whatever type they have. */
export function orchestrator<Settings, Place extends Locality>(
  flavor: OrchestratorFlavor<Settings, Place>,
  settings: ComponentSettings = {},
): DefinedOrchestrator<Place> {
  return { flavor, settings };
}

/** What the compiler says about a local component beside a remote orchestrator. */
export interface UnreachableComponent {
  readonly "a remote orchestrator cannot reach a local secrets manager": never;
}

/** The rule of local and remote. Where the type of a flavor does not say, it is kept when the stack is made and used. */
export type Reachable<Manager extends Locality, Orchestrator extends Locality> = [Manager, Orchestrator] extends ["local", "remote"]
  ? UnreachableComponent
  : unknown;

/**
 * Makes a stack of components that the program brings itself; no file and no registry is involved. A local component with a remote orchestrator does not
 * compile where the types of the flavors say so, and is refused here where their settings do.
 * @throws SecretsError `invalid_settings`
 */
export async function defineStack<Manager extends Locality = "remote", Orchestrator extends Locality = "local">(
  definition: {
    readonly name: string;
    readonly secretsManager?: DefinedSecretsManager<Manager>;
    readonly orchestrator?: DefinedOrchestrator<Orchestrator>;
  } & Reachable<Manager, Orchestrator>,
): Promise<Stack> {
  const { name, secretsManager: manager, orchestrator: runner } = definition as StackOfProgram;
  if (manager !== undefined && runner !== undefined)
    assertReachable(name, await placed(runner.flavor, runner.settings), [await placed(manager.flavor, manager.settings)]);
  return new Stack(name, {
    references: runner === undefined ? [] : [{ name: runner.flavor.name, settings: runner.settings }],
    secretsManager: manager === undefined ? undefined : () => createSecretsManager(manager.flavor, manager.settings, manager.options),
    orchestrator:
      runner === undefined
        ? undefined
        : (resolve) => ({
            name: runner.flavor.name,
            flavor: runner.flavor.name,
            open: async () => runner.flavor.open(await checkedSettings(runner.flavor, await resolve(runner.settings), runner.flavor.name)),
          }),
    level: () => validationLevel(),
  });
}

interface StackOfProgram {
  readonly name: string;
  readonly secretsManager?: DefinedSecretsManager;
  readonly orchestrator?: DefinedOrchestrator;
}

async function placed(flavor: OpenableFlavor, settings: unknown): Promise<PlacedComponent> {
  const { value = settings } = await checkSettings(flavor, settings);
  return { type: flavor.type, name: flavor.name, flavor: flavor.name, locality: flavor.locality(value) };
}
