import { SecretsError } from "../errors/secrets-error.ts";
import type { DriverCapabilities, SecretsManagerDriver, SecretsManagerFlavor } from "../spec.ts";
import type { Call } from "./call.ts";
import { type GuardContext, guard, managerError } from "./guard.ts";
import { checkSettings } from "./settings.ts";

/** The driver of a manager: opened on first use, opened again after a failed attempt, closed once. */
export class Connection {
  readonly #flavor: SecretsManagerFlavor;
  readonly #settings: unknown;
  #opening: Promise<void> | undefined;
  #opened: SecretsManagerDriver | undefined;
  #closing: Promise<void> | undefined;

  constructor(flavor: SecretsManagerFlavor, settings: unknown) {
    this.#flavor = flavor;
    this.#settings = settings;
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** The driver, without a wait when it is open already. */
  driver(call: Call, context: GuardContext): SecretsManagerDriver | Promise<SecretsManagerDriver> {
    if (this.closed) throw managerError("closed", "The secrets manager is closed.", context, "Make a new one.");
    return this.#opened ?? this.#open(call, context);
  }

  /** Closes the driver, also one that is still being opened. A second call waits for the first. */
  close(call: Call, context: GuardContext): Promise<void> {
    return (this.#closing ??= this.#close(call, context));
  }

  async #close(call: Call, context: GuardContext): Promise<void> {
    const opening = this.#opening?.catch(() => undefined);
    if (opening !== undefined)
      await guard(call, "close", context, undefined, () => opening).catch((error: unknown) => {
        this.#opening = undefined;
        throw error;
      });
    const driver = this.#opened;
    if (driver?.close !== undefined) await guard(call, "close", context, driver, async () => driver.close?.());
  }

  async #open(call: Call, context: GuardContext): Promise<SecretsManagerDriver> {
    // Whoever has given up already starts nothing.
    await guard(call, "open", context, undefined, () => (this.#opening ??= this.#attempt())).catch((error: unknown) => {
      // An attempt that hangs must not make all later calls wait for it, too.
      if (SecretsError.isInstance(error) && error.code === "timeout") this.#opening = undefined;
      throw error;
    });
    return this.driver(call, context);
  }

  /** One attempt to open the service, shared by all calls that need it. */
  async #attempt(): Promise<void> {
    // The attempt has to be known before it can fail.
    await Promise.resolve();
    const attempt = this.#opening;
    try {
      const driver = await this.#flavor.open(await this.#check());
      // Too late: a later attempt was faster, or nobody needs the driver any more and `close` has stopped waiting for it.
      if (this.#opened === undefined && (!this.closed || this.#opening === attempt)) this.#opened = driver;
      else await driver.close?.().catch(() => undefined);
    } finally {
      // A laptop that was offline must not stay so for this manager for ever.
      if (this.#opening === attempt) this.#opening = undefined;
    }
  }

  async #check(): Promise<unknown> {
    const { value, problems } = await checkSettings(this.#flavor, this.#settings);
    if (problems === undefined) return value;
    const { name } = this.#flavor;
    throw new SecretsError(
      "invalid_settings",
      `The settings of the flavor "${name}" are not valid: ${problems.map(({ text }) => text).join("; ")}.`,
      {
        operation: "open",
        flavor: name,
        keys: problems.flatMap(({ keys }) => keys),
        hint: `\`coffer secrets-manager flavor describe ${name}\` lists the settings.`,
      },
    );
  }
}

/** Refuses what the driver does not declare, before any request. */
export function demand(
  capabilities: DriverCapabilities,
  what: "write" | "revisions" | "restore" | "compareAndSwap",
  context: GuardContext,
): void {
  const refuse = (message: string, hint: string): never => {
    throw managerError("unsupported", message, context, hint);
  };
  if (what === "write" && !capabilities.writable) refuse(`${context.flavor} cannot be written to.`, "Write with another flavor.");
  if (what === "revisions" && !capabilities.revisions)
    refuse(`${context.flavor} keeps no revisions.`, "Only the current content of a secret can be read.");
  if (what === "restore" && !capabilities.restore)
    refuse(`${context.flavor} deletes at once: nothing can be restored.`, "Register the secret again.");
  if (what === "compareAndSwap" && capabilities.compareAndSwap === "none")
    refuse(`${context.flavor} cannot tell whether a secret has changed.`, "Leave out the expected revision.");
}
