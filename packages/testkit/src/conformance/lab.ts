import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type {
  CallOptions,
  CreateOptions,
  DeleteOptions,
  DriverCapabilities,
  ErrorCode,
  ErrorInfo,
  Operation,
  ReplaceOptions,
  Revision,
  SecretRecord,
  SecretScope,
  SecretsManagerDriver,
  StoredSecret,
  StoredSecretInfo,
} from "@coffer/core";
import { DriverError } from "@coffer/core";
import { within } from "./patience.ts";
import type { ConformanceFaults, ConformanceSubject, OpenedSubject, OutOfBand } from "./subject.ts";

const DEFAULT_PATIENCE_MS = 10_000;
const LONGEST_WAIT_MS = 100;

/** Keys and values; as pairs where a key is `__proto__`. */
export type Entries = Readonly<Record<string, string>> | readonly (readonly [string, string])[];

/** A record from keys and values, on an object without a prototype as drivers get it. */
export function recordOf(values: Entries, schema?: string): SecretRecord {
  const map: Record<string, string> = Object.create(null);
  const entries = Array.isArray(values) ? (values as readonly (readonly [string, string])[]) : Object.entries(values);
  for (const [key, value] of entries) map[key] = value;
  return schema === undefined ? { values: map } : { schema, values: map };
}

/** Keys and values in the order of keys: what two records are compared by, `__proto__` included. */
function contentOf(record: SecretRecord): { schema: string | undefined; entries: [string, string][] } {
  return { schema: record.schema, entries: Object.entries(record.values).toSorted(([a], [b]) => (a < b ? -1 : 1)) };
}

/** What a case works with: an opened subject, names of its own, and the words in which the contract's demands are written. */
export class Lab {
  readonly subject: ConformanceSubject;
  readonly opened: OpenedSubject;
  readonly driver: SecretsManagerDriver;
  /** Where fixtures are written: the driver itself, or its writing twin where the flavor cannot write. */
  readonly writer: SecretsManagerDriver;
  readonly capabilities: DriverCapabilities;
  readonly patienceMs: number;
  /** How long a case lets a call hang on purpose, in milliseconds: a fraction of the patience. */
  readonly waitMs: number;
  /** Unlike that of any other case or run, so that cases may share a service. */
  readonly id = randomUUID().slice(0, 8);

  readonly #others: SecretsManagerDriver[] = [];

  constructor(subject: ConformanceSubject, opened: OpenedSubject, writer: SecretsManagerDriver | undefined) {
    this.subject = subject;
    this.opened = opened;
    this.driver = opened.driver;
    this.writer = writer ?? opened.driver;
    if (writer !== undefined) this.#others.push(writer);
    this.capabilities = subject.capabilities;
    this.patienceMs = subject.patienceMs ?? DEFAULT_PATIENCE_MS;
    this.waitMs = Math.min(this.patienceMs / 100, LONGEST_WAIT_MS);
  }

  /** Opens a case's lab. */
  static async open(subject: ConformanceSubject): Promise<Lab> {
    const opened = await subject.open();
    try {
      return new Lab(subject, opened, subject.capabilities.writable ? undefined : await subject.writer?.(opened));
    } catch (error) {
      await opened.dispose?.();
      throw error;
    }
  }

  /** Closes what the case has opened. A driver that cannot close must not hide why the case failed; that close works is a case of its own. */
  async dispose(): Promise<void> {
    const closing = Promise.allSettled([this.driver, ...this.#others].map(async (driver) => driver.close?.()));
    await within(this.patienceMs, "The drivers did not close", closing).catch(() => undefined);
    await this.opened.dispose?.();
  }

  /** A driver as another process would open it, or the driver under test where the subject cannot open a second one. */
  async second(): Promise<SecretsManagerDriver> {
    const second = await this.subject.second?.(this.opened);
    if (second === undefined) return this.driver;
    this.#others.push(second);
    return second;
  }

  /** The name in full, as the manager would hand it down. */
  name(name: string, namespace = `case-${this.id}`): string {
    return `coffer/namespace/${namespace}/${name}`;
  }

  /** The path in front of every name of this case. */
  get prefix(): string {
    return this.name("");
  }

  call(options: { readonly signal?: AbortSignal; readonly scope?: SecretScope } = {}): CallOptions {
    return {
      signal: options.signal ?? new AbortController().signal,
      deadline: performance.now() + this.patienceMs,
      operationId: randomUUID(),
      scope: options.scope ?? "namespace",
    };
  }

  /** Runs one call, and fails rather than wait for ever. */
  patiently<Result>(what: string, promise: Promise<Result>): Promise<Result> {
    return within(this.patienceMs, `${what}: no answer`, promise);
  }

  create(
    name: string,
    record: SecretRecord,
    options: Partial<CreateOptions> & { readonly driver?: SecretsManagerDriver } = {},
  ): Promise<Revision | undefined> {
    const { driver = this.writer, ...rest } = options;
    return this.patiently(`create ${name}`, driver.create(name, record, { ...this.call(), onDeleted: "error", ...rest }));
  }

  replace(
    name: string,
    record: SecretRecord,
    options: Partial<ReplaceOptions> & { readonly driver?: SecretsManagerDriver } = {},
  ): Promise<Revision | undefined> {
    const { driver = this.driver, ...rest } = options;
    return this.patiently(`replace ${name}`, driver.replace(name, record, { ...this.call(), adopt: false, ...rest }));
  }

  delete(name: string, options: Partial<DeleteOptions> & { readonly driver?: SecretsManagerDriver } = {}): Promise<void> {
    const { driver = this.driver, ...rest } = options;
    return this.patiently(`delete ${name}`, driver.delete(name, { ...this.call(), immediate: false, ...rest }));
  }

  read(
    name: string,
    options: { readonly scope?: SecretScope; readonly revision?: Revision; readonly driver?: SecretsManagerDriver } = {},
  ): Promise<StoredSecret | undefined> {
    const { driver = this.driver, scope, ...rest } = options;
    return this.patiently(`read ${name}`, driver.read(name, { ...this.call(scope === undefined ? {} : { scope }), ...rest }));
  }

  /** Everything that a listing names, in its own order. */
  list(
    prefix = this.prefix,
    options: { readonly scope?: SecretScope; readonly driver?: SecretsManagerDriver } = {},
  ): Promise<StoredSecretInfo[]> {
    const { driver = this.driver, ...call } = options;
    return this.patiently(`list ${prefix}`, collect(driver.list({ ...this.call(call), prefix })));
  }

  /** Runs a check; where the service is declared to be late, again until it passes or the patience ends. */
  async settle(what: "listing" | "readAfterWrite", check: () => Promise<void>): Promise<void> {
    const until = performance.now() + (this.capabilities[what] === "eventual" ? this.patienceMs : 0);
    for (let wait = 1; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      try {
        return await check();
      } catch (error) {
        if (!(error instanceof assert.AssertionError) || performance.now() >= until) throw error;
      }
      await pause(wait);
    }
  }

  /** The secret is there, with exactly this content. */
  async expectContent(name: string, record: SecretRecord, options: Parameters<Lab["read"]>[1] = {}): Promise<void> {
    await this.settle("readAfterWrite", async () => {
      const secret = await this.read(name, options);
      assert.ok(secret !== undefined, `"${name}" was written and reads as missing.`);
      assert.equal(secret.state, "value", `"${name}" was written and reads as a secret without a value.`);
      if (secret.state === "value") assert.deepEqual(contentOf(secret.record), contentOf(record));
    });
  }

  async expectMissing(name: string): Promise<void> {
    await this.settle("readAfterWrite", async () => {
      assert.equal(await this.read(name), undefined, `"${name}" does not exist, and read answers something.`);
    });
  }

  /** The listing names exactly these, each once, in any order. */
  async expectNames(names: readonly string[], prefix = this.prefix): Promise<void> {
    await this.settle("listing", async () => {
      const listed = (await this.list(prefix)).map((info) => info.name);
      assert.deepEqual(listed.toSorted(), names.toSorted());
    });
  }

  /** Creates a secret and waits until reads see it: a fixture. */
  async stored(name: string, values: Entries, schema?: string): Promise<Revision | undefined> {
    const record = recordOf(values, schema);
    const revision = await this.create(name, record);
    await this.expectContent(name, record, { driver: this.driver });
    return revision;
  }

  /** Creates a secret and waits until reads see that something is there, whatever it is. */
  async made(name: string, values: Entries, schema?: string): Promise<void> {
    await this.create(name, recordOf(values, schema));
    await this.settle("readAfterWrite", async () => {
      assert.ok((await this.read(name)) !== undefined, `"${name}" was written and reads as missing.`);
    });
  }

  /** What the driver says about an error of its own. */
  explain(error: unknown, operation: Operation, driver = this.driver): ErrorInfo {
    return DriverError.isInstance(error) ? error.info : driver.classify(error, { operation });
  }

  /** The explanation of a call that must fail. */
  async failure(operation: Operation, promise: Promise<unknown>, driver = this.driver): Promise<ErrorInfo> {
    const error = await promise.then(
      () => new assert.AssertionError({ message: `${operation} must fail here, and it answered.` }),
      (reason: unknown) => reason,
    );
    if (error instanceof assert.AssertionError) throw error;
    return this.explain(error, operation, driver);
  }

  async expectCode(code: ErrorCode, operation: Operation, promise: Promise<unknown>): Promise<void> {
    assert.equal((await this.failure(operation, promise)).code, code, `the code of the failing ${operation}`);
  }

  /** Switches a fault on. Only cases that declared it get here. */
  async fault<Kind extends keyof ConformanceFaults<OpenedSubject>>(kind: Kind, ...rest: FaultArguments<Kind>): Promise<void> {
    const fault = this.subject.faults?.[kind] as ((opened: OpenedSubject, ...rest: unknown[]) => Promise<void> | void) | undefined;
    assert.ok(fault !== undefined, `The subject brings no fault "${kind}".`);
    await fault.call(this.subject.faults, this.opened, ...rest);
  }

  async plant<Kind extends keyof OutOfBand<OpenedSubject>>(kind: Kind, ...rest: PlantArguments<Kind>): Promise<void> {
    const plant = this.subject.outOfBand?.[kind] as ((opened: OpenedSubject, ...rest: unknown[]) => Promise<void> | void) | undefined;
    assert.ok(plant !== undefined, `The subject cannot make secrets out of band: "${kind}".`);
    await plant.call(this.subject.outOfBand, this.opened, ...rest);
  }

  credentials(): readonly string[] {
    const { credentials = [] } = this.subject;
    return typeof credentials === "function" ? credentials(this.opened) : credentials;
  }
}

type FaultArguments<Kind extends keyof ConformanceFaults<OpenedSubject>> =
  NonNullable<ConformanceFaults<OpenedSubject>[Kind]> extends (opened: OpenedSubject, ...rest: infer Rest) => unknown ? Rest : never;
type PlantArguments<Kind extends keyof OutOfBand<OpenedSubject>> =
  NonNullable<OutOfBand<OpenedSubject>[Kind]> extends (opened: OpenedSubject, ...rest: infer Rest) => unknown ? Rest : never;

/** Everything that an iteration yields. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
