import { printable, type SecretsManager, SecretsError } from "@coffer/core";
import type { ComponentSettings } from "./model.ts";
import { type ReferringSettings, type RequiredSecret, requiredSecrets, resolveReferences } from "./references.ts";
import { type MissingSecret, missingSecrets, missingSecretsError, noSecretsManager, type ValidationLevel } from "./validation.ts";

/** The orchestrator of a stack. What it opens to is the matter of its flavor. */
export interface StackOrchestrator {
  readonly name: string;
  readonly flavor: string;
  /**
   * Resolves the secret references of its settings, checks them and opens it.
   * @throws SecretsError `unknown_flavor` naming the package, `not_found` for a secret or key, `invalid_settings`, `no_secrets_manager`
   */
  open(): Promise<unknown>;
}

/** What a stack is made of. */
export interface StackContent {
  /** The settings that may refer to secrets. */
  readonly references: readonly ReferringSettings[];
  readonly secretsManager: (() => SecretsManager) | undefined;
  readonly orchestrator: ((resolve: (settings: ComponentSettings) => Promise<ComponentSettings>) => StackOrchestrator) | undefined;
  readonly ignoredProject?: string | undefined;
  level(): ValidationLevel;
}

/** An open stack. Its components open when they are first used, and `close` closes what was opened. Use `openStack`, `activeStack` or `defineStack`. */
export class Stack implements AsyncDisposable {
  readonly name: string;
  /** A project's file that is there and not trusted, in a line to tell the user; `undefined` when there is none. */
  readonly ignoredProject: string | undefined;
  readonly #content: StackContent;
  #manager: SecretsManager | undefined;
  #orchestrator: StackOrchestrator | undefined;
  #opened: Promise<unknown> | undefined;
  #closed = false;

  constructor(name: string, content: StackContent) {
    this.name = name;
    this.ignoredProject = content.ignoredProject;
    this.#content = content;
  }

  /** @throws SecretsError `no_secrets_manager` naming the stack and the command that adds one; `unknown_flavor`, `closed` */
  get secretsManager(): SecretsManager {
    this.#assertOpen();
    const make = this.#content.secretsManager;
    if (make === undefined) throw noSecretsManager(this.name);
    return (this.#manager ??= make());
  }

  /** @throws SecretsError `invalid_settings` when the stack has none; `closed` */
  get orchestrator(): StackOrchestrator {
    this.#assertOpen();
    const make = this.#content.orchestrator;
    if (make === undefined)
      throw new SecretsError("invalid_settings", `The stack "${printable(this.name)}" has no orchestrator.`, {
        hint: `coffer stack update ${printable(this.name)} --orchestrator=NAME adds one; coffer orchestrator list shows them.`,
      });
    if (this.#orchestrator !== undefined) return this.#orchestrator;
    const { name, flavor, open } = make((settings) => resolveReferences(settings, () => this.secretsManager));
    const openOnce = (): Promise<unknown> => {
      this.#assertOpen();
      this.#opened ??= open().catch((error: unknown) => {
        // What was missing may be there the next time.
        this.#opened = undefined;
        throw error;
      });
      return this.#opened;
    };
    return (this.#orchestrator = { name, flavor, open: openOnce });
  }

  /** The secrets that the components refer to. */
  get requiredSecrets(): RequiredSecret[] {
    return requiredSecrets(...this.#content.references);
  }

  /** The secret references that lead nowhere, at the level of COFFER_SECRET_VALIDATION_LEVEL: warnings when a stack is registered. */
  async missingSecrets(level: ValidationLevel = this.#content.level()): Promise<MissingSecret[]> {
    const manager = this.#content.secretsManager === undefined || this.requiredSecrets.length === 0 ? undefined : this.secretsManager;
    return missingSecrets(this.#content.references, manager, level);
  }

  /**
   * The same before a run, where it is an error.
   * @throws SecretsError `not_found` with everything that is missing, `no_secrets_manager`
   */
  async assertSecrets(level?: ValidationLevel): Promise<void> {
    const missing = await this.missingSecrets(level);
    if (missing.length > 0) throw missingSecretsError(this.name, missing);
  }

  /** Closes the components that were opened. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const opened = await this.#opened?.catch(() => undefined);
    const closings = [Promise.resolve(this.#manager?.close()), closeOf(opened)];
    const failed = (await Promise.allSettled(closings)).find(({ status }) => status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new SecretsError("closed", `The stack "${printable(this.name)}" is closed.`, { hint: "Open it again." });
  }
}

async function closeOf(opened: unknown): Promise<void> {
  if (typeof opened === "object" && opened !== null && "close" in opened && typeof opened.close === "function") await opened.close();
}
