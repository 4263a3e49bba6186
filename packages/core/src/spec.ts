import type { $ZodObject, $ZodType, input as ZodInput, output as ZodOutput } from "zod/v4/core";
import type { ErrorCode } from "./errors/codes.ts";

/**
 * The version of this contract. It stands on every integration object and in every manifest, and it is part of the key of the
 * process-wide registry, so that two copies of core understand each other exactly when they speak the same contract.
 */
export const SPEC_VERSION = 1;

/** A map of keys to values as text, without a prototype: `__proto__` and its friends are data like any other key. */
export type TextValues = Readonly<Record<string, string>>;

/** What a driver stores: already valid, text only. No driver ever sees a schema, only its type. */
export interface SecretRecord {
  /** The type of the schema that governs the secret (`mysql`); absent when any key is allowed. */
  readonly schema?: string;
  /** Keys and values. Null-prototype objects; treat them as read-only. */
  readonly values: TextValues;
}

/** One stored version of a secret, named by the service in its own way. Opaque: compare for equality and hand back, nothing else. */
export type Revision = string;

/**
 * Which part of a service's name space a manager owns.
 * `none` means that names are the service's own: they are passed on unescaped, and no marker is demanded.
 */
export type SecretScope = "none" | "global" | "namespace" | "component";

/** The calls of a driver; told to `classify`, because the same answer of a service can mean two things in two calls. */
export type Operation = "open" | "read" | "create" | "replace" | "delete" | "list" | "read_many" | "history" | "restore" | "close";

/** Whether a failed write happened: `unknown` after a lost answer, so that the user is told that it may have. */
export type Outcome = "not_applied" | "unknown";

/** What every call of a driver is given. */
export interface CallOptions {
  /**
   * Aborts when the caller gives up or the deadline passes; the `name` of its `reason` says which: `AbortError` or `TimeoutError`. Drivers may ignore
   * it, the manager does not wait for them.
   */
  readonly signal: AbortSignal;
  /**
   * When the call must be over: milliseconds on the clock of `performance.now()`, which no change of the wall clock moves. In an iteration it moves on with
   * every step that the manager asks for, so read it here for each request instead of keeping it.
   */
  readonly deadline: number;
  /** A UUID of this logical operation, the same on every retry: the idempotency token where the service knows one. */
  readonly operationId: string;
  /** The scope of the manager. In every scope but `none` the driver escapes names injectively into what its service allows. */
  readonly scope: SecretScope;
}

export interface ReadOptions extends CallOptions {
  /** Read this revision instead of the current one. Only given when the driver declares `revisions`. */
  readonly revision?: Revision;
}

export interface CreateOptions extends CallOptions {
  /** What to do when the name is reserved by a soft-deleted secret: fail with `recently_deleted`, or bring it back and write the new content. */
  readonly onDeleted: "error" | "restore";
}

export interface ReplaceOptions extends CallOptions {
  /** Only replace when this is still the current revision; anything else is a `conflict`. Never given to a driver without `compareAndSwap`. */
  readonly expected?: Revision;
  /** Also replace a secret that does not carry our marker. Without it such a secret is a `conflict` that is not retryable. */
  readonly adopt: boolean;
}

export interface DeleteOptions extends CallOptions {
  /** Skip the recovery window where the service has one. */
  readonly immediate: boolean;
}

export interface ListOptions extends CallOptions {
  /** Only names that start with this text (the path of the scope, and more when the user narrows the list). */
  readonly prefix: string;
}

/** What a service knows about a stored secret besides its values. `undefined` means that the service cannot tell. */
export interface StoredSecretMetadata {
  readonly revision?: Revision | undefined;
  readonly createdAt?: Date | undefined;
  readonly updatedAt?: Date | undefined;
  /** Whether the secret carries our marker; `null` when the service cannot tell in this call. */
  readonly managed: boolean | null;
}

/** What `read` answers: a secret with its record, or one that exists without a value (the trace of an interrupted write). */
export type StoredSecret =
  | (StoredSecretMetadata & { readonly state: "value"; readonly record: SecretRecord; readonly encoding?: "base64" | undefined })
  | (StoredSecretMetadata & { readonly state: "empty" });

/** One entry of a listing: the name in full, with the path of the scope, and whatever came free with it. */
export interface StoredSecretInfo extends StoredSecretMetadata {
  readonly name: string;
  /** The schema's type, `null` when the secret has none, `undefined` when the listing does not tell. */
  readonly schema?: string | null | undefined;
  /** Missing means `value`, or that the listing does not tell. */
  readonly state?: "value" | "empty" | undefined;
}

/** One answer of `readMany`, exactly once per name: the secret (`undefined` when it does not exist) or the error that befell this one. */
export type ReadOutcome =
  | { readonly name: string; readonly secret: StoredSecret | undefined }
  | { readonly name: string; readonly error: unknown };

export interface RevisionInfo {
  readonly revision: Revision;
  readonly createdAt: Date | null;
  readonly current: boolean;
  /** The schema's type, `null` when the revision has none or the service does not tell. */
  readonly schema: string | null;
}

/** What a driver can do. Declared once, read by the manager (which refuses the rest before any request) and by the conformance suite. */
export interface DriverCapabilities {
  readonly writable: boolean;
  /** Two creates of one name: exactly one succeeds, whatever the timing. */
  readonly atomicCreate: boolean;
  readonly compareAndSwap: "atomic" | "best_effort" | "none";
  /** The driver has `history`, and `read` takes a `revision`. */
  readonly revisions: boolean;
  /** Deletes are soft, and `restore` undoes one. */
  readonly restore: boolean;
  /** How "written by Coffer" is marked: in the same call as the value, in another one, or not at all. */
  readonly marker: "atomic" | "separate" | "none";
  /** Listings carry the schema. */
  readonly listMetadata: boolean;
  readonly listing: "strong" | "eventual";
  /**
   * Whether a read sees every write that was answered before. The manager repeats no read: with `eventual`, a secret may be `not_found` for a moment after it
   * was registered, unless the driver itself asks again where its service has a way to be sure.
   */
  readonly readAfterWrite: "strong" | "eventual";
  /** The largest payload in bytes, as `encodePayload` writes it; `null` where there is no limit worth a check. */
  readonly maxValueBytes: number | null;
  readonly caseSensitive: boolean;
  /** How many names one call of `readMany` fetches; 1 without batch calls. */
  readonly batchSize: number;
  /** How many calls of this driver may be under way at once when the manager works on many secrets: reads without `readMany`, and `deleteAllSecrets`. */
  readonly maxInFlight: number;
}

/** How a driver explains a failure of its service. */
export interface ErrorInfo {
  readonly code: ErrorCode;
  /**
   * Whether the very same call may succeed later. For a `conflict` it says that somebody else was faster: `updateSecret` then reads again and repeats its
   * change. A secret that is not ours to replace is a `conflict` that is not retryable.
   */
  readonly retryable: boolean;
  readonly outcome: Outcome;
  /** The protocol's status, as a number (HTTP, gRPC). */
  readonly status?: number | undefined;
  readonly requestId?: string | undefined;
  /** Text of the service that may be shown: taken from its known JSON error shape only. Core still masks the values in flight. */
  readonly safeMessage?: string | undefined;
  /** What the user can do about it. */
  readonly hint?: string | undefined;
}

/**
 * What the author of a flavor implements: the few calls that differ from service to service. A plain object; everything that must be the
 * same everywhere is done by the application's copy of core. A driver lets the errors of its SDK fly and explains them in `classify`;
 * where it needs context to tell two failures apart it throws a `DriverError` itself.
 */
export interface SecretsManagerDriver {
  readonly capabilities: DriverCapabilities;
  /** `undefined` only when the secret does not exist. Forbidden, disabled and unreachable are errors. */
  read(name: string, options: ReadOptions): Promise<StoredSecret | undefined>;
  /** Must fail with `already_exists` when the name is taken. */
  create(name: string, record: SecretRecord, options: CreateOptions): Promise<Revision | undefined>;
  /** Replaces the whole record. Must fail with `not_found` when the name does not exist. */
  replace(name: string, record: SecretRecord, options: ReplaceOptions): Promise<Revision | undefined>;
  /** Must fail with `not_found` when the name does not exist. */
  delete(name: string, options: DeleteOptions): Promise<void>;
  /** Names and whatever metadata comes free, page by page; an error ends the iteration, a half list never looks complete. */
  list(options: ListOptions): AsyncIterable<StoredSecretInfo>;
  /** The same listing, page by page: for drivers that have pages in hand, because a hundred thousand names cost most of their time when handed over singly. */
  listPages?(options: ListOptions): AsyncIterable<readonly StoredSecretInfo[]>;
  /** Answers every name once, in any order. Names are asked for as batches need them: they may come from a listing that is still under way. */
  readMany?(names: AsyncIterable<string>, options: CallOptions): AsyncIterable<ReadOutcome>;
  /** Newest first. Must fail with `not_found` when the name does not exist. */
  history?(name: string, options: CallOptions): AsyncIterable<RevisionInfo>;
  /** Undoes a soft delete. Must fail with `not_found` when there is nothing to restore. */
  restore?(name: string, options: CallOptions): Promise<void>;
  close?(): Promise<void>;
  /** Explains an error that one of the calls above threw. Gets whatever was thrown, also what is no `Error`. */
  classify(error: unknown, context: { readonly operation: Operation }): ErrorInfo;
}

/** A zod object that checks the settings of a component, or a function that imports one, so that listing flavors loads no zod. */
export type SettingsSchema<Settings> = $ZodType<Settings> | (() => Promise<$ZodType<Settings>>);

/** Where a component lives: on this machine only, or where other machines reach it, too. */
export type Locality = "local" | "remote";

/** What every kind of component has in common. A flavor whose components all live in one kind of place says so in its type. */
export interface ComponentFlavor<Place extends Locality = Locality> {
  readonly type: "secrets_manager" | "orchestrator";
  /** The flavor's id, as in the documentation: `local`, `gcp_secrets_manager`. */
  readonly name: string;
  readonly aliases?: readonly string[];
  /** Where a component with these settings lives. A local component cannot be used by a remote orchestrator. */
  locality(settings: unknown): Place;
}

/** A kind of secrets manager. `open` imports its SDK, nothing else does. */
export interface SecretsManagerFlavor<
  Settings = unknown,
  SettingsInput = unknown,
  Place extends Locality = Locality,
> extends ComponentFlavor<Place> {
  readonly type: "secrets_manager";
  readonly settings: SettingsSchema<Settings>;
  /**
   * The checked settings when they are plainly right, or `undefined` when the schema has to look. It spares a program that starts for one call the
   * loading of zod; it must never take what the schema refuses, nor make anything else of it.
   */
  checkPlainly?(settings: unknown): Settings | undefined;
  /**
   * Opens the service. Makes no request that a later call would not make anyway. There is no `classify` yet, so a failure that has a code of its own is thrown as
   * a `DriverError`; anything else is `unknown`. Called again after a failure; what answers too late is closed.
   */
  open(settings: Settings): Promise<SecretsManagerDriver>;
  /** Never present: carries the input type of the settings for inference. */
  readonly "~settingsInput"?: SettingsInput;
}

/** The contract of orchestrators that stacks need to know; what runs a pipeline lives in its own package. */
export interface OrchestratorFlavor<Settings = unknown, Place extends Locality = Locality> extends ComponentFlavor<Place> {
  readonly type: "orchestrator";
  readonly settings: SettingsSchema<Settings>;
  open(settings: Settings): Promise<unknown>;
}

/** Which keys a secret may have and of which type. Made by `defineSecretSchema`. */
export interface SecretSchema<Fields extends $ZodObject = $ZodObject> {
  readonly type: string;
  /** A zod 4 object (zod or zod/mini); `undefined` for `arbitrary`, where any key is allowed. */
  readonly fields: Fields | undefined;
  readonly description?: string | undefined;
  /** Keys whose values are no secrets (a user name, a region): they may leave the process. */
  readonly publicKeys?: readonly string[] | undefined;
}

/** The typed content of a secret with this schema. */
export type SecretContent<Schema extends SecretSchema> = Schema extends SecretSchema<infer Fields> ? Readonly<ZodOutput<Fields>> : never;

/** What may be written under this schema: text, or the typed value itself. */
export type SecretInput<Schema extends SecretSchema> =
  Schema extends SecretSchema<infer Fields>
    ? {
        readonly [Key in keyof ZodInput<Fields>]:
          | (Key extends keyof ZodOutput<Fields> ? Extract<ZodOutput<Fields>[Key], TextLike> : never)
          | string
          | Extract<ZodInput<Fields>[Key], undefined>;
      }
    : never;

/** Values with one exact text form; objects and dates have several and are for the caller to write down. */
export type TextLike = string | number | bigint | boolean;

/** A schema that is loaded when it is first used: importing the integration that brings it loads no zod. */
export interface LazySecretSchema {
  /** The type of the schema that `load` gives. */
  readonly type: string;
  /** Imports the schema. Called again after a failure. */
  load(): Promise<SecretSchema>;
}

/** An npm package that brings flavors and schemas. Plain data: it registers nothing by itself. */
export interface Integration {
  readonly specVersion: 1;
  readonly name: string;
  /** The npm name of the package, told in messages when two packages bring the same flavor. */
  readonly package?: string;
  readonly flavors: readonly ComponentFlavor[];
  /** The schemas themselves, or what loads them. */
  readonly schemas: readonly (SecretSchema | LazySecretSchema)[];
}
