import { randomBytes } from "node:crypto";

/** One version of a secret. Tags, content type and attributes belong to the version, not to the secret. */
export interface Version {
  readonly id: string;
  readonly value: string;
  contentType: string | undefined;
  tags: Readonly<Record<string, string>> | undefined;
  enabled: boolean;
  notBefore: number | undefined;
  expires: number | undefined;
  readonly created: number;
  updated: number;
}

interface Kept {
  /** The name as it was written first; the vault finds it in any case. */
  readonly name: string;
  readonly versions: Version[];
  /** Belongs to a certificate of the vault. */
  readonly managed: boolean;
}

interface Deleted extends Kept {
  readonly deletedAt: number;
  readonly purgeAt: number;
  /** Until then (milliseconds) the deletion is still going on. */
  readonly settledAt: number;
}

/** What a vault refuses, in its own words. */
export class VaultRefusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly inner: string | undefined;

  constructor(status: number, code: string, message: string, inner?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.inner = inner;
  }
}

/** What a new version is made of. */
export interface NewVersion {
  readonly value: string;
  readonly contentType?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly enabled?: boolean | undefined;
  readonly notBefore?: number | undefined;
  readonly expires?: number | undefined;
}

const RETENTION_SECONDS = 90 * 86_400;
const LONGEST_VALUE = 25_600;

const now = (): number => Math.floor(Date.now() / 1000);
const fold = (name: string): string => name.toLowerCase();

/** The secrets of one vault: names without case, soft delete that cannot be switched off, deletions and recoveries that take their time. */
export class Vault {
  /** Milliseconds that a deletion, a purge and a recovery go on after their answer. */
  settlingMs = 0;
  /** Nothing can be purged before its time. */
  purgeProtection = false;
  readonly #live = new Map<string, Kept>();
  readonly #deleted = new Map<string, Deleted>();
  /** Names that are still being purged, and until when. */
  readonly #purging = new Map<string, number>();
  /** Names that are still being recovered, and until when. */
  readonly #recovering = new Map<string, number>();

  /** A version of a secret, the newest one when none is named. Neither `nbf` nor `exp` keeps a value back; only `enabled` does. */
  get(name: string, id?: string): { readonly secret: Kept; readonly version: Version } {
    const secret = this.#isBusy(this.#recovering, name) ? undefined : this.#live.get(fold(name));
    const version = id === undefined ? secret?.versions.at(-1) : secret?.versions.find((each) => each.id === id);
    if (secret === undefined || version === undefined)
      throw new VaultRefusal(
        404,
        "SecretNotFound",
        `A secret with (name/id) ${id === undefined ? name : `${name}/${id}`} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command.`,
      );
    if (!version.enabled) throw new VaultRefusal(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled");
    return { secret, version };
  }

  set(name: string, made: NewVersion, managed = false): { readonly secret: Kept; readonly version: Version } {
    if (Buffer.byteLength(made.value) > LONGEST_VALUE)
      throw new VaultRefusal(
        400,
        "BadParameter",
        `The property 'value' has a size beyond the maximum permitted length of ${LONGEST_VALUE} characters.`,
      );
    this.#refuseReserved(name);
    const secret = this.#live.get(fold(name)) ?? { name, versions: [], managed };
    const time = now();
    const version: Version = {
      id: randomBytes(16).toString("hex"),
      value: made.value,
      contentType: made.contentType,
      tags: made.tags,
      enabled: made.enabled ?? true,
      notBefore: made.notBefore,
      expires: made.expires,
      created: time,
      updated: time,
    };
    secret.versions.push(version);
    this.#live.set(fold(name), secret);
    return { secret, version };
  }

  /** Changes what a version carries beside its value, in place. */
  update(name: string, id: string, change: Partial<Omit<NewVersion, "value">>): { readonly secret: Kept; readonly version: Version } {
    const secret = this.#live.get(fold(name));
    const version = secret?.versions.find((each) => each.id === id);
    if (secret === undefined || version === undefined)
      throw new VaultRefusal(404, "SecretNotFound", `A secret with (name/id) ${name}/${id} was not found in this key vault.`);
    if (change.contentType !== undefined) version.contentType = change.contentType;
    if (change.tags !== undefined) version.tags = change.tags;
    if (change.enabled !== undefined) version.enabled = change.enabled;
    if (change.notBefore !== undefined) version.notBefore = change.notBefore;
    if (change.expires !== undefined) version.expires = change.expires;
    version.updated = now();
    return { secret, version };
  }

  /** Every secret, disabled ones too, each with its newest version. */
  list(): { readonly secret: Kept; readonly version: Version }[] {
    return [...this.#live.values()].flatMap((secret) => {
      const version = secret.versions.at(-1);
      return version === undefined ? [] : [{ secret, version }];
    });
  }

  /** The versions of a secret, in no order that a client could rely on. A missing name has none. */
  versions(name: string): { readonly secret: Kept; readonly versions: readonly Version[] } | undefined {
    const secret = this.#live.get(fold(name));
    return secret === undefined ? undefined : { secret, versions: secret.versions.toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
  }

  delete(name: string): Deleted & { readonly version: Version } {
    const secret = this.#live.get(fold(name));
    const version = secret?.versions.at(-1);
    if (secret === undefined || version === undefined)
      throw new VaultRefusal(404, "SecretNotFound", `A secret with (name/id) ${name} was not found in this key vault.`);
    if (secret.managed)
      throw new VaultRefusal(403, "Forbidden", "Operation delete is not allowed on a secret that a certificate manages.", "ManagedSecret");
    this.#live.delete(fold(name));
    const time = now();
    const deleted = { ...secret, deletedAt: time, purgeAt: time + RETENTION_SECONDS, settledAt: Date.now() + this.settlingMs };
    this.#deleted.set(fold(name), deleted);
    return { ...deleted, version };
  }

  getDeleted(name: string): Deleted & { readonly version: Version } {
    const deleted = this.#deleted.get(fold(name));
    const version = deleted?.versions.at(-1);
    if (deleted === undefined || version === undefined || deleted.settledAt > Date.now())
      throw new VaultRefusal(404, "SecretNotFound", `Deleted Secret not found: ${name}`);
    return { ...deleted, version };
  }

  purge(name: string): void {
    const deleted = this.#deleted.get(fold(name));
    if (deleted === undefined) throw new VaultRefusal(404, "SecretNotFound", `Deleted Secret not found: ${name}`);
    if (deleted.settledAt > Date.now()) throw beingDeleted(name);
    if (this.purgeProtection)
      throw new VaultRefusal(
        403,
        "Forbidden",
        "Operation purge is not allowed because purge protection is enabled for this vault.",
        "ForbiddenByPolicy",
      );
    this.#deleted.delete(fold(name));
    this.#purging.set(fold(name), Date.now() + this.settlingMs);
  }

  recover(name: string): { readonly secret: Kept; readonly version: Version } {
    const deleted = this.#deleted.get(fold(name));
    const version = deleted?.versions.at(-1);
    if (deleted === undefined || version === undefined) throw new VaultRefusal(404, "SecretNotFound", `Deleted Secret not found: ${name}`);
    if (deleted.settledAt > Date.now()) throw beingDeleted(name);
    this.#deleted.delete(fold(name));
    const secret: Kept = { name: deleted.name, versions: deleted.versions, managed: deleted.managed };
    this.#live.set(fold(name), secret);
    this.#recovering.set(fold(name), Date.now() + this.settlingMs);
    return { secret, version };
  }

  #refuseReserved(name: string): void {
    const deleted = this.#deleted.get(fold(name));
    if ((deleted !== undefined && deleted.settledAt > Date.now()) || this.#isBusy(this.#purging, name)) throw beingDeleted(name);
    if (deleted !== undefined)
      throw new VaultRefusal(
        409,
        "Conflict",
        `Secret ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.`,
        "ObjectIsDeletedButRecoverable",
      );
    if (this.#isBusy(this.#recovering, name))
      throw new VaultRefusal(409, "Conflict", `Secret ${name} is currently being recovered.`, "ObjectIsBeingRecovered");
  }

  #isBusy(until: Map<string, number>, name: string): boolean {
    const end = until.get(fold(name));
    if (end === undefined) return false;
    if (end > Date.now()) return true;
    until.delete(fold(name));
    return false;
  }
}

function beingDeleted(name: string): VaultRefusal {
  return new VaultRefusal(409, "Conflict", `Secret ${name} is currently being deleted.`, "ObjectIsBeingDeleted");
}
