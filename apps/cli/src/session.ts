import { openSecretsManager, type Registry, type SecretsManager } from "@coffer/core";
import { type Component, type Configuration, findComponent, managerOpening } from "@coffer/stack/read";
import type { Call } from "./command.ts";
import type { Context } from "./context.ts";
import { registryOf } from "./integrations.ts";
import { StoreDialogue, WHILE_TYPING_MS } from "./local-store.ts";
import { configurationOf, managerOf } from "./stack.ts";

/** What a command works with: the secrets manager of the stack, and the schemas that are installed. */
export interface Session {
  readonly manager: SecretsManager;
  readonly registry: Registry;
  /** Another secrets manager, by its name, for as long as the work takes. */
  withOther<Result>(name: string, work: (manager: SecretsManager) => Promise<Result>): Promise<Result>;
}

/** Opens the secrets manager that the command line asks for, does the work and closes it again. */
export async function withSession<Result>(call: Call, context: Context, work: (session: Session) => Promise<Result>): Promise<Result> {
  const configuration = configurationOf(context);
  const registry = await registryOf(context, configuration);
  return withManager(context, configuration, registry, managerOf(call, configuration), (manager) =>
    work({
      manager,
      registry,
      withOther: (name, other) =>
        withManager(context, configuration, registry, findComponent(configuration, "secrets_manager", name), other),
    }),
  );
}

async function withManager<Result>(
  context: Context,
  configuration: Configuration,
  registry: Registry,
  component: Component,
  work: (manager: SecretsManager) => Promise<Result>,
): Promise<Result> {
  const { flavor, settings, options } = managerOpening(component, configuration.env);
  const dialogue = flavor === "local" ? new StoreDialogue(context, settings) : undefined;
  const complete = dialogue === undefined ? settings : await dialogue.settingsWithPassphrase();
  // A new store that shall have a passphrase asks for it in the middle of the first write.
  const timeoutMs = dialogue !== undefined && settings["protection"] === "passphrase" ? WHILE_TYPING_MS : undefined;
  const manager = await openSecretsManager({ ...complete, flavor }, { ...options, registry, timeoutMs });
  let result: Result;
  try {
    result = await work(manager);
  } catch (error) {
    // Why the work failed is what has to be told, also when the connection does not close.
    await manager.close().catch(() => undefined);
    throw dialogue?.left ?? error;
  }
  await manager.close();
  return result;
}
