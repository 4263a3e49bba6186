import {
  DriverError,
  encodePayload,
  payloadBytes,
  recordFromMap,
  type ReplaceOptions,
  type SecretRecord,
  type SecretScope,
  type SecretsManagerDriver,
} from "@coffer/core";
import { objectOf } from "./answers.ts";
import type { VaultConnection } from "./client.ts";
import { encodePath, type KvVersion, secretPath } from "./names.ts";

/** What differs between the versions of the engine. */
export type EngineCalls = Pick<SecretsManagerDriver, "read" | "create" | "replace" | "delete" | "history" | "restore"> &
  Required<Pick<SecretsManagerDriver, "listPages">>;

/** A KV engine, and what the settings ask of it. */
export interface Engine {
  readonly connection: VaultConnection;
  readonly version: KvVersion;
  /** Where it is mounted, encoded. */
  readonly mount: string;
  readonly maxValueBytes: number | null;
  readonly softDelete: boolean;
  readonly customMetadata: boolean;
}

/** The path of a secret in one of the areas of an engine: `data`, `metadata`, `undelete` with version 2, none with version 1. */
export function pathOf({ mount, version }: Engine, area: string | undefined, name: string, scope: SecretScope): string {
  return [mount, ...(area === undefined ? [] : [area]), encodePath(secretPath(name, scope, version))].join("/");
}

/** What the engine stores for a record: the keys and values as they are, and the type of the schema among them. */
export function payloadOf({ maxValueBytes }: Engine, record: SecretRecord): Readonly<Record<string, unknown>> {
  const size = payloadBytes(record);
  if (maxValueBytes !== null && size > maxValueBytes)
    throw new DriverError("too_large", undefined, { safeMessage: `It has ${size} bytes; a secret of Vault has at most ${maxValueBytes}.` });
  return JSON.parse(encodePayload(record)) as Readonly<Record<string, unknown>>;
}

/** The record in the map that an engine holds, whoever wrote it. */
export function recordIn(map: unknown): SecretRecord {
  if (typeof map !== "object" || map === null || Array.isArray(map))
    throw new DriverError("unavailable", undefined, { safeMessage: "The server answers with something that is no secret." });
  return recordFromMap(objectOf(map));
}

/** Whether two records are the same, value by value. */
export function isSameRecord(one: SecretRecord, other: SecretRecord): boolean {
  return encodePayload(one) === encodePayload(other);
}

/**
 * In scope `none` names are not ours: what carries no marker is replaced on request alone.
 * @param managed `null` where the engine holds no marker
 */
export function refuseForeign(managed: boolean | null, options: ReplaceOptions): void {
  if (options.scope !== "none" || options.adopt || managed === true) return;
  throw new DriverError("conflict", undefined, {
    retryable: false,
    safeMessage: managed === null ? "Nothing tells whether Coffer or another tool wrote it." : "It was written by another tool.",
    hint:
      managed === null
        ? "Replace it with adopt, choose another scope, or set custom_metadata so that what Coffer writes is marked."
        : "Replace it with adopt to make it ours, or choose another name.",
  });
}
