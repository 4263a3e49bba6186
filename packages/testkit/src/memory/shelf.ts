import { randomUUID } from "node:crypto";
import type { DriverCapabilities, Revision } from "@coffer/core";

/** One stored version: the payload as bytes or text, the way a service keeps it. `undefined` is a secret that has no value yet. */
export interface MemoryVersion {
  readonly revision: Revision;
  readonly payload: string | Uint8Array | undefined;
  readonly createdAt: Date;
}

/** One secret. Entries are never changed, only put in place of each other, so that a stale view of the shelf is simply an older map. */
export interface MemoryEntry {
  readonly name: string;
  /** Oldest first, never empty. */
  readonly versions: readonly [MemoryVersion, ...MemoryVersion[]];
  readonly managed: boolean;
  readonly disabled: boolean;
  readonly deleted: boolean;
  readonly createdAt: Date;
}

/** What the memory service holds, and how late its readers learn of a write. */
export class MemoryShelf {
  readonly #capabilities: DriverCapabilities;
  readonly #entries = new Map<string, MemoryEntry>();
  /** What a read still sees after a write, once, where reads are eventual. */
  readonly #stale = new Map<string, MemoryEntry | undefined>();
  #listed: ReadonlyMap<string, MemoryEntry> = new Map();

  constructor(capabilities: DriverCapabilities) {
    this.#capabilities = capabilities;
  }

  /** The entry under exactly this name, soft-deleted ones too. */
  find(name: string): MemoryEntry | undefined {
    const entry = this.#entries.get(this.#key(name));
    return entry?.name === name ? entry : undefined;
  }

  /** The entry that stands in the way of this name: the same one, or its case twin where the service ignores case. */
  holder(name: string): MemoryEntry | undefined {
    return this.#entries.get(this.#key(name));
  }

  /** What a read is told: the entry, or what was there before the last write where reads are eventual. */
  glance(name: string): MemoryEntry | undefined {
    const key = this.#key(name);
    const entry = this.#stale.has(key) ? this.#stale.get(key) : this.#entries.get(key);
    this.#stale.delete(key);
    return entry?.name === name && !entry.deleted ? entry : undefined;
  }

  put(entry: MemoryEntry): void {
    const key = this.#key(entry.name);
    this.#blur(key);
    this.#entries.set(key, entry);
  }

  /** Corrects an entry in place, as a change of labels does: readers of the value notice nothing. */
  mend(entry: MemoryEntry): void {
    this.#entries.set(this.#key(entry.name), entry);
  }

  drop(name: string): void {
    const key = this.#key(name);
    this.#blur(key);
    this.#entries.delete(key);
  }

  /** The entry with one more version, or with this version alone where none are kept. */
  grown(entry: MemoryEntry | undefined, name: string, payload: MemoryVersion["payload"], managed: boolean): MemoryEntry {
    const version: MemoryVersion = { revision: randomUUID(), payload, createdAt: new Date() };
    const kept = entry !== undefined && this.#capabilities.revisions ? entry.versions : undefined;
    return {
      name,
      versions: kept === undefined ? [version] : [...kept, version],
      managed,
      disabled: false,
      deleted: false,
      createdAt: entry?.createdAt ?? version.createdAt,
    };
  }

  /** What a listing is told, in the order of names: the state of now, or of the time of the last listing where listings are eventual. */
  snapshot(prefix: string): MemoryEntry[] {
    const now = new Map(this.#entries);
    const seen = this.#capabilities.listing === "eventual" ? this.#listed : now;
    this.#listed = now;
    return [...seen.values()]
      .filter((entry) => entry.name.startsWith(prefix) && !entry.deleted)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  #key(name: string): string {
    return this.#capabilities.caseSensitive ? name : name.toLowerCase();
  }

  #blur(key: string): void {
    if (this.#capabilities.readAfterWrite === "eventual") this.#stale.set(key, this.#entries.get(key));
  }
}

/** The newest version of a secret. */
export function currentVersion(entry: MemoryEntry): MemoryVersion {
  return entry.versions.at(-1) ?? entry.versions[0];
}
