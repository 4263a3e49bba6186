import { createSecretKey, randomBytes } from "node:crypto";
import { DriverError } from "@coffer/core";
import { damaged } from "./errors.ts";
import { KeyFile } from "./key-file.ts";
import type { KeychainKey } from "./keychain.ts";
import type { StorePaths } from "./paths.ts";
import type { PassphraseRequest, Protection } from "./protection.ts";
import { openWith, sealWith } from "./sealing.ts";
import type { LocalSettings } from "./settings-types.ts";
import type { Patience } from "./waiting.ts";

export const DATA_KEY_BYTES = 32;

/** The data key as the store holds it: sealed under a key that lies elsewhere. */
export interface WrappedKey {
  readonly id: number;
  readonly protection: Protection;
  /** How the wrapping key comes about, as JSON; only a passphrase has something to say here. */
  readonly parameters: string;
  readonly wrapped: Uint8Array;
}

/** Which store, and where its owner keeps what opens it. */
export interface Keeper {
  readonly storeId: string;
  readonly paths: StorePaths;
  readonly settings: LocalSettings;
  /** The cost of a new passphrase as a power of two; lowered by tests only. */
  readonly passphraseCost?: number | undefined;
}

/**
 * The data key.
 * @throws DriverError `unauthenticated` when what protects it is missing or another one, `corrupt` when the wrapped key is damaged
 */
export async function unwrapDataKey(row: WrappedKey, keeper: Keeper): Promise<Uint8Array> {
  const { paths, settings, storeId } = keeper;
  assertDemanded(row.protection, settings);
  const wrappingKey = await wrappingKeyOf(row, keeper, storeId);
  const dataKey = wrappingKey === undefined ? undefined : openWith(createSecretKey(wrappingKey), label(storeId, row), row.wrapped);
  if (dataKey?.length !== DATA_KEY_BYTES) throw damaged(paths.store, "The wrapped key of the store is damaged.");
  return dataKey;
}

async function wrappingKeyOf(row: WrappedKey, { paths, settings }: Keeper, storeId: string): Promise<Uint8Array | undefined> {
  switch (row.protection) {
    case "key_file": {
      const path = paths.keyFile(storeId);
      return (
        new KeyFile(path, paths.ownKeyFile).read(storeId, row.id) ??
        refuse(`The key file does not hold the key of this store: ${path}`, "Put the right key file in its place.")
      );
    }
    case "passphrase": {
      const { askPassphrase, passphraseKey } = await import("./passphrase.ts");
      return passphraseKey(await askPassphrase(settings, { purpose: "open", path: paths.store }), row.parameters);
    }
    default:
      return (
        (await (await keychainKey(storeId, row.id)).read()) ??
        refuse("The keychain of the system does not hold the key of this store.", "Unlock the keychain in which the store was made.")
      );
  }
}

/** A new wrapping of a data key; `publish` puts the wrapping key where it belongs, which must be done before the store says that it is needed. */
export interface NewWrapping {
  readonly row: WrappedKey;
  publish(patience: Patience): Promise<void>;
  /** Takes the wrapping key back, when the store will not say so after all. */
  withdraw(patience: Patience): Promise<void>;
}

/** A key that a data key can be wrapped with; asking for a passphrase is done here, before anything is locked. */
export type Wrapper = (id: number, dataKey: Uint8Array) => NewWrapping;

export async function newWrapper(protection: Protection, keeper: Keeper, purpose: PassphraseRequest["purpose"]): Promise<Wrapper> {
  const { storeId, paths } = keeper;
  const { key, parameters } =
    protection === "passphrase" ? await passphraseWrapping(keeper, purpose) : { key: randomBytes(DATA_KEY_BYTES), parameters: "{}" };
  return (id, dataKey) => {
    const bare = { id, protection, parameters };
    return {
      row: { ...bare, wrapped: sealWith(createSecretKey(key), label(storeId, bare), dataKey) },
      async publish(patience) {
        if (protection === "key_file") await new KeyFile(paths.keyFile(storeId), paths.ownKeyFile).add(storeId, id, key, patience);
        if (protection === "keychain") await (await keychainKey(storeId, id)).write(key);
      },
      async withdraw(patience) {
        if (protection === "key_file") await new KeyFile(paths.keyFile(storeId), paths.ownKeyFile).remove(storeId, id, patience);
        if (protection === "keychain") await (await keychainKey(storeId, id)).remove();
      },
    };
  };
}

async function passphraseWrapping(
  { paths, settings, passphraseCost }: Keeper,
  purpose: PassphraseRequest["purpose"],
): Promise<{ readonly key: Uint8Array; readonly parameters: string }> {
  const { askPassphrase, DEFAULT_COST, newPassphraseKey } = await import("./passphrase.ts");
  return newPassphraseKey(await askPassphrase(settings, { purpose, path: paths.store }), passphraseCost ?? DEFAULT_COST);
}

// The key file is what nearly every store has; what the other two need is loaded by those that have them.
async function keychainKey(storeId: string, id: number): Promise<KeychainKey> {
  const { KeychainKey } = await import("./keychain.ts");
  return new KeychainKey(storeId, id);
}

/** Refuses a store whose protection is not the one that the settings demand: neither a weaker nor a stronger one is taken in silence. */
export function assertDemanded(found: Protection, { protection: demanded }: LocalSettings): void {
  if (demanded === undefined || demanded === found) return;
  throw new DriverError("invalid_settings", undefined, {
    safeMessage: `The store is protected by ${found}, the settings demand ${demanded}.`,
    hint: `Leave out the setting "protection", or change the store: coffer local rekey --protection=${demanded}`,
  });
}

function label(storeId: string, { id, protection, parameters }: Omit<WrappedKey, "wrapped">): string {
  return JSON.stringify(["coffer local data key", storeId, id, protection, parameters]);
}

function refuse(safeMessage: string, hint: string): never {
  throw new DriverError("unauthenticated", undefined, { safeMessage, hint });
}
