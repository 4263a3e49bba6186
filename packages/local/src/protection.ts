/** What protects the data key of a store. */
export const PROTECTIONS = ["key_file", "passphrase", "keychain"] as const;

/** What protects the data key of a store: a key file beside nothing else, a passphrase, or the keychain of the operating system. */
export type Protection = (typeof PROTECTIONS)[number];

/** What a passphrase is asked for. */
export interface PassphraseRequest {
  /** `create` and `rekey` ask for a new passphrase: ask twice. */
  readonly purpose: "open" | "create" | "rekey";
  /** The file of the store. */
  readonly path: string;
}

/** Asks for a passphrase. */
export type PassphraseProvider = (request: PassphraseRequest) => string | Promise<string>;

const MEANINGS: Readonly<Record<Protection, string>> = {
  key_file:
    "The secrets are encrypted with a key in a file that only you can read: whoever can read your files, or a backup that holds both, can read them.",
  passphrase: "The secrets are encrypted with a key from your passphrase: without it nobody can read them, and nobody can bring them back.",
  keychain:
    "The secrets are encrypted with a key in the keychain of your system: they can be read while you are logged in, and not without that keychain.",
};

/** What a protection means, in a sentence for people. */
export function meaningOf(protection: Protection): string {
  return MEANINGS[protection];
}

/** Whether text from a file names a protection. */
export function isProtection(value: unknown): value is Protection {
  return PROTECTIONS.some((known) => known === value);
}
