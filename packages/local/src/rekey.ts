import { randomBytes } from "node:crypto";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import { type CallOptions, DriverError, guardedCall, type RequestOptions } from "@coffer/core";
import type { Sum } from "./census.ts";
import { Connection } from "./connection.ts";
import { classifyLocalError, damaged, explained } from "./errors.ts";
import { KeyFile } from "./key-file.ts";
import { KeychainKey } from "./keychain.ts";
import { withLock } from "./lock.ts";
import { besides, type StorePaths, storePaths } from "./paths.ts";
import type { PassphraseProvider, Protection } from "./protection.ts";
import {
  findHead,
  identityOf,
  olderRevisions,
  openHead,
  openRevision,
  putCensus,
  putKey,
  putRevision,
  Unopenable,
  updateHead,
} from "./rows.ts";
import { checkSettings } from "./settings-check.ts";
import type { CheckedSettings, LocalSettings } from "./settings-types.ts";
import { censusOf, countedPages, type OpenedStore, type StoreKey, storeKey } from "./store.ts";
import { assertPatient, type Patience, whenFree } from "./waiting.ts";
import { DATA_KEY_BYTES, newWrapper, unwrapDataKey, type WrappedKey } from "./wrapping.ts";

/** What shall be different afterwards. Without anything the store gets a new data key under a new key of the same protection. */
export interface RekeyChange {
  /** What protects the data key from now on; what protected it before, unless told. */
  readonly protection?: Protection | undefined;
  /** The new passphrase, or a function that asks for it (with the purpose `rekey`). Without it the settings are asked. */
  readonly passphrase?: string | PassphraseProvider | undefined;
  /** `false` keeps the data key and changes only what protects it; then the secrets are not written anew. */
  readonly dataKey?: boolean | undefined;
}

/** What a rekey has done. */
export interface RekeyReport {
  /** The file of the store. */
  readonly path: string;
  readonly before: Protection;
  readonly after: Protection;
  /** Where the key lies now; `null` unless the store is protected by a key file. */
  readonly keyFile: string | null;
  /** How many secrets were sealed anew. */
  readonly secrets: number;
}

// How many secrets are sealed before the event loop runs again and the caller may give up.
const ROWS_AT_A_TIME = 200;

/** `rekey`, in a file that only a change of the key loads. */
export function rekeyStore(settings: LocalSettings, change: RekeyChange, options: RequestOptions): Promise<RekeyReport> {
  return guardedCall({ name: "rekey", flavor: "local", classify: classifyLocalError }, options, async (call) => {
    const checked = await checkSettings(settings);
    const paths = storePaths(checked);
    try {
      return await changeKey(checked, paths, change, call);
    } catch (error) {
      throw error instanceof Unopenable ? damaged(paths.store, error.what) : explained(error, paths.store);
    }
  });
}

async function changeKey(settings: CheckedSettings, paths: StorePaths, change: RekeyChange, call: CallOptions): Promise<RekeyReport> {
  const connection = await whenFree(call, () => Connection.open(paths.store, "write"));
  if (connection === undefined) throw missingStore(paths.store);
  try {
    // One at a time, until the old keys are away: another rekey would find its own new key removed.
    return await withLock(besides(paths.store, "lock"), call, async () => {
      const { storeId, key: old } = await whenFree(call, () => identityOf(connection));
      const keeper = { storeId, paths, settings };
      const protection = change.protection ?? old.protection;
      const oldDataKey = await unwrapDataKey(old, keeper);
      const newSettings = change.passphrase === undefined ? settings : { ...settings, passphrase: change.passphrase };
      const wrapper = await newWrapper(protection, { ...keeper, settings: newSettings }, "rekey");
      const dataKey = change.dataKey === false ? oldDataKey : randomBytes(DATA_KEY_BYTES);
      const wrapping = wrapper(old.id + 1, dataKey);
      await wrapping.publish(call);
      let secrets: number;
      try {
        await whenFree(call, () => connection.begin());
        if (identityOf(connection).key.id !== old.id) throw new DriverError("conflict");
        const before = { connection, ...storeKey(storeId, old.id, oldDataKey) };
        secrets = await reseal(before, storeKey(storeId, old.id + 1, dataKey), change.dataKey !== false, call);
        putKey(connection, wrapping.row);
      } catch (error) {
        connection.rollback();
        await wrapping.withdraw(call);
        throw error;
      }
      // From here on the new key stays in its place, whatever happens: a commit that reports an error may have been one.
      connection.commit();
      connection.checkpoint();
      try {
        await removeOldKeys(old, wrapping.row, paths, storeId, call);
      } catch (error) {
        throw oldKeyLeft(error);
      }
      return {
        path: paths.store,
        before: old.protection,
        after: protection,
        keyFile: protection === "key_file" ? paths.keyFile(storeId) : null,
        secrets,
      };
    });
  } finally {
    connection.close();
  }
}

/** Seals every secret under the new key. Other processes go on reading the old state until it is committed. */
async function reseal(old: OpenedStore, after: StoreKey, newDataKey: boolean, patience: Patience): Promise<number> {
  const { connection } = old;
  // The names first: to change a table while going through it is asking for trouble.
  const heads = [...countedPages(old)].flat();
  if (!newDataKey) return 0;
  const sum: Sum = { count: 0, low: 0, high: 0 };
  for (const [index, head] of heads.entries()) {
    if (index % ROWS_AT_A_TIME === 0) {
      await yieldToOthers();
      assertPatient(patience);
    }
    resealSecret(old, after, head.name);
    after.sum.add(sum, head);
  }
  putCensus(connection, after.sealer, { floor: censusOf(old).floor, ...sum });
  return heads.length;
}

function resealSecret({ connection, sealer }: OpenedStore, after: StoreKey, name: string): void {
  const head = findHead(connection, name);
  if (head === undefined) throw new Unopenable("A row of the store is damaged.");
  const older = olderRevisions(connection, name);
  if (older.length !== head.row.revision - head.row.oldest) throw new Unopenable("A revision of a secret is missing from the store.");
  updateHead(connection, after.sealer, head.row, openHead(sealer, head));
  for (const revision of older) putRevision(connection, after.sealer, revision.row, openRevision(sealer, revision));
}

/** Takes away what opened the store before. What a killed rekey has left goes with it. */
async function removeOldKeys(old: WrappedKey, now: WrappedKey, paths: StorePaths, storeId: string, patience: Patience): Promise<void> {
  await new KeyFile(paths.keyFile(storeId), paths.ownKeyFile).sweep(storeId, now.protection === "key_file" ? now.id : undefined, patience);
  if (old.protection === "keychain") await new KeychainKey(storeId, old.id).remove();
}

function oldKeyLeft(error: unknown): DriverError {
  const info = DriverError.isInstance(error) ? error.info : classifyLocalError(error);
  return new DriverError(info.code, error, {
    ...info,
    outcome: "unknown",
    safeMessage: `The store has its new key, but what opened it before could not be removed. ${info.safeMessage ?? ""}`.trimEnd(),
  });
}

function missingStore(path: string): DriverError {
  return new DriverError("invalid_request", undefined, {
    safeMessage: `There is no store yet (${path}).`,
    hint: "Register a secret first: that makes the store.",
  });
}
