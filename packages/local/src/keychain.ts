import type * as Keyring from "@napi-rs/keyring";
import { DriverError } from "@coffer/core";

const SERVICE = "coffer";

/**
 * A key in the keychain of the operating system. On Linux that is the Secret Service and nothing else: without the pin the library would fall
 * back to the kernel's keyring in silence, and the key would be gone at the next logout.
 */
export class KeychainKey {
  readonly #account: string;

  constructor(storeId: string, id: number) {
    this.#account = `${storeId}.${id}`;
  }

  /** The key, or `undefined` when the keychain answers and does not have it. */
  async read(): Promise<Uint8Array | undefined> {
    const text = await this.#ask((entry) => entry.getPassword());
    return text === null || text === undefined ? undefined : Buffer.from(text, "base64url");
  }

  async write(key: Uint8Array): Promise<void> {
    await this.#ask((entry) => entry.setPassword(Buffer.from(key).toString("base64url")));
  }

  async remove(): Promise<void> {
    await this.#ask((entry) => entry.deleteCredential());
  }

  async #ask<Answer>(question: (entry: Keyring.AsyncEntry) => Promise<Answer>): Promise<Answer> {
    const { AsyncEntry: Entry } = await load();
    try {
      return await question(new Entry(SERVICE, this.#account, { linux: { store: "secret-service" } }));
    } catch (error) {
      throw new DriverError("unauthenticated", error, {
        retryable: true,
        safeMessage: "The keychain of the system does not answer, or is locked.",
        hint: "Log in to the desktop session and unlock its keyring. On a machine without one, protect the store by a passphrase or a key file.",
      });
    }
  }
}

async function load(): Promise<typeof Keyring> {
  try {
    return await import("@napi-rs/keyring");
  } catch (error) {
    throw new DriverError("unsupported", error, {
      safeMessage: "Protection by the keychain needs the package @napi-rs/keyring, which is not installed.",
      hint: "npm install @napi-rs/keyring",
    });
  }
}
