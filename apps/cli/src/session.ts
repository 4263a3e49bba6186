import { openSecretsManager, type SecretsManager } from "@coffer/core";
import type { Call } from "./command.ts";
import type { Context } from "./context.ts";
import { InstalledRegistry } from "./integrations.ts";
import { StoreDialogue, WHILE_TYPING_MS } from "./local-store.ts";
import { stackOf } from "./stack.ts";

/** What a command works with: the secrets manager of the stack, and the schemas that are installed. */
export interface Session {
  readonly manager: SecretsManager;
  readonly registry: InstalledRegistry;
}

/** Opens the secrets manager that the command line asks for, does the work and closes it again. */
export async function withSession<Result>(call: Call, context: Context, work: (session: Session) => Promise<Result>): Promise<Result> {
  const { flavor, settings } = stackOf(call, context).secretsManager;
  const registry = new InstalledRegistry(context);
  const dialogue = flavor === "local" ? new StoreDialogue(context, settings) : undefined;
  const complete = dialogue === undefined ? settings : await dialogue.settingsWithPassphrase();
  // A new store that shall have a passphrase asks for it in the middle of the first write.
  const timeoutMs = dialogue !== undefined && settings["protection"] === "passphrase" ? WHILE_TYPING_MS : undefined;
  const manager = await openSecretsManager({ ...complete, flavor }, { registry, timeoutMs });
  let result: Result;
  try {
    result = await work({ manager, registry });
  } catch (error) {
    // Why the work failed is what has to be told, also when the connection does not close.
    await manager.close().catch(() => undefined);
    throw dialogue?.left ?? error;
  }
  await manager.close();
  return result;
}
