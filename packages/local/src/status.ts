import { guardedCall, type RequestOptions } from "@coffer/core";
import { Connection } from "./connection.ts";
import { classifyLocalError, damaged, explained } from "./errors.ts";
import { look } from "./files.ts";
import { FORMAT } from "./format.ts";
import { type StorePaths, storePaths } from "./paths.ts";
import { meaningOf, type Protection } from "./protection.ts";
import {
  countHeads,
  findHead,
  headPages,
  identityOf,
  keyIdOf,
  olderRevisions,
  openHead,
  openRevision,
  type StoreIdentity,
  Unopenable,
} from "./rows.ts";
import { checkSettings } from "./settings-check.ts";
import type { CheckedSettings, LocalSettings } from "./settings-types.ts";
import { countedPages, isOutdated, type OpenedStore, storeKey } from "./store.ts";
import { assertPatient, type Patience, whenFree } from "./waiting.ts";
import { unwrapDataKey } from "./wrapping.ts";

/** What is known of a store. What cannot be known without opening it is `null`. */
export interface LocalStatus {
  /** The file of the store. */
  readonly path: string;
  readonly exists: boolean;
  /** Bytes on the disk, the log included. */
  readonly bytes: number;
  readonly format: number | null;
  /** What protects the data key; for a store that does not exist, what would. */
  readonly protection: Protection;
  /** That protection in a sentence. */
  readonly meaning: string;
  /** The key file, where one is used and the store exists. */
  readonly keyFile: string | null;
  /** How many secrets there are; `null` without a store. */
  readonly secrets: number | null;
  /** The outcome of `verify`; `null` when it was not asked for. */
  readonly verified: LocalVerification | null;
}

/** What a look at every secret of a store has found. */
export interface LocalVerification {
  /** The names of secrets that do not open, in the order of names. */
  readonly damaged: readonly string[];
  /** Whether the list of secrets is the one that was written: nothing dropped, added or exchanged. */
  readonly complete: boolean;
}

/** What a status shall look at. */
export interface StatusOptions extends RequestOptions {
  /** Open every revision of every secret. Needs the key, and asks for the passphrase where there is one. */
  readonly verify?: boolean | undefined;
}

/** `localStatus`, in a file of its own for the same reason as `rekeyStore`. */
export function statusOfStore(settings: LocalSettings, options: StatusOptions): Promise<LocalStatus> {
  return guardedCall({ name: "localStatus", flavor: "local", classify: classifyLocalError }, options, async (call) => {
    const checked = await checkSettings(settings);
    const paths = storePaths(checked);
    try {
      const connection = await whenFree(call, () => Connection.open(paths.store, "read"));
      if (connection === undefined) return absent(paths.store, checked.protection ?? "key_file");
      try {
        const { storeId, key, verified } = await inspected(connection, checked, paths, options.verify === true, call);
        return {
          path: paths.store,
          exists: true,
          bytes: (look(paths.store)?.size ?? 0) + (look(`${paths.store}-wal`)?.size ?? 0),
          format: FORMAT,
          protection: key.protection,
          meaning: meaningOf(key.protection),
          keyFile: key.protection === "key_file" ? paths.keyFile(storeId) : null,
          secrets: countHeads(connection),
          verified,
        };
      } finally {
        connection.close();
      }
    } catch (error) {
      throw error instanceof Unopenable ? damaged(paths.store, error.what) : explained(error, paths.store);
    }
  });
}

function absent(path: string, protection: Protection): LocalStatus {
  return {
    path,
    exists: false,
    bytes: 0,
    format: null,
    protection,
    meaning: meaningOf(protection),
    keyFile: null,
    secrets: null,
    verified: null,
  };
}

/** What the store says of itself and, when `verifying`, whether everything opens; begun anew when another process changes the key meanwhile. */
async function inspected(
  connection: Connection,
  settings: CheckedSettings,
  paths: StorePaths,
  verifying: boolean,
  patience: Patience,
): Promise<StoreIdentity & { readonly verified: LocalVerification | null }> {
  for (;;) {
    const identity = await whenFree(patience, () => identityOf(connection));
    if (!verifying) return { ...identity, verified: null };
    const { storeId, key } = identity;
    try {
      const dataKey = await unwrapDataKey(key, { storeId, paths, settings });
      const verified = await verify({ connection, ...storeKey(storeId, key.id, dataKey) }, patience);
      if (verified !== undefined) return { ...identity, verified };
    } catch (error) {
      if (!isOutdated(connection, identity)) throw error;
    }
    assertPatient(patience);
  }
}

async function verify(store: OpenedStore, patience: Patience): Promise<LocalVerification | undefined> {
  return whenFree(patience, () =>
    store.connection.snapshot(() => {
      if (keyIdOf(store.connection) !== store.keyId) return undefined;
      const names: string[] = [];
      for (const page of headPages(store.connection)) names.push(...page.map(({ name }) => name));
      return { damaged: names.filter((name) => !isWhole(store, name)), complete: isComplete(store) };
    }),
  );
}

function isWhole({ connection, sealer }: OpenedStore, name: string): boolean {
  try {
    const head = findHead(connection, name);
    if (head === undefined) return false;
    openHead(sealer, head);
    const older = olderRevisions(connection, name);
    for (const revision of older) openRevision(sealer, revision);
    return older.length === head.row.revision - head.row.oldest;
  } catch (error) {
    if (error instanceof Unopenable) return false;
    throw error;
  }
}

function isComplete(store: OpenedStore): boolean {
  try {
    for (const _page of countedPages(store));
    return true;
  } catch (error) {
    if (error instanceof Unopenable) return false;
    throw error;
  }
}
