import type { SecretContent, Revision, SecretInput, SecretSchema, TextLike } from "../spec.ts";
import type { Secret } from "../secret/secret.ts";
import type { ScopeOptions } from "../secret/name.ts";
import type { SecretsError } from "../errors/secrets-error.ts";
import type { Registry } from "../registry/registry.ts";
import type { CacheOptions } from "./cache.ts";
import type { RequestOptions } from "./call.ts";
import type { arbitrary, basicAuth, mysql } from "../schema/builtin.ts";

/**
 * The schemas that `getSecret(name, "mysql")` knows by their type. Packages and programs add theirs:
 * `declare module "@coffer/core" { interface SecretSchemas { mine: typeof mine } }`.
 */
export interface SecretSchemas {
  arbitrary: typeof arbitrary;
  basic_auth: typeof basicAuth;
  mysql: typeof mysql;
}

/** Options of a manager that are ours; the settings of a flavor are its own. */
export interface SecretsManagerOptions extends ScopeOptions {
  /** A manager that cannot write: every write is `unsupported` before any request. */
  readonly readonly?: boolean | undefined;
  /** Off by default. */
  readonly cache?: CacheOptions | undefined;
  /** Milliseconds that an operation may take, with all its requests; 30,000 by default. One on many secrets has it for each step. */
  readonly timeoutMs?: number | undefined;
  /** Where schemas are looked up; the registry of the process by default. */
  readonly registry?: Registry | undefined;
}

/** Values as they may be written without a schema known to the compiler. `undefined` leaves a key out. */
export type AnyInput = Readonly<Record<string, TextLike | undefined>>;

/** What may be written under a schema, or under the type of one that the compiler knows; anything where it knows neither. */
type InputOf<Schema> = Schema extends SecretSchema ? (string extends keyof SecretInput<Schema> ? AnyInput : SecretInput<Schema>) : AnyInput;

/** A whole secret to write. */
export interface NewSecret<Schema extends SecretSchema | string | undefined = SecretSchema | string | undefined> {
  readonly name: string;
  /** A schema, or the type of one that is registered; without it any key is allowed. The values are checked by the compiler where it knows the schema. */
  readonly schema?: Schema;
  readonly values: InputOf<Schema extends keyof SecretSchemas ? SecretSchemas[Schema] : Schema>;
}

export interface RegisterOptions extends RequestOptions {
  /** When the name is reserved by a deleted secret: fail with `recently_deleted` (the default), or restore it and write the new content. */
  readonly onDeleted?: "error" | "restore" | undefined;
}

export interface GetOptions extends RequestOptions {
  /** `false` hands over the stored text also when it does not fit its schema. */
  readonly validate?: boolean | undefined;
  /** An older revision. */
  readonly revision?: Revision | undefined;
  /** Ask the service even when the cache knows an answer; what it says is what the cache knows from then on. */
  readonly fresh?: boolean | undefined;
}

/** How to read with a schema, so that the content is what the schema says. */
export interface ValidatedGetOptions extends GetOptions {
  readonly validate?: true | undefined;
}

/** How to read many secrets. */
export interface GetManyOptions extends RequestOptions {
  /** `false` hands over the stored text also when it does not fit its schema. */
  readonly validate?: boolean | undefined;
}

/** What to change in a secret. Keys that are not named keep their values. */
export interface SecretChange {
  readonly values?: AnyInput | undefined;
  readonly removeKeys?: readonly string[] | undefined;
  /** Only change this revision; anything newer is a `conflict`. Without it a change that collides with another is repeated on the newer content. */
  readonly expected?: Revision | undefined;
  /** Also change a secret that another tool has written (scope `none`). */
  readonly adopt?: boolean | undefined;
}

export interface ReplaceSettings {
  /** Only replace this revision; anything newer is a `conflict`. */
  readonly expected?: Revision | undefined;
  /** Also replace a secret that another tool has written (scope `none`). */
  readonly adopt?: boolean | undefined;
}

export interface ListFilter extends RequestOptions {
  /** Only names that start with this text. */
  readonly prefix?: string | undefined;
  /** Only names that match: `*` within one part between slashes, `**` across, `?` for one character. */
  readonly match?: string | undefined;
}

/** One entry of a listing; `null` where the service does not tell. */
export interface SecretInfo {
  readonly name: string;
  /** The type of the schema, `arbitrary` when it is known to have none. */
  readonly schema: string | null;
  readonly revision: Revision | null;
  readonly createdAt: Date | null;
  readonly updatedAt: Date | null;
  readonly managed: boolean | null;
}

export interface WriteResult {
  readonly name: string;
  /** `null` where the service keeps no revisions. */
  readonly revision: Revision | null;
}

/** What a copy or a rename did, and what it could not take along. */
export interface TransferReport extends WriteResult {
  /** What stayed behind, in words: older revisions where the service keeps any, and that a value was bytes. */
  readonly lost: readonly string[];
}

/** One answer of a bulk read. */
export type GetOutcome =
  | { readonly name: string; readonly secret: Secret<Readonly<Record<string, unknown>>> }
  | { readonly name: string; readonly error: SecretsError };

/** The secret that `getSecret(name, schema)` gives. */
export type SecretOf<Schema extends SecretSchema> = Secret<SecretContent<Schema>>;
