import { VaultRefusal } from "./answers.ts";
import type { CustomMetadata } from "./custom-metadata.ts";
import { type KvData, KvEntry, type KvRules, type VersionMetadata } from "./entry.ts";

/** How a KV engine is mounted. */
export interface KvMountOptions {
  /** The namespace that the mount belongs to; the root namespace by default. */
  readonly namespace?: string;
  /** Every write has to say which version it replaces. */
  readonly casRequired?: boolean;
  /** How many versions of a key are kept; 10 by default. */
  readonly maxVersions?: number;
}

/**
 * A mounted KV engine, version 1 or 2. The names are decoded, as a person would write them. What is called here happens behind the back of the
 * service: no request, no token, no fault. Refusals are thrown as {@link VaultRefusal}.
 */
export class KvMount {
  /** Where it is mounted, without slashes at the ends: `secret`, `team/kv`. */
  readonly path: string;
  readonly namespace: string;
  readonly version: 1 | 2;
  rules: KvRules;
  /** The engine is being turned from version 1 into version 2, and answers nothing. */
  upgrading = false;
  readonly #entries = new Map<string, KvEntry>();
  /** What each key was before it was written last. */
  readonly #before = new Map<string, KvEntry | undefined>();

  constructor(path: string, version: 1 | 2, { namespace = "", casRequired = false, maxVersions = 0 }: KvMountOptions = {}) {
    this.path = path;
    this.version = version;
    this.namespace = namespace;
    this.rules = { casRequired, maxVersions, deleteVersionAfter: 0 };
  }

  /** Every name that a listing knows of, deleted ones too, in order. */
  keys(): string[] {
    return [...this.#entries.keys()].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  /** The names directly in a folder (which ends in a slash, or is empty); folders in it end in a slash. */
  list(folder: string): string[] {
    const inside = this.keys().filter((name) => name.startsWith(folder) && name !== folder);
    return [...new Set(inside.map((name) => name.slice(folder.length).replace(/(?<=\/).*$/s, "")))];
  }

  /** The key with its versions, as it is or as it was before its last write; `undefined` when there is none. */
  entry(name: string, options: { readonly stale?: boolean } = {}): KvEntry | undefined {
    return options.stale === true && this.#before.has(name) ? this.#before.get(name) : this.#entries.get(name);
  }

  /** A version of a key (the current one by default); its data is `null` when it is deleted. */
  read(
    name: string,
    version?: number,
    options: { readonly stale?: boolean } = {},
  ): { readonly data: KvData | null; readonly metadata: VersionMetadata } | undefined {
    return this.entry(name, options)?.read(version);
  }

  /** Writes a key: a new version, or on version 1 in place of what was there. */
  write(name: string, data: KvData, options: { readonly cas?: number } = {}): VersionMetadata {
    const found = this.version === 2 ? this.#entries.get(name) : undefined;
    if (this.version === 2) this.checkAndSet(name, options.cas);
    return this.#changed(name, found?.copy() ?? this.#newEntry(), (entry) => entry.add(data, this.rules));
  }

  /** Throws a {@link VaultRefusal} unless a write that names this version may go on. A key that is deleted still has its number. */
  checkAndSet(name: string, cas: number | undefined): void {
    const found = this.#entries.get(name);
    if (cas === undefined && (this.rules.casRequired || found?.rules.casRequired === true))
      throw new VaultRefusal(400, ["check-and-set parameter required for this call"]);
    if (cas !== undefined && cas !== (found?.currentVersion ?? 0))
      throw new VaultRefusal(400, ["check-and-set parameter did not match the current version"]);
  }

  /** Marks versions as deleted, the current one by default. On version 1 there is only a real deletion. */
  softDelete(name: string, versions?: readonly number[]): void {
    if (this.version === 1) return this.deleteMetadata(name);
    this.#change(name, (entry) => entry.softDelete(versions ?? [entry.currentVersion]));
  }

  /** Brings versions back that are only marked as deleted. */
  undelete(name: string, versions: readonly number[]): void {
    this.#change(name, (entry) => entry.undelete(versions, this.rules));
  }

  /** Removes the data of versions for good. */
  destroy(name: string, versions: readonly number[]): void {
    this.#change(name, (entry) => entry.destroy(versions));
  }

  /** Removes a key and all that is known about it. */
  deleteMetadata(name: string): void {
    const found = this.#entries.get(name);
    if (found === undefined) return;
    this.#before.set(name, found);
    this.#entries.delete(name);
  }

  /** What users have said about a key; with `replacement` that is written first, also for a key that has no version yet. */
  customMetadata(name: string, replacement?: CustomMetadata): CustomMetadata | null {
    if (replacement !== undefined) this.writeMetadata(name, { customMetadata: replacement });
    return this.#entries.get(name)?.customMetadata ?? null;
  }

  /** Changes what is known about a key beside its versions; makes the key when it is missing. */
  writeMetadata(name: string, change: { readonly customMetadata?: CustomMetadata; readonly rules?: Partial<KvRules> }): void {
    const found = this.#entries.get(name);
    this.#changed(name, found?.copy() ?? this.#newEntry(), (entry) => {
      // No map and an empty map are the same in the storage.
      if (change.customMetadata !== undefined)
        entry.customMetadata = Object.keys(change.customMetadata).length === 0 ? null : change.customMetadata;
      entry.rules = { ...entry.rules, ...change.rules };
      entry.touch();
    });
  }

  /** Version 2 rounds numbers to doubles, version 1 does not. */
  #newEntry(): KvEntry {
    return new KvEntry({ keepsNumbers: this.version === 1 });
  }

  #change(name: string, change: (entry: KvEntry) => void): void {
    const found = this.#entries.get(name);
    if (found !== undefined) this.#changed(name, found.copy(), change);
  }

  /** Keeps what was there for reads that come too late, and puts the changed copy in its place: a change that throws changes nothing. */
  #changed<Result>(name: string, copy: KvEntry, change: (entry: KvEntry) => Result): Result {
    const result = change(copy);
    this.#before.set(name, this.#entries.get(name));
    this.#entries.set(name, copy);
    return result;
  }
}
