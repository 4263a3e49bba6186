import { DriverError } from "@coffer/core";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import { type Census, decodeCensus, HeadSum, sameSum, type Sum } from "./census.ts";
import { Connection } from "./connection.ts";
import { damaged, explained, isBusy, sqliteCode } from "./errors.ts";
import { look } from "./files.ts";
import { type StorePaths, storePaths } from "./paths.ts";
import { type HeadRow, Sealer } from "./sealing.ts";
import { identityOf, isListed, keyIdOf, headPages, putCensus, sealedCensusOf, type StoreIdentity, Unopenable } from "./rows.ts";
import type { CheckedSettings } from "./settings-types.ts";
import { assertPatient, type Patience, untilImpatient, whenFree } from "./waiting.ts";
import { unwrapDataKey } from "./wrapping.ts";

// How long a reader takes the file for granted: after so many milliseconds a long-lived program looks whether a backup was put in its place.
const TRUSTED_MS = 100;

/** What the data key of a store opens and seals with. */
export interface StoreKey {
  readonly storeId: string;
  readonly keyId: number;
  readonly sealer: Sealer;
  readonly sum: HeadSum;
}

/** A store with its key: what every read and write works on. */
export interface OpenedStore extends StoreKey {
  readonly connection: Connection;
}

/**
 * The store of one driver: opened when it is first needed, made by the first write, opened anew when the file or its key was changed by others.
 * Work on it is synchronous and short; only waiting is not.
 */
export class LocalStore {
  readonly paths: StorePaths;
  readonly settings: CheckedSettings;
  #opened: OpenedStore | undefined;
  #unwrapping: { readonly id: string; readonly key: Promise<StoreKey> } | undefined;
  #lookedAt = 0;
  // For which state of the file, as SQLite counts it, the census was found to be right.
  #countedAt: unknown;
  #closed = false;

  constructor(settings: CheckedSettings) {
    this.settings = settings;
    this.paths = storePaths(settings);
  }

  /** Runs a read; `undefined` when there is no store. */
  async reading<Result>(patience: Patience, work: (store: OpenedStore) => Result): Promise<Result | undefined> {
    const ready = this.#ready("read");
    if (ready !== undefined) {
      try {
        return work(ready);
      } catch (error) {
        if (!isBusy(error) && !(error instanceof Unopenable)) throw this.#failed(error);
      }
    }
    return this.#patiently(patience, "read", work);
  }

  /**
   * Runs a write in one transaction, which is on the disk when this returns. The work is given the census and says what it is afterwards.
   * Without a store there is nothing to replace or delete: `undefined`, unless `create` says that the store shall be made.
   */
  async writing<Result>(
    patience: Patience,
    create: boolean,
    work: (store: OpenedStore, census: Census) => { readonly census: Census; readonly result: Result },
  ): Promise<{ readonly result: Result } | undefined> {
    for (;;) {
      if (create) await this.#ensureStore(patience);
      const written = await this.#patiently(patience, "write", (store) =>
        store.connection.transaction(() => {
          // Under the lock nobody changes the key any more; had somebody done so before, what is sealed here could never be opened.
          if (keyIdOf(store.connection) !== store.keyId) throw new Unopenable("The key of the store was changed.");
          const { census, result } = work(store, censusOf(store));
          putCensus(store.connection, store.sealer, census);
          return { result };
        }),
      );
      // Somebody may remove the store between the two steps.
      if (written !== undefined || !create) return written;
    }
  }

  /**
   * Makes certain that a secret which was not found is not there because nobody has written it: to be asked before it is said to be missing,
   * inside of a snapshot or transaction.
   * @throws Unopenable when any row was dropped, added or exchanged, or when the listing has this one
   */
  assertAbsent(store: OpenedStore, name: string): void {
    const version = store.connection.row("PRAGMA data_version")?.[0];
    if (this.#countedAt !== version) {
      // Only to count them: what a page holds is not needed any more.
      for (const _page of countedPages(store));
      this.#countedAt = version;
    }
    if (isListed(store.connection, name)) throw new Unopenable("The row of the secret is damaged.");
  }

  /**
   * All heads at one instant, on a connection of their own, because the caller may take their time between two pages. The last page comes only
   * when the heads are found to be complete.
   */
  async *pages(patience: Patience): AsyncGenerator<readonly HeadRow[]> {
    for (;;) {
      const shared = await this.reading(patience, (store) => store);
      if (shared === undefined) return;
      const { connection: _shared, ...key } = shared;
      const connection = await whenFree(patience, () => Connection.open(this.paths.store, "read"));
      if (connection === undefined) return;
      try {
        await whenFree(patience, () => connection.beginSnapshot());
        // Another process has changed the key between the two steps; the next `reading` finds the new one.
        if (keyIdOf(connection) === key.keyId) {
          yield* countedPages({ connection, ...key });
          return;
        }
      } catch (error) {
        throw error instanceof Unopenable ? damaged(this.paths.store, error.what) : explained(error, this.paths.store);
      } finally {
        connection.close();
      }
      if (this.#opened === shared) this.#forget();
    }
  }

  close(): void {
    this.#closed = true;
    this.#forget();
  }

  async #patiently<Result>(patience: Patience, mode: "read" | "write", work: (store: OpenedStore) => Result): Promise<Result | undefined> {
    try {
      return await this.#untilDone(patience, mode, work);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  // A connection that could not open a file, or only for reading, stays so for all its life: the next call begins with another one.
  #failed(error: unknown): unknown {
    if (sqliteCode(error) !== undefined && !isBusy(error)) this.#forget();
    return explained(error, this.paths.store);
  }

  async #untilDone<Result>(patience: Patience, mode: "read" | "write", work: (store: OpenedStore) => Result): Promise<Result | undefined> {
    for (;;) {
      const store = await this.#open(mode, patience);
      if (store === undefined) return undefined;
      try {
        // While this call waits, another one may find the connection outdated and close it.
        const done = await whenFree(patience, () => (store.connection.isOpen ? { result: work(store) } : undefined));
        if (done !== undefined) return done.result;
      } catch (error) {
        if (!(error instanceof Unopenable)) throw error;
        // A row that does not open is damaged, unless another process has changed the key since it was read, however often that happens.
        const current = await whenFree(patience, () => (store.connection.isOpen ? keyIdOf(store.connection) : undefined));
        if (current === store.keyId) throw damaged(this.paths.store, error.what);
        // Another call may have opened the store anew.
        if (this.#opened === store) this.#forget();
        await yieldToOthers();
        assertPatient(patience);
      }
    }
  }

  async #ensureStore(patience: Patience): Promise<void> {
    try {
      if (this.#ready("write") !== undefined || look(this.paths.store) !== undefined) return;
      // Happens once in the life of a store: no other command loads what it takes.
      const { createStore } = await import("./creation.ts");
      await createStore(this.paths, this.settings, patience);
    } catch (error) {
      throw explained(error, this.paths.store);
    }
  }

  #ready(mode: "read" | "write"): OpenedStore | undefined {
    if (this.#closed) throw new DriverError("closed");
    const opened = this.#opened;
    if (opened === undefined || (mode === "write" && opened.connection.mode === "read")) return undefined;
    // Not the clock of `performance`, whose first use loads modules; a clock that is set only makes us look too early or too often.
    const now = Date.now();
    // What is written to a file that was replaced is lost, so a writer always looks.
    if (mode === "write" || Math.abs(now - this.#lookedAt) > TRUSTED_MS) {
      if (!opened.connection.isCurrent()) return undefined;
      this.#lookedAt = now;
    }
    return opened;
  }

  async #open(mode: "read" | "write", patience: Patience): Promise<OpenedStore | undefined> {
    for (;;) {
      const ready = this.#ready(mode);
      if (ready !== undefined) return ready;
      const connection = await whenFree(patience, () => Connection.open(this.paths.store, mode));
      if (connection === undefined) return undefined;
      let identity: StoreIdentity | undefined;
      try {
        identity = await whenFree(patience, () => identityOf(connection));
        const unwrapped = this.#unwrapped(identity);
        // A key file answers at once; a person or a keychain may not.
        const key = await (identity.key.protection === "key_file" ? unwrapped : untilImpatient(unwrapped, patience));
        // Another call may have been faster.
        const meanwhile = this.#ready(mode);
        if (meanwhile !== undefined) {
          connection.close();
          return meanwhile;
        }
        this.#forget();
        this.#lookedAt = Date.now();
        return (this.#opened = { connection, ...key });
      } catch (error) {
        const outdated = identity !== undefined && isOutdated(connection, identity);
        connection.close();
        if (!outdated) throw error instanceof Unopenable ? damaged(this.paths.store, error.what) : error;
        assertPatient(patience);
      }
    }
  }

  // Those who come while a passphrase is asked for wait for the same answer; each with its own patience.
  #unwrapped({ storeId, key }: StoreIdentity): Promise<StoreKey> {
    const id = `${storeId} ${key.id}`;
    if (this.#unwrapping?.id === id) return this.#unwrapping.key;
    const unwrapped = unwrapDataKey(key, { storeId, paths: this.paths, settings: this.settings }).then((dataKey) =>
      storeKey(storeId, key.id, dataKey),
    );
    this.#unwrapping = { id, key: unwrapped };
    // A wrong passphrase is asked for again by the next call.
    unwrapped.catch(() => {
      if (this.#unwrapping?.key === unwrapped) this.#unwrapping = undefined;
    });
    return unwrapped;
  }

  #forget(): void {
    this.#opened?.connection.close();
    this.#opened = undefined;
    this.#countedAt = undefined;
  }
}

/** Whether another process has changed the key since the store was asked for it: then the old one may be gone from its place. */
export function isOutdated(connection: Connection, { key }: StoreIdentity): boolean {
  try {
    return keyIdOf(connection) !== key.id;
  } catch {
    return false;
  }
}

/**
 * All heads of a store in the order of their names, the last page only when they are those that the census tells.
 * @throws Unopenable when any row of the store was dropped, added or exchanged
 */
export function* countedPages(store: OpenedStore): Generator<readonly HeadRow[]> {
  const census = censusOf(store);
  const sum: Sum = { count: 0, low: 0, high: 0 };
  let held: readonly HeadRow[] = [];
  for (const page of headPages(store.connection)) {
    for (const head of page) store.sum.add(sum, head);
    if (held.length > 0) yield held;
    held = page;
  }
  if (!sameSum(sum, census)) throw new Unopenable("Secrets are missing from the store, or were exchanged for older ones.");
  if (held.length > 0) yield held;
}

/** The keys that are derived from a data key. */
export function storeKey(storeId: string, keyId: number, dataKey: Uint8Array): StoreKey {
  return { storeId, keyId, sealer: new Sealer(storeId, dataKey), sum: new HeadSum(dataKey, storeId) };
}

/**
 * The census of a store.
 * @throws Unopenable when it is damaged
 */
export function censusOf({ connection, sealer }: OpenedStore): Census {
  const census = decodeCensus(sealer.open(sealer.censusLabel, sealedCensusOf(connection)));
  if (census === undefined) throw new Unopenable("The count of the secrets is damaged.");
  return census;
}
