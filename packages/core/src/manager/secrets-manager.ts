import { SecretsError } from "../errors/secrets-error.ts";
import { globalRegistry } from "../registry/global.ts";
import type { Registry } from "../registry/registry.ts";
import { assertName, nameInScope, scopePrefix } from "../secret/name.ts";
import { payloadBytes } from "../secret/payload.ts";
import { printable } from "../secret/printable.ts";
import type { Secret } from "../secret/secret.ts";
import { textOf, textValues } from "../secret/values.ts";
import type {
  DriverCapabilities,
  ReadOutcome,
  Revision,
  RevisionInfo,
  SecretRecord,
  SecretSchema,
  SecretScope,
  SecretsManagerDriver,
  SecretsManagerFlavor,
  StoredSecret,
} from "../spec.ts";
import { bulkRead, each } from "./bulk.ts";
import { SecretCache } from "./cache.ts";
import { Call, callWith, DEFAULT_TIMEOUT_MS, pause, type RequestOptions } from "./call.ts";
import { merge } from "./changes.ts";
import { Connection, demand } from "./connection.ts";
import { type GuardContext, guard, guardEach, managerError, notFound } from "./guard.ts";
import { listedPages } from "./listing.ts";
import { checkedRecord, revealed } from "./typed.ts";
import type {
  GetManyOptions,
  GetOptions,
  GetOutcome,
  ListFilter,
  NewSecret,
  RegisterOptions,
  ReplaceSettings,
  SecretChange,
  SecretInfo,
  SecretOf,
  SecretSchemas,
  SecretsManagerOptions,
  TransferReport,
  ValidatedGetOptions,
  WriteResult,
} from "./types.ts";

// What `validate: false` is remembered under; a schema object or type could not be mistaken for it.
const UNVALIDATED = Symbol("unvalidated");
// How often a change is repeated although nobody seems to have changed anything: a service whose reads are late shows it in the end.
const UNCHANGED_CONFLICTS = 5;
const UPSERT_ATTEMPTS = 8;

/**
 * A secrets manager of any flavor: the one type that users hold. It checks names, keys and schemas before anything is sent, wraps every error once,
 * and composes what services cannot do themselves. Every method takes `{ signal, timeoutMs }` and throws `SecretsError` only,
 * but for wrong types of arguments, which are a `TypeError`.
 */
export class SecretsManager {
  /** The name of the flavor. */
  readonly flavor: string;
  readonly scope: SecretScope;
  readonly #connection: Connection;
  readonly #prefix: string;
  readonly #options: SecretsManagerOptions;
  readonly #cache: SecretCache | undefined;
  readonly #timeoutMs: number;

  /** Use `createSecretsManager` or `openSecretsManager`. */
  constructor(flavor: SecretsManagerFlavor, settings: unknown, options: SecretsManagerOptions = {}) {
    this.flavor = flavor.name;
    this.scope = options.scope ?? "global";
    this.#prefix = scopePrefix(options);
    this.#options = options;
    this.#connection = new Connection(flavor, settings);
    this.#cache = options.cache === undefined ? undefined : new SecretCache(options.cache);
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  /**
   * What the service can do. Opens the driver.
   * @throws SecretsError `invalid_settings`, and whatever opening the service fails with
   */
  async capabilities(options: RequestOptions = {}): Promise<DriverCapabilities> {
    return (await this.#driver(this.#call(options), this.#context("capabilities"))).capabilities;
  }

  /**
   * Stores a new secret.
   * @throws SecretsError `already_exists`, `recently_deleted`, `invalid_name`, `invalid_key`, `schema_violation`, `unknown_schema`, `too_large`, …
   */
  async registerSecret<const Schema extends SecretSchema | string | undefined = undefined>(
    secret: NewSecret<Schema>,
    options: RegisterOptions = {},
  ): Promise<WriteResult> {
    const context = this.#context("registerSecret", secret.name);
    assertName(secret.name, this.scope);
    const record = await checkedRecord(secret.name, secret.schema, textOf(secret.values), this.#registry(), context);
    return this.#create(record, options.onDeleted ?? "error", this.#call(options), context);
  }

  /**
   * Reads a secret. With a schema (or the type of one) its content is typed, and checked against it; with `validate: false` it is the stored text.
   * @throws SecretsError `not_found`, `schema_mismatch` when the stored text does not fit, `unknown_schema`, `disabled`, …
   */
  getSecret(name: string, options: GetOptions & { readonly validate: false }): Promise<Secret>;
  getSecret(name: string, schema: SecretSchema | keyof SecretSchemas, options: GetOptions & { readonly validate: false }): Promise<Secret>;
  getSecret<Schema extends SecretSchema>(name: string, schema: Schema, options?: ValidatedGetOptions): Promise<SecretOf<Schema>>;
  getSecret<Type extends keyof SecretSchemas>(
    name: string,
    type: Type,
    options?: ValidatedGetOptions,
  ): Promise<SecretOf<SecretSchemas[Type]>>;
  getSecret(name: string, options?: GetOptions): Promise<Secret<Readonly<Record<string, unknown>>>>;
  async getSecret(name: string, second?: SecretSchema | string | GetOptions, third?: GetOptions): Promise<Secret<unknown>> {
    const schema = typeof second === "string" || isSchema(second) ? second : undefined;
    const options = (schema === undefined ? (second as GetOptions | undefined) : third) ?? {};
    if (this.#cache === undefined || this.#connection.closed || options.revision !== undefined) return this.#get(name, schema, options);
    const kind = options.validate === false ? UNVALIDATED : schema;
    const fresh = options.fresh === true ? undefined : this.#cache.fresh(name, kind);
    if (fresh !== undefined) return fresh;
    return this.#getThroughCache(this.#cache, name, kind, schema, options);
  }

  /**
   * Reads many secrets, with the service's batch calls where it has them, and past the cache. One answer per name, as they come; a failing one does not stop
   * the others. Names are taken as they are needed, so they may come from a listing. An error of their source ends the iteration as it is.
   * @throws SecretsError `invalid_name` for a name that no secret can have, `aborted`, `timeout` when the service is silent altogether
   */
  async *getSecrets(names: Iterable<string> | AsyncIterable<string>, options: GetManyOptions = {}): AsyncGenerator<GetOutcome> {
    const context = this.#context("getSecrets");
    const call = this.#call(options);
    const driver = await this.#driver(call, context);
    const contextOf = (name: string): GuardContext => this.#context("getSecrets", name.slice(this.#prefix.length));
    for await (const outcome of bulkRead(driver, this.#fullNames(names), call, context, contextOf)) {
      yield await this.#outcome(outcome, options.validate !== false, contextOf(outcome.name));
    }
  }

  async #outcome(outcome: ReadOutcome, validate: boolean, context: GuardContext): Promise<GetOutcome> {
    const name = context.secretName ?? "";
    try {
      if ("error" in outcome) throw outcome.error;
      if (outcome.secret === undefined) throw notFound(context);
      // A read without a schema argument gives the content of the stored one.
      const secret = (await revealed(name, outcome.secret, undefined, validate, this.#registry(), context)) as Secret<
        Readonly<Record<string, unknown>>
      >;
      return { name, secret };
    } catch (error) {
      if (!SecretsError.isInstance(error)) throw error;
      return { name, error };
    }
  }

  /**
   * Whether the secret exists. Forbidden, disabled and unreachable are errors, not "no".
   * @throws SecretsError `permission_denied`, `disabled`, `unavailable`, …
   */
  async hasSecret(name: string, options: RequestOptions = {}): Promise<boolean> {
    const context = this.#context("hasSecret", name);
    assertName(name, this.scope);
    return (await this.#read(name, undefined, this.#call(options), context)) !== undefined;
  }

  /**
   * Lists the secrets of the scope, page by page, without their values. An error ends the iteration: a list that ends by itself is whole.
   * @throws SecretsError `permission_denied`, `unavailable`, `timeout` when a page takes too long, …
   */
  async *listSecrets(filter: ListFilter = {}): AsyncGenerator<SecretInfo> {
    for await (const page of this.#listPages(filter, "listSecrets")) yield* page;
  }

  /** The same, a page at a time and as the service hands them out: for long lists, where handing over single names would take most of the time. */
  listSecretPages(filter: ListFilter = {}): AsyncGenerator<readonly SecretInfo[]> {
    return this.#listPages(filter, "listSecretPages");
  }

  async *#listPages(filter: ListFilter, method: string): AsyncGenerator<readonly SecretInfo[]> {
    const context = this.#context(method);
    const call = this.#call(filter);
    const driver = await this.#driver(call, context);
    yield* listedPages(driver, call, this.#prefix, filter, context);
  }

  /**
   * Changes keys of a secret and keeps the rest, also when several writers change different keys at once; only where the service cannot compare
   * (`compareAndSwap: "none"`) may one of them win. The result is checked against the stored schema.
   * @throws SecretsError `not_found`, `conflict` when `expected` is not current, `schema_violation`, `invalid_key`, …
   */
  async updateSecret(name: string, change: SecretChange, options: RequestOptions = {}): Promise<WriteResult> {
    const context = this.#context("updateSecret", name);
    assertName(name, this.scope);
    const call = this.#call(options);
    const driver = await this.#writable(call, context);
    if (change.expected !== undefined) demand(driver.capabilities, "compareAndSwap", context);
    let before: Revision | undefined;
    let unchanged = 0;
    for (let attempt = 1; ; attempt += 1) {
      const stored = await this.#read(name, undefined, call, context);
      if (stored === undefined) throw notFound(context);
      if (change.expected !== undefined && stored.revision !== change.expected)
        throw managerError("conflict", `The secret "${printable(name)}" is no longer at the expected revision.`, context);
      const old: SecretRecord = stored.state === "value" ? stored.record : { values: textValues() };
      const record = await checkedRecord(name, old.schema, merge(old.values, change, context), this.#registry(), context);
      try {
        const swap = driver.capabilities.compareAndSwap !== "none" && stored.revision !== undefined;
        return await this.#replace(
          name,
          record,
          { adopt: change.adopt, ...(swap ? { expected: change.expected ?? stored.revision } : {}) },
          call,
          context,
        );
      } catch (error) {
        const collided = SecretsError.isInstance(error) && error.code === "conflict" && error.retryable;
        // A conflict over content that stays the same is no collision: the secret is not ours, or the service reads late for ever.
        unchanged = attempt > 1 && stored.revision === before ? unchanged + 1 : 0;
        before = stored.revision;
        if (!collided || change.expected !== undefined || unchanged > UNCHANGED_CONFLICTS) throw error;
        // Somebody else was faster: their change and this one both count. The pause grows, so that many writers do not keep colliding.
        await pause(Math.random() * Math.min(5 * 2 ** attempt, 200), call);
      }
    }
  }

  /**
   * Replaces the whole content of a secret. Without `schema` the stored one stays, which costs a read.
   * @throws SecretsError `not_found`, `conflict`, `schema_violation`, …
   */
  async replaceSecret<const Schema extends SecretSchema | string | undefined = undefined>(
    secret: NewSecret<Schema> & ReplaceSettings,
    options: RequestOptions = {},
  ): Promise<WriteResult> {
    return this.#replaceWhole(secret, this.#call(options), this.#context("replaceSecret", secret.name));
  }

  /**
   * Stores a secret whether or not it exists: the whole content, with the given schema or the stored one.
   * @throws SecretsError `conflict`, `recently_deleted`, `invalid_name`, `invalid_key`, `schema_violation`, …
   */
  async upsertSecret<const Schema extends SecretSchema | string | undefined = undefined>(
    secret: NewSecret<Schema>,
    options: RegisterOptions = {},
  ): Promise<WriteResult & { readonly created: boolean }> {
    const context = this.#context("upsertSecret", secret.name);
    const call = this.#call(options);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return { ...(await this.#replaceWhole(secret, call, context)), created: false };
      } catch (error) {
        if (!SecretsError.isInstance(error) || error.code !== "not_found") throw error;
      }
      try {
        const record = await checkedRecord(secret.name, secret.schema, textOf(secret.values), this.#registry(), context);
        return { ...(await this.#create(record, options.onDeleted ?? "error", call, context)), created: true };
      } catch (error) {
        // Registered by somebody else between the two calls: then it exists now, and is replaced. A service whose reads are late may take a moment to see it.
        if (!SecretsError.isInstance(error) || error.code !== "already_exists" || attempt === UPSERT_ATTEMPTS) throw error;
        await pause(Math.random() * 5 * 2 ** attempt, call);
      }
    }
  }

  /**
   * Deletes a secret. Where the service has a recovery window it is kept there, unless `immediate`.
   * @throws SecretsError `not_found`, …
   */
  async deleteSecret(name: string, options: RequestOptions & { readonly immediate?: boolean | undefined } = {}): Promise<void> {
    const context = this.#context("deleteSecret", name);
    assertName(name, this.scope);
    const call = this.#call(options);
    await this.#delete(name, options.immediate ?? false, await this.#writable(call, context), call, context);
  }

  /**
   * Deletes every secret of the scope, several at a time; in scope `none` only those that carry our marker. A failing one does not stop the others; the error
   * tells how many are left.
   * @throws SecretsError `unsupported` in scope `none` where the service has no marker; otherwise the code of the first that could not be deleted
   */
  async deleteAllSecrets(
    options: RequestOptions & { readonly immediate?: boolean | undefined } = {},
  ): Promise<{ readonly deleted: number }> {
    const context = this.#context("deleteAllSecrets");
    const call = this.#call(options);
    const driver = await this.#writable(call, context);
    if (this.scope === "none" && driver.capabilities.marker === "none") {
      throw managerError(
        "unsupported",
        `${this.flavor} does not mark what Coffer has written, so in scope "none" the secrets of other tools cannot be told apart.`,
        context,
        "Delete the secrets one by one, or use another scope.",
      );
    }
    // The whole list first: deleting while listing would move the pages under the list.
    const names: string[] = [];
    for await (const info of guardEach(call, "list", context, driver, () => driver.list(callWith(call, { prefix: this.#prefix })))) {
      const name = nameInScope(info.name, this.#prefix);
      if (name !== undefined && (this.scope !== "none" || info.managed === true)) names.push(name);
    }
    const { deleted, failures } = await this.#deleteEach(names, options.immediate ?? false, driver, call, context);
    const first = failures[0];
    if (first === undefined) return { deleted };
    const left = names.length - deleted;
    throw new SecretsError(
      first.code,
      `${deleted} ${deleted === 1 ? "secret was" : "secrets were"} deleted, ${left} ${left === 1 ? "is" : "are"} left. ${first.message}`,
      {
        operation: context.method,
        flavor: this.flavor,
        secretName: first.secretName,
        retryable: first.retryable,
        outcome: deleted > 0 || failures.some((failure) => failure.outcome === "unknown") ? "unknown" : "not_applied",
        hint: first.hint,
        cause: { name: "SecretsError", code: first.code },
      },
    );
  }

  async #deleteEach(
    names: readonly string[],
    immediate: boolean,
    driver: SecretsManagerDriver,
    call: Call,
    context: GuardContext,
  ): Promise<{ deleted: number; failures: SecretsError[] }> {
    let deleted = 0;
    const failures: SecretsError[] = [];
    try {
      for await (const outcome of each(call, context, names, driver.capabilities.maxInFlight, (name, step) =>
        this.#delete(name, immediate, driver, step, this.#context(context.method, name)),
      )) {
        // Deleted by somebody else meanwhile: what was wanted.
        if (!("error" in outcome) || outcome.error.code === "not_found") deleted += 1;
        else failures.push(outcome.error);
      }
    } catch (error) {
      if (!SecretsError.isInstance(error)) throw error;
      // What has ended it all is what the error of it all tells.
      failures.unshift(error);
    }
    return { deleted, failures };
  }

  /**
   * Gives a secret another name: a copy, then a deletion. Values and schema go along; older revisions stay behind, as the report says. What somebody else writes
   * to the old name between the two is deleted with it.
   * @throws SecretsError `not_found`, `already_exists`; when only the deletion fails the message says whether both exist
   */
  async renameSecret(from: string, to: string, options: RequestOptions = {}): Promise<TransferReport> {
    const context = this.#context("renameSecret", from);
    const call = this.#call(options);
    const driver = await this.#writable(call, context);
    const report = await this.#transfer(from, to, this, false, call, context);
    try {
      await this.#delete(from, false, driver, call, context);
    } catch (error) {
      if (!SecretsError.isInstance(error)) throw error;
      // Deleted by somebody else meanwhile: what was wanted.
      if (error.code === "not_found") return report;
      const old = `"${printable(from)}"`;
      const fate = error.outcome === "unknown" ? `whether ${old} was deleted is not known` : `${old} could not be deleted: both exist now`;
      throw new SecretsError(error.code, `"${printable(to)}" was written, but ${fate}. ${error.message}`, {
        operation: context.method,
        flavor: this.flavor,
        secretName: from,
        retryable: error.retryable,
        outcome: error.outcome,
        hint:
          error.outcome === "unknown" ? `Look whether ${old} is still there, and delete it if so.` : `Delete ${old} once that is possible.`,
        cause: { name: "SecretsError", code: error.code },
      });
    }
    return report;
  }

  /**
   * Copies a secret, also into another manager of any flavor. The copy is made only where the name is free, unless `overwrite`.
   * @throws SecretsError `not_found`, `already_exists`, `too_large` where the target takes less, `invalid_request` for a secret without a value
   */
  async copySecret(
    from: string,
    to: string,
    options: RequestOptions & { readonly manager?: SecretsManager | undefined; readonly overwrite?: boolean | undefined } = {},
  ): Promise<TransferReport> {
    return this.#transfer(
      from,
      to,
      options.manager ?? this,
      options.overwrite ?? false,
      this.#call(options),
      this.#context("copySecret", from),
    );
  }

  /**
   * Brings back a deleted secret, where the service keeps deleted ones for a while.
   * @throws SecretsError `unsupported`, `not_found`
   */
  async restoreSecret(name: string, options: RequestOptions = {}): Promise<void> {
    const context = this.#context("restoreSecret", name);
    assertName(name, this.scope);
    const call = this.#call(options);
    const driver = await this.#writable(call, context);
    demand(driver.capabilities, "restore", context);
    await this.#writing(
      name,
      guard(call, "restore", context, driver, async () => driver.restore?.(this.#prefix + name, callWith(call, {}))),
    );
  }

  /**
   * The stored revisions of a secret, newest first.
   * @throws SecretsError `unsupported`, `not_found`
   */
  async *history(name: string, options: RequestOptions = {}): AsyncGenerator<RevisionInfo> {
    const context = this.#context("history", name);
    assertName(name, this.scope);
    const call = this.#call(options);
    const driver = await this.#driver(call, context);
    demand(driver.capabilities, "revisions", context);
    const { history } = driver;
    if (history !== undefined)
      yield* guardEach(call, "history", context, driver, () => history.call(driver, this.#prefix + name, callWith(call, {})));
  }

  /**
   * Makes an older revision current again, as a new revision. Its text is taken as it is, also when the schema has become stricter since.
   * @throws SecretsError `unsupported` (also for a revision that is bytes), `not_found` for the secret or the revision, `conflict`
   */
  async rollbackSecret(name: string, revision: Revision, options: RequestOptions & ReplaceSettings = {}): Promise<WriteResult> {
    const context = this.#context("rollbackSecret", name);
    assertName(name, this.scope);
    const call = this.#call(options);
    const driver = await this.#writable(call, context);
    demand(driver.capabilities, "revisions", context);
    if (options.expected !== undefined) demand(driver.capabilities, "compareAndSwap", context);
    const stored = await this.#read(name, revision, call, context);
    if (stored?.state !== "value")
      throw managerError(
        "not_found",
        `The secret "${printable(name)}" has no revision "${printable(revision)}".`,
        context,
        "List its history to see which revisions are kept.",
      );
    if (stored.encoding === "base64")
      throw managerError(
        "unsupported",
        `The revision "${printable(revision)}" of "${printable(name)}" is bytes; written back it would be their base64 text.`,
        context,
        "Bring it back with the tool that has written it.",
      );
    return this.#replace(name, stored.record, options, call, context);
  }

  /**
   * Closes the connection to the service. Later calls fail with `closed`, and so do those that still wait for it to open; calls that are under way end as the
   * driver ends them. Closing twice is closing once.
   * @throws SecretsError when the driver fails to close, or takes too long
   */
  async close(options: RequestOptions = {}): Promise<void> {
    this.#cache?.forget();
    await this.#connection.close(this.#call(options), this.#context("close"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  toString(): string {
    return `[secrets manager: ${this.flavor}, scope ${this.scope}]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  async #get(name: string, schema: SecretSchema | string | undefined, options: GetOptions): Promise<Secret<unknown>> {
    const context = this.#context("getSecret", name);
    assertName(name, this.scope);
    const call = this.#call(options);
    const stored = await this.#read(name, options.revision, call, context);
    if (stored === undefined)
      throw options.revision === undefined
        ? notFound(context)
        : managerError("not_found", `The secret "${printable(name)}" has no revision "${printable(options.revision)}".`, context);
    return revealed(name, stored, schema, options.validate !== false, this.#registry(), context);
  }

  async #getThroughCache(
    cache: SecretCache,
    name: string,
    kind: unknown,
    schema: SecretSchema | string | undefined,
    options: GetOptions,
  ): Promise<Secret<unknown>> {
    const context = this.#context("getSecret", name);
    // The shared read has a deadline of its own; who waits for it keeps theirs.
    const timeoutMs = Math.max(options.timeoutMs ?? 0, this.#timeoutMs);
    const read = (signal: AbortSignal): Promise<Secret<unknown> | undefined> =>
      this.#get(name, schema, { validate: options.validate, signal, timeoutMs }).catch((error: unknown) => {
        if (SecretsError.isInstance(error) && error.code === "not_found") return undefined;
        throw error;
      });
    const secret = await cache.get(name, kind, read, {
      ask: options.fresh === true,
      wait: (answer) => guard(this.#call(options), "read", context, undefined, answer),
    });
    if (secret === undefined) throw notFound(context);
    return secret;
  }

  async #read(name: string, revision: Revision | undefined, call: Call, context: GuardContext): Promise<StoredSecret | undefined> {
    const opened = this.#connection.driver(call, context);
    const driver = opened instanceof Promise ? await opened : opened;
    if (revision !== undefined) demand(driver.capabilities, "revisions", context);
    return guard(call, "read", context, driver, () =>
      driver.read(this.#prefix + name, callWith(call, revision === undefined ? {} : { revision })),
    );
  }

  async #create(record: SecretRecord, onDeleted: "error" | "restore", call: Call, context: GuardContext): Promise<WriteResult> {
    const driver = await this.#writable(call, context);
    const name = context.secretName ?? "";
    this.#assertSize(record, driver, context);
    const revision = await this.#writing(
      name,
      guard(call, "create", { ...context, inFlight: record.values }, driver, () =>
        driver.create(this.#prefix + name, record, callWith(call, { onDeleted })),
      ),
    );
    return { name, revision: revision ?? null };
  }

  async #replaceWhole(
    secret: NewSecret<SecretSchema | string | undefined> & ReplaceSettings,
    call: Call,
    context: GuardContext,
  ): Promise<WriteResult> {
    assertName(secret.name, this.scope);
    const values = textOf(secret.values);
    const driver = await this.#writable(call, context);
    if (secret.expected !== undefined) demand(driver.capabilities, "compareAndSwap", context);
    let { schema } = secret;
    if (schema === undefined) {
      const stored = await this.#read(secret.name, undefined, call, context);
      if (stored === undefined) throw notFound(context);
      schema = stored.state === "value" ? stored.record.schema : undefined;
    }
    return this.#replace(secret.name, await checkedRecord(secret.name, schema, values, this.#registry(), context), secret, call, context);
  }

  async #replace(name: string, record: SecretRecord, settings: ReplaceSettings, call: Call, context: GuardContext): Promise<WriteResult> {
    const driver = await this.#writable(call, context);
    this.#assertSize(record, driver, context);
    const options = { adopt: settings.adopt ?? false, ...(settings.expected === undefined ? {} : { expected: settings.expected }) };
    const revision = await this.#writing(
      name,
      guard(call, "replace", { ...context, inFlight: record.values }, driver, () =>
        driver.replace(this.#prefix + name, record, callWith(call, options)),
      ),
    );
    return { name, revision: revision ?? null };
  }

  async #delete(name: string, immediate: boolean, driver: SecretsManagerDriver, call: Call, context: GuardContext): Promise<void> {
    await this.#writing(
      name,
      guard(call, "delete", context, driver, () => driver.delete(this.#prefix + name, callWith(call, { immediate }))),
    );
  }

  /** What is remembered of a secret is forgotten after a write, also after one that failed: its outcome may be unknown. */
  async #writing<Result>(name: string, write: Promise<Result>): Promise<Result> {
    try {
      return await write;
    } finally {
      this.#cache?.forget(name);
    }
  }

  async #transfer(
    from: string,
    to: string,
    target: SecretsManager,
    overwrite: boolean,
    call: Call,
    context: GuardContext,
  ): Promise<TransferReport> {
    assertName(from, this.scope);
    assertName(to, target.scope);
    if (target === this && from === to)
      throw managerError("invalid_request", `"${printable(to)}" is the name that the secret has already.`, context, "Choose another name.");
    const source = await this.#driver(call, context);
    await target.#writable(call, target.#context(context.method, to));
    const stored = await this.#read(from, undefined, call, context);
    if (stored === undefined) throw notFound(context);
    if (stored.state === "empty")
      throw managerError("invalid_request", `The secret "${printable(from)}" has no value to take along.`, context, "Update it first.");
    const targetContext = target.#context(context.method, to);
    const result = await target.#put(to, stored.record, overwrite, call, targetContext);
    const lost: string[] = [];
    // Whether there are any would cost a request, and a permission that reading a secret does not need.
    if (source.capabilities.revisions) lost.push("older revisions, if any");
    if (stored.encoding === "base64") lost.push("the bytes, which are stored as their base64 text");
    return { ...result, lost };
  }

  async #put(name: string, record: SecretRecord, overwrite: boolean, call: Call, context: GuardContext): Promise<WriteResult> {
    // The scope of the target decides how its driver writes names; the deadline and the signal stay those of the one operation.
    const own = call.inScope(this.scope);
    if (!overwrite) return this.#create(record, "error", own, context);
    try {
      return await this.#replace(name, record, {}, own, context);
    } catch (error) {
      if (!SecretsError.isInstance(error) || error.code !== "not_found") throw error;
      return this.#create(record, "error", own, context);
    }
  }

  async #writable(call: Call, context: GuardContext): Promise<SecretsManagerDriver> {
    if (this.#options.readonly === true)
      throw managerError("unsupported", "This secrets manager was opened read-only.", context, "Open it without readonly to write.");
    const driver = await this.#driver(call, context);
    demand(driver.capabilities, "write", context);
    return driver;
  }

  async #driver(call: Call, context: GuardContext): Promise<SecretsManagerDriver> {
    return this.#connection.driver(call, context);
  }

  async *#fullNames(names: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string> {
    const seen = new Set<string>();
    for await (const name of names) {
      assertName(name, this.scope);
      // One answer per name, also when it was asked for twice.
      if (seen.has(name)) continue;
      seen.add(name);
      yield this.#prefix + name;
    }
  }

  #assertSize(record: SecretRecord, driver: SecretsManagerDriver, context: GuardContext): void {
    const limit = driver.capabilities.maxValueBytes;
    if (limit === null) return;
    const size = payloadBytes(record);
    if (size > limit)
      throw managerError(
        "too_large",
        `The secret "${printable(context.secretName ?? "")}" has ${size} bytes; ${this.flavor} takes ${limit}.`,
        context,
        "Split it into several secrets, or keep the large part elsewhere.",
      );
  }

  #registry(): Registry {
    return this.#options.registry ?? globalRegistry();
  }

  #call(options: RequestOptions): Call {
    return new Call(this.scope, options, this.#timeoutMs);
  }

  #context(method: string, secretName?: string): GuardContext {
    return { method, flavor: this.flavor, secretName };
  }
}

function isSchema(value: unknown): value is SecretSchema {
  return typeof value === "object" && value !== null && "type" in value && "fields" in value;
}
