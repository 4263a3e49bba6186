import type { CreationNotice, LocalSettings, PassphraseRequest, Protection } from "@coffer/local";
import type { Context } from "./context.ts";
import { visibleLines } from "./output/visible.ts";

/** Milliseconds for an operation in the middle of which somebody may have to type. */
export const WHILE_TYPING_MS = 600_000;

/**
 * What the store on this machine and the person at the terminal have to say to each other: the notice before a store is made, the passphrase
 * where it wants one.
 */
export class StoreDialogue {
  /** What ended a question: Ctrl-C, a missing terminal. The store reports only that it got no answer. */
  left: unknown;
  readonly #context: Context;
  readonly #configured: LocalSettings;

  constructor(context: Context, configured: LocalSettings) {
    this.#context = context;
    this.#configured = configured;
  }

  /** The settings of the stack, those of the environment, and our ears. */
  settings(): LocalSettings {
    const keyFile = this.#context.env["COFFER_KEY_FILE"];
    return {
      ...(keyFile === undefined || keyFile === "" ? {} : { key_file: keyFile }),
      ...this.#configured,
      onCreate: (notice) => this.#context.say(visibleLines(noticeText(this.#context, notice))),
      ...(this.hasPassphrase ? {} : { passphrase: (request) => this.#ask(request) }),
    };
  }

  /**
   * The same, with the passphrase in it where the store wants one and somebody can be asked: asked before the operation starts, whose time would run out
   * while they look for it.
   */
  async settingsWithPassphrase(): Promise<LocalSettings> {
    const settings = this.settings();
    if (this.hasPassphrase || !this.#context.canAsk) return settings;
    const { localStatus } = await import("@coffer/local");
    // What is wrong with the store is reported by the operation itself.
    const status = await localStatus(settings).catch(() => undefined);
    if (status?.exists !== true || status.protection !== "passphrase") return settings;
    const { askPassphrase } = await import("./input/passphrase.ts");
    return { ...settings, passphrase: await askPassphrase(this.#context, { purpose: "open", path: status.path }) };
  }

  /** Whether the settings or the environment name the passphrase, so that nobody needs to be asked. */
  get hasPassphrase(): boolean {
    const { passphrase, passphrase_file, passphrase_fd } = this.#configured;
    const given = passphrase ?? passphrase_file ?? passphrase_fd ?? this.#context.env["COFFER_PASSPHRASE_FILE"];
    return given !== undefined && given !== "";
  }

  async #ask(request: PassphraseRequest): Promise<string> {
    try {
      const { askPassphrase } = await import("./input/passphrase.ts");
      return await askPassphrase(this.#context, request);
    } catch (error) {
      this.left = error;
      throw error;
    }
  }
}

/** What protects a store, in words. */
export const PROTECTION_NAMES: Readonly<Record<Protection, string>> = {
  key_file: "a key file",
  passphrase: "a passphrase",
  keychain: "the keychain",
};

function noticeText(context: Context, { path, protection, keyFile, meaning }: CreationNotice): string {
  return [
    `note: This makes a new encrypted store, ${context.shortPath(path)}, protected by ${PROTECTION_NAMES[protection]}.`,
    meaning,
    ...(keyFile === null ? [] : [`Key file: ${context.shortPath(keyFile)}`]),
    ...(protection === "key_file" ? ["For a stronger protection: coffer local rekey --protection=passphrase (or keychain)"] : []),
  ].join("\n      ");
}
