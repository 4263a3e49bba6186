import { randomUUID } from "node:crypto";
import { AwsError } from "./wire.ts";

/** The staging labels that the service moves by itself. */
export const CURRENT = "AWSCURRENT";
export const PREVIOUS = "AWSPREVIOUS";

/** One version of a secret. Its id is the token of the request that made it. */
export interface Version {
  readonly id: string;
  readonly value: string | Buffer;
  readonly createdAt: number;
  readonly stages: Set<string>;
}

/** One secret, with everything that the service knows of it. */
export interface EmulatedSecret {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  changedAt: number;
  deletedAt: number | undefined;
  /** A deletion without recovery that is still under way: when it will be done. */
  goneAt: number | undefined;
  kmsKeyId: string | undefined;
  owningService: string | undefined;
  readonly tags: Map<string, string>;
  readonly versions: Version[];
}

/** The secrets of one account and region. */
export class EmulatedSecrets {
  readonly region: string;
  readonly #byName = new Map<string, EmulatedSecret>();
  #lastInstant = 0;
  readonly #clock: () => number;

  constructor(region: string, clock: () => number) {
    this.region = region;
    this.#clock = clock;
  }

  /** A moment of now, in milliseconds, later than any before: versions have an order. */
  instant(): number {
    this.#lastInstant = Math.max(this.#clock(), this.#lastInstant + 1);
    return this.#lastInstant;
  }

  /** The secret with this name or ARN, also one that waits to be deleted. */
  find(id: string): EmulatedSecret | undefined {
    const name = id.startsWith("arn:") ? id.split(":").slice(6).join(":").slice(0, -7) : id;
    const secret = this.#byName.get(name);
    if (secret === undefined || (id.startsWith("arn:") && secret.arn !== id)) return undefined;
    if (secret.goneAt !== undefined && secret.goneAt <= this.#clock()) {
      this.#byName.delete(name);
      return undefined;
    }
    return secret;
  }

  add(name: string): EmulatedSecret {
    const now = this.instant();
    const suffix = randomUUID().replaceAll("-", "").slice(0, 6);
    const secret: EmulatedSecret = {
      name,
      arn: `arn:aws:secretsmanager:${this.region}:123456789012:secret:${name}-${suffix}`,
      createdAt: now,
      changedAt: now,
      deletedAt: undefined,
      goneAt: undefined,
      kmsKeyId: undefined,
      owningService: undefined,
      tags: new Map(),
      versions: [],
    };
    this.#byName.set(name, secret);
    return secret;
  }

  drop(secret: EmulatedSecret): void {
    this.#byName.delete(secret.name);
  }

  /** All that are not deleted, in the order in which they were made. */
  all(): EmulatedSecret[] {
    return [...this.#byName.keys()].flatMap((name) => {
      const secret = this.find(name);
      return secret === undefined || secret.deletedAt !== undefined ? [] : [secret];
    });
  }
}

/** The version that carries a staging label. */
export function staged(secret: EmulatedSecret, stage: string): Version | undefined {
  return secret.versions.find(({ stages }) => stages.has(stage));
}

/**
 * Adds a version as PutSecretValue does: a used token with the same value does nothing, with another value it fails. The first version of a secret is current
 * whatever labels it was given.
 * @throws AwsError
 */
export function addVersion(secret: EmulatedSecret, version: Omit<Version, "stages">, stages: readonly string[]): Version {
  const known = secret.versions.find(({ id }) => id === version.id);
  if (known !== undefined) {
    if (Buffer.from(known.value).equals(Buffer.from(version.value)) && typeof known.value === typeof version.value) return known;
    throw new AwsError("ResourceExistsException", "You can't use ClientRequestToken of a version that has another value.");
  }
  const added: Version = { ...version, stages: new Set() };
  const wanted = secret.versions.length === 0 ? [...new Set([...stages, CURRENT])] : stages;
  secret.versions.push(added);
  for (const stage of wanted) moveStage(secret, stage, added);
  secret.changedAt = version.createdAt;
  return added;
}

/** Moves a label to a version. Whatever was current becomes previous. */
export function moveStage(secret: EmulatedSecret, stage: string, to: Version | undefined): void {
  const from = staged(secret, stage);
  if (from === to) return;
  from?.stages.delete(stage);
  to?.stages.add(stage);
  if (stage === CURRENT && from !== undefined && to !== undefined) {
    staged(secret, PREVIOUS)?.stages.delete(PREVIOUS);
    from.stages.add(PREVIOUS);
    to.stages.delete(PREVIOUS);
  }
}
