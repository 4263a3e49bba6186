import { decodePayload, DriverError, encodePayload, type SecretRecord, type StoredSecret } from "@coffer/core";
import { isOurs } from "./revisions.ts";

const LARGEST = 65_536;

/** The text that is stored for a record. The service's model counts characters, the service itself bytes. */
export function payloadOf(record: SecretRecord): string {
  const payload = encodePayload(record);
  const size = Buffer.byteLength(payload);
  if (size > LARGEST) throw new DriverError("too_large", undefined, { safeMessage: `It has ${size} bytes; AWS takes ${LARGEST}.` });
  return payload;
}

/** What GetSecretValue and BatchGetSecretValue tell of a secret. */
interface ValueAnswer {
  readonly VersionId?: string | undefined;
  readonly SecretString?: string | undefined;
  readonly SecretBinary?: Uint8Array | undefined;
  readonly CreatedDate?: Date | undefined;
}

/** A secret as the service answers it. The time that it tells is that of the version. */
export function storedSecret({
  VersionId: revision,
  SecretString: text,
  SecretBinary: bytes,
  CreatedDate: updatedAt,
}: ValueAnswer): StoredSecret {
  const value = text ?? bytes;
  // Whoever writes a version of ours has marked the secret; of other versions this answer does not tell.
  const metadata = { revision, updatedAt, managed: isOurs(revision) ? true : null };
  return value === undefined ? { ...metadata, state: "empty" } : { ...metadata, state: "value", ...decodePayload(value) };
}
