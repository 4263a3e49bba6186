import { plainSettings as plainly } from "@coffer/core";
import type { PassphraseProvider, Protection } from "./protection.ts";

/** What is about to be created, told before anything is written. */
export interface CreationNotice {
  /** The file of the store. */
  readonly path: string;
  readonly protection: Protection;
  /** Where the key will lie; `null` unless the store is protected by a key file. */
  readonly keyFile: string | null;
  /** What that protection means, in a sentence for people. */
  readonly meaning: string;
}

/** The settings of the flavor `local`. All may be left out. */
export interface LocalSettings {
  /** The file of the store. Its directory must be the user's own (0700); it is made when missing. By default under the user's data directory. */
  readonly path?: string | undefined;
  /**
   * What protects the data key of a new store: `key_file` by default. For a store that exists this is a demand: another protection is refused,
   * never changed; `rekey` changes it.
   */
  readonly protection?: Protection | undefined;
  /** The key file, for protection `key_file`. By default under the user's state directory, away from the store. */
  readonly key_file?: string | undefined;
  /** The passphrase, or a function that asks for it when it is needed; for protection `passphrase`. */
  readonly passphrase?: string | PassphraseProvider | undefined;
  /** A file that holds the passphrase. The environment variable COFFER_PASSPHRASE_FILE does the same. */
  readonly passphrase_file?: string | undefined;
  /** An open file descriptor to read the passphrase from. */
  readonly passphrase_fd?: number | undefined;
  /** How many revisions of a secret are kept, the current one among them; 10 by default. */
  readonly revisions?: number | undefined;
  /** Called before a store is created, with what will protect it. What it throws stops the creation. */
  readonly onCreate?: ((notice: CreationNotice) => void | Promise<void>) | undefined;
}

/** The settings after their check, with the defaults that do not depend on the machine. */
export type CheckedSettings = LocalSettings & { readonly revisions: number };

/** How many revisions are kept when nobody says. */
export const DEFAULT_REVISIONS = 10;

// What needs no schema to be found right; anything else in the settings, and the schema looks.
const PLAIN: Readonly<Record<string, "string" | "function">> = {
  path: "string",
  key_file: "string",
  passphrase: "function",
  onCreate: "function",
};

/** The settings when they are plainly right. */
export function plainSettings(settings: unknown): CheckedSettings | undefined {
  const plain = plainly(settings, (name, value) => Object.hasOwn(PLAIN, name) && typeof value === PLAIN[name] && value !== "");
  return plain === undefined ? undefined : { ...plain, revisions: DEFAULT_REVISIONS };
}
