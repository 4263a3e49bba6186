import { counted, VaultRefusal } from "./answers.ts";
import type { CustomMetadata } from "./custom-metadata.ts";
import { type Moment, moment } from "./moment.ts";
import { parseExactly } from "./numbers.ts";

/** What a secret holds: a map, of strings or of anything else that JSON has. */
export type KvData = Readonly<Record<string, unknown>>;

/** What a mount, or a key of its own, says about versions. */
export interface KvRules {
  readonly casRequired: boolean;
  /** 0 is the default of the other, and of both 10. */
  readonly maxVersions: number;
  /** Seconds after which a new version is deleted; 0 is never. */
  readonly deleteVersionAfter: number;
}

/** What is known about a version beside its data, as it goes over the wire. */
export interface VersionMetadata {
  readonly version: number;
  readonly created_time: string;
  /** Empty, or the time at which the version is gone, which may lie ahead. */
  readonly deletion_time: string;
  readonly destroyed: boolean;
  readonly custom_metadata: CustomMetadata | null;
}

interface Version {
  /** The data as JSON; `undefined` once it has been destroyed. */
  text: string | undefined;
  readonly created: Moment;
  deletion: Moment | undefined;
}

/** The storage of Vault, raft, takes no more for one version. */
const LARGEST_ENTRY = 1_048_576;
/** What the version's own fields and the encryption add to the data, about. */
const ENTRY_OVERHEAD = 64;
const DEFAULT_VERSIONS = 10;

/** One key of a KV engine with its versions. */
export class KvEntry {
  /** Numbers come back as they were written; otherwise as doubles. */
  readonly keepsNumbers: boolean;
  currentVersion = 0;
  oldestVersion = 0;
  /** How often the metadata was written; OpenBao alone tells it. */
  metadataVersion = 0;
  customMetadata: CustomMetadata | null = null;
  rules: KvRules = { casRequired: false, maxVersions: 0, deleteVersionAfter: 0 };
  readonly created: Moment = moment();
  updated: Moment = this.created;
  readonly #versions = new Map<number, Version>();

  constructor({ keepsNumbers }: { readonly keepsNumbers: boolean }) {
    this.keepsNumbers = keepsNumbers;
  }

  /** The numbers that are still known, oldest first. */
  get versions(): readonly number[] {
    return [...this.#versions.keys()];
  }

  /** A copy that later changes do not reach. */
  copy(): KvEntry {
    const copy = Object.assign(new KvEntry(this), {
      currentVersion: this.currentVersion,
      oldestVersion: this.oldestVersion,
      metadataVersion: this.metadataVersion,
      customMetadata: this.customMetadata,
      rules: this.rules,
      created: this.created,
      updated: this.updated,
    });
    for (const [number, version] of this.#versions) copy.#versions.set(number, { ...version });
    return copy;
  }

  /** The metadata was written once more. */
  touch(): void {
    this.metadataVersion += 1;
    this.updated = moment();
  }

  /** Adds a version, and drops the oldest ones that are too many. Throws a {@link VaultRefusal} when the data is too large. */
  add(data: KvData, mount: KvRules): VersionMetadata {
    const text = storedText(data);
    this.updated = moment();
    this.currentVersion += 1;
    this.#versions.set(this.currentVersion, { text, created: this.updated, deletion: this.#expiry(mount) });
    this.#prune(Math.max(this.rules.maxVersions, mount.maxVersions) || DEFAULT_VERSIONS);
    return this.metadataOf(this.currentVersion);
  }

  /** A version and what it holds, `null` when that is deleted or destroyed; `undefined` when there is no such version. */
  read(number = this.currentVersion): { readonly data: KvData | null; readonly metadata: VersionMetadata } | undefined {
    const version = this.#versions.get(number);
    if (version === undefined) return undefined;
    const text = isDeleted(version) ? undefined : version.text;
    const parse = this.keepsNumbers ? parseExactly : JSON.parse;
    return { data: text === undefined ? null : (parse(text) as KvData), metadata: this.metadataOf(number) };
  }

  /** What is known about a version beside its data. Throws a {@link VaultRefusal} when there is no such version. */
  metadataOf(number: number): VersionMetadata {
    const version = this.#versions.get(number);
    if (version === undefined) throw new VaultRefusal(404, []);
    return {
      version: number,
      created_time: version.created.text,
      deletion_time: version.deletion?.text ?? "",
      destroyed: version.text === undefined,
      custom_metadata: this.customMetadata,
    };
  }

  /** Marks versions as deleted; those that are gone already keep their time. */
  softDelete(numbers: readonly number[]): void {
    for (const version of this.#those(numbers)) if (!isDeleted(version)) version.deletion = moment();
  }

  /** Takes the mark away again, where the data is still there. */
  undelete(numbers: readonly number[], mount: KvRules): void {
    for (const version of this.#those(numbers)) version.deletion = this.#expiry(mount);
  }

  /** Removes the data of versions for good; their numbers stay known. */
  destroy(numbers: readonly number[]): void {
    for (const version of this.#those(numbers)) version.text = undefined;
  }

  #those(numbers: readonly number[]): Version[] {
    return numbers.flatMap((number) => {
      const version = this.#versions.get(number);
      return version === undefined || version.text === undefined ? [] : [version];
    });
  }

  #expiry(mount: KvRules): Moment | undefined {
    const limits = [this.rules.deleteVersionAfter, mount.deleteVersionAfter].filter((seconds) => seconds > 0);
    return limits.length === 0 ? undefined : moment(Date.now() + Math.min(...limits) * 1_000);
  }

  #prune(most: number): void {
    if (this.currentVersion - this.oldestVersion < most) return;
    this.oldestVersion = this.currentVersion - most + 1;
    for (const number of this.versions) if (number < this.oldestVersion) this.#versions.delete(number);
  }
}

function isDeleted({ deletion }: Version): boolean {
  return deletion !== undefined && deletion.at <= Date.now();
}

function storedText(data: KvData): string {
  const text = JSON.stringify(data);
  const size = Buffer.byteLength(text) + ENTRY_OVERHEAD;
  if (size > LARGEST_ENTRY) throw tooLarge(size);
  return text;
}

function tooLarge(size: number): VaultRefusal {
  const message = `put failed due to value being too large; got ${size} bytes, max: ${LARGEST_ENTRY} bytes`;
  return new VaultRefusal(500, [counted(message)]);
}
