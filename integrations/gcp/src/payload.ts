import { decodePayload, type DecodedPayload, DriverError, encodePayload, type SecretRecord } from "@coffer/core";
import { crc32c } from "./checksum.ts";
import type { Methods } from "./service.ts";

/** The most bytes that a version holds. */
export const PAYLOAD_LIMIT = 65_536;

/** A payload as the service takes it. */
export interface Payload {
  readonly data: Uint8Array;
  readonly dataCrc32c: string;
}

/**
 * The payload of a record.
 * @throws DriverError `too_large`
 */
export function payloadOf(record: SecretRecord): Payload {
  const data = Buffer.from(encodePayload(record), "utf8");
  if (data.length > PAYLOAD_LIMIT)
    throw new DriverError("too_large", undefined, { safeMessage: `It has ${data.length} bytes; Secret Manager takes ${PAYLOAD_LIMIT}.` });
  return { data, dataCrc32c: crc32c(data) };
}

type Accessed = Methods["accessSecretVersion"]["answer"];

/**
 * The bytes of a version, held against their checksum.
 * @throws DriverError `corrupt` for an answer without a payload, or with one that was damaged on its way
 */
export function bytesOf({ payload }: Accessed): Uint8Array {
  const { data, dataCrc32c } = payload ?? {};
  const bytes = typeof data === "string" ? Buffer.from(data, "base64") : data;
  if (bytes === undefined || bytes === null) throw new DriverError("corrupt", undefined, { safeMessage: "The answer has no payload." });
  const expected = dataCrc32c?.toString();
  if (expected !== undefined && expected !== "0" && expected !== crc32c(bytes))
    throw new DriverError("corrupt", undefined, {
      retryable: true,
      safeMessage: "The payload does not fit its checksum.",
      hint: "Try again.",
    });
  return bytes;
}

/** What a version holds. */
export function contentOf(accessed: Accessed): DecodedPayload {
  return decodePayload(bytesOf(accessed));
}

/** Whether a version holds exactly this payload. */
export function holds(accessed: Accessed, payload: Payload): boolean {
  return Buffer.from(payload.data).equals(bytesOf(accessed));
}
