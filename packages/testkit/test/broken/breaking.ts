import type {
  CallOptions,
  DriverCapabilities,
  ErrorCode,
  ErrorInfo,
  Operation,
  ReadOptions,
  ReadOutcome,
  SecretRecord,
  SecretsManagerDriver,
  StoredSecret,
} from "@coffer/core";
import type { MemoryService } from "../../src/index.ts";

/** A driver with one defect that real ones have had, and the demands that must notice it. */
export interface BrokenDriver {
  /** What the driver does: "a driver that …". */
  readonly defect: string;
  readonly capabilities?: Partial<DriverCapabilities>;
  readonly breaks: (driver: SecretsManagerDriver, service: MemoryService) => Partial<SecretsManagerDriver>;
  /** The case that names the defect. */
  readonly own: string;
  /** Cases that cannot hold without what the own one demands. */
  readonly also?: readonly string[];
  /** Why these have to fail too. */
  readonly because?: string;
}

/** The options of a call as a plain object: what the manager passes has getters that a spread would lose. */
export function callOf({ signal, deadline, operationId, scope }: CallOptions): CallOptions {
  return { signal, deadline, operationId, scope };
}

/** A record with every value changed; `undefined` drops the key. */
export function withValues(record: SecretRecord, change: (key: string, value: string) => string | undefined): SecretRecord {
  const values: Record<string, string> = Object.create(null);
  for (const [key, value] of Object.entries(record.values)) {
    const changed = change(key, value);
    if (changed !== undefined) values[key] = changed;
  }
  return { ...record, values };
}

/** Breaks what is written. */
export function writing(driver: SecretsManagerDriver, change: (record: SecretRecord) => SecretRecord): Partial<SecretsManagerDriver> {
  return {
    create: (name, record, options) => driver.create(name, change(record), options),
    replace: (name, record, options) => driver.replace(name, change(record), options),
  };
}

/** Breaks every value on its way in. */
export function storing(
  driver: SecretsManagerDriver,
  change: (value: string, key: string) => string | undefined,
): Partial<SecretsManagerDriver> {
  return writing(driver, (record) => withValues(record, (key, value) => change(value, key)));
}

/** Breaks what single reads answer. */
export function reading(
  driver: SecretsManagerDriver,
  change: (secret: StoredSecret, name: string, options: ReadOptions) => StoredSecret | undefined,
): Partial<SecretsManagerDriver> {
  return {
    read: async (name, options) => {
      const secret = await driver.read(name, options);
      return secret === undefined ? undefined : change(secret, name, options);
    },
  };
}

/** Breaks what the driver makes of names, in every call. */
export function naming(driver: SecretsManagerDriver, change: (name: string) => string): Partial<SecretsManagerDriver> {
  const { history, restore, readMany } = driver;
  return {
    read: (name, options) => driver.read(change(name), options),
    create: (name, record, options) => driver.create(change(name), record, options),
    replace: (name, record, options) => driver.replace(change(name), record, options),
    delete: (name, options) => driver.delete(change(name), options),
    ...(history && { history: (name, options) => history(change(name), options) }),
    ...(restore && { restore: (name, options) => restore(change(name), options) }),
    ...(readMany && {
      async *readMany(names, options) {
        const asked = new Map<string, string>();
        const changed = async function* (): AsyncIterable<string> {
          for await (const name of names) {
            asked.set(change(name), name);
            yield change(name);
          }
        };
        for await (const outcome of readMany(changed(), options)) yield { ...outcome, name: asked.get(outcome.name) ?? outcome.name };
      },
    }),
  };
}

/** Breaks what bulk reads answer; `undefined` leaves an answer out. */
export function answering(
  driver: SecretsManagerDriver,
  change: (outcome: ReadOutcome) => ReadOutcome | undefined,
): Partial<SecretsManagerDriver> {
  return {
    async *readMany(names, options) {
      for await (const outcome of driver.readMany?.(names, options) ?? []) {
        const changed = change(outcome);
        if (changed !== undefined) yield changed;
      }
    },
  };
}

/** Breaks what the driver says about errors. */
export function explaining(
  driver: SecretsManagerDriver,
  change: (info: ErrorInfo, error: unknown, operation: Operation) => ErrorInfo,
): Partial<SecretsManagerDriver> {
  return { classify: (error, context) => change(driver.classify(error, context), error, context.operation) };
}

/** Runs a call, and something else instead of its failure with this code. */
export async function unless<Result>(
  driver: SecretsManagerDriver,
  operation: Operation,
  code: ErrorCode,
  call: () => Promise<Result>,
  instead: (error: unknown) => Promise<Result> | Result,
): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    if (driver.classify(error, { operation }).code !== code) throw error;
    return instead(error);
  }
}

export async function recordAt(driver: SecretsManagerDriver, name: string, options: ReadOptions): Promise<SecretRecord | undefined> {
  const secret = await driver.read(name, options);
  return secret?.state === "value" ? secret.record : undefined;
}

/** Everything that a driver yields. */
export async function all<Item>(items: AsyncIterable<Item> | undefined): Promise<Item[]> {
  const collected: Item[] = [];
  if (items !== undefined) for await (const item of items) collected.push(item);
  return collected;
}

/** Lets two writes of one name that are under way at once share their keys. */
export function mixing<Options, Result>(
  write: (name: string, record: SecretRecord, options: Options) => Promise<Result>,
): (name: string, record: SecretRecord, options: Options) => Promise<Result> {
  const underWay = new Map<string, SecretRecord>();
  return async (name, record, options) => {
    const other = underWay.get(name);
    underWay.set(name, record);
    try {
      const mixed =
        other === undefined ? record : withValues({ ...record, values: { ...other.values, ...record.values } }, (_key, value) => value);
      return await write(name, mixed, options);
    } finally {
      underWay.delete(name);
    }
  };
}
