import { ServiceError } from "./service-error.ts";

export type VersionState = "ENABLED" | "DISABLED" | "DESTROYED";

/** One version of a secret, as the service keeps it. */
export interface VersionEntry {
  readonly number: number;
  readonly createTime: Date;
  state: VersionState;
  payload: Buffer | undefined;
  etag: string;
}

export interface Replication {
  readonly automatic?: { readonly customerManagedEncryption?: { readonly kmsKeyName: string } };
  readonly userManaged?: { readonly replicas: readonly unknown[] };
}

/** A secret, as the service keeps it. */
export interface SecretEntry {
  readonly id: string;
  readonly createTime: Date;
  readonly replication: Replication | undefined;
  readonly customerManagedEncryption: { readonly kmsKeyName: string } | undefined;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  etag: string;
  readonly versions: VersionEntry[];
}

/** A secret as a client sends it. */
export interface SecretInput {
  readonly name?: string;
  readonly etag?: string;
  readonly replication?: Replication;
  readonly customerManagedEncryption?: { readonly kmsKeyName: string };
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const PAYLOAD_LIMIT = 65_536;
const SECRET_ID = /^[A-Za-z0-9_-]{1,255}$/;
const LABEL_KEY = /^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u;
const LABEL_VALUE = /^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u;
const ANNOTATION_KEY = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const ANNOTATIONS_LIMIT = 16_384;

/** Refuses an id that the service does not allow. */
export function checkSecretId(id: string | undefined): string {
  if (id === undefined || !SECRET_ID.test(id))
    throw new ServiceError("INVALID_ARGUMENT", "The provided Secret ID [secret_id] does not match the expected format [[a-zA-Z_0-9-]+].");
  return id;
}

/** Refuses labels and annotations that the service does not allow. */
export function checkMetadata(labels: Readonly<Record<string, string>>, annotations: Readonly<Record<string, string>>): void {
  const label = Object.entries(labels).find(([key, value]) => !LABEL_KEY.test(key) || !LABEL_VALUE.test(value));
  if (label !== undefined || Object.keys(labels).length > 64)
    throw new ServiceError("INVALID_ARGUMENT", "The labels do not match the expected format.");
  const size = Object.entries(annotations).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  if (Object.keys(annotations).some((key) => !ANNOTATION_KEY.test(key)) || size > ANNOTATIONS_LIMIT)
    throw new ServiceError("INVALID_ARGUMENT", "The annotations do not match the expected format.");
}

/** Refuses what global and regional secrets do not have in common. */
export function checkReplication(input: SecretInput, regional: boolean): void {
  const { replication } = input;
  if (regional) {
    if (replication !== undefined)
      throw new ServiceError("INVALID_ARGUMENT", "Field [secret.replication] must not be set for regional secrets.");
    return;
  }
  if (input.customerManagedEncryption !== undefined)
    throw new ServiceError("INVALID_ARGUMENT", "Field [secret.customer_managed_encryption] is for regional secrets only.");
  if ((replication?.automatic === undefined) === (replication?.userManaged === undefined))
    throw new ServiceError("INVALID_ARGUMENT", "The [secret.replication] must be set to exactly one of automatic and user_managed.");
  if (replication?.userManaged !== undefined && replication.userManaged.replicas.length === 0)
    throw new ServiceError("INVALID_ARGUMENT", "At least one replica is needed.");
}

/** The checksum that goes along with a payload: CRC-32C (Castagnoli), as decimal text. */
export function crc32c(bytes: Uint8Array): string {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1;
  }
  return String((sum ^ 0xffffffff) >>> 0);
}
