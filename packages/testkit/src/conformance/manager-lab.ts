import assert from "node:assert/strict";
import type { ErrorCode, SecretsManager, SecretsManagerDriver, SecretsManagerOptions } from "@coffer/core";
import { createSecretsManager, defineFlavor, SecretsError } from "@coffer/core";
import { collect, type Lab } from "./lab.ts";

/** What a driver was asked while a case ran. */
export interface Traffic {
  /** The calls in their order: `read`, `create`, … */
  readonly calls: string[];
  /** The most calls that were under way at once. */
  peak: number;
}

/** A manager, and what its driver was asked. */
export interface ManagerLab {
  readonly manager: SecretsManager;
  readonly traffic: Traffic;
}

/** A manager over the subject's driver, as a user would have it: the flavor opens the driver under test, and every call of it is counted. */
export function managerOn(lab: Lab, options: SecretsManagerOptions & { readonly driver?: SecretsManagerDriver } = {}): ManagerLab {
  const { driver = lab.driver, ...rest } = options;
  const traffic: Traffic = { calls: [], peak: 0 };
  const flavor = defineFlavor({
    name: lab.subject.flavor,
    settings: async () => (await import("zod/mini")).object({}),
    open: async () => recorded(driver, traffic),
  });
  const scope = { scope: "namespace", namespace: `case-${lab.id}`, timeoutMs: lab.patienceMs } as const;
  return { manager: createSecretsManager(flavor, {}, { ...scope, ...rest }), traffic };
}

/** The same driver, with every call written down. */
function recorded(driver: SecretsManagerDriver, traffic: Traffic): SecretsManagerDriver {
  let underWay = 0;
  const once = async <Result>(call: string, run: () => Promise<Result>): Promise<Result> => {
    traffic.calls.push(call);
    underWay += 1;
    traffic.peak = Math.max(traffic.peak, underWay);
    try {
      return await run();
    } finally {
      underWay -= 1;
    }
  };
  const each = <Item>(call: string, run: () => AsyncIterable<Item>): AsyncIterable<Item> => {
    traffic.calls.push(call);
    return run();
  };
  const { listPages, readMany, history, restore } = driver;
  return {
    capabilities: driver.capabilities,
    read: (name, options) => once("read", () => driver.read(name, options)),
    create: (name, record, options) => once("create", () => driver.create(name, record, options)),
    replace: (name, record, options) => once("replace", () => driver.replace(name, record, options)),
    delete: (name, options) => once("delete", () => driver.delete(name, options)),
    list: (options) => each("list", () => driver.list(options)),
    close: () => once("close", async () => driver.close?.()),
    classify: (error, context) => driver.classify(error, context),
    ...(listPages && { listPages: (options) => each("list", () => listPages.call(driver, options)) }),
    ...(readMany && { readMany: (names, options) => each("readMany", () => readMany.call(driver, names, options)) }),
    ...(history && { history: (name, options) => each("history", () => history.call(driver, name, options)) }),
    ...(restore && { restore: (name, options) => once("restore", () => restore.call(driver, name, options)) }),
  };
}

/** Everything that a user can ask of a manager about one secret, by the name of the method. Each ends when its answer is complete. */
export function everyMethod(
  manager: SecretsManager,
  name: string,
  call: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {},
): Readonly<Record<string, () => Promise<unknown>>> {
  return { ...readingMethods(manager, name, call), ...writingMethods(manager, name, call) };
}

/** The methods that read. */
export function readingMethods(
  manager: SecretsManager,
  name: string,
  call: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {},
): Readonly<Record<string, () => Promise<unknown>>> {
  return {
    getSecret: () => manager.getSecret(name, call),
    hasSecret: () => manager.hasSecret(name, call),
    getSecrets: async () => {
      for await (const outcome of manager.getSecrets([name], call)) if ("error" in outcome) throw outcome.error;
    },
    listSecrets: () => collect(manager.listSecrets(call)),
  };
}

/** The methods that write. */
export function writingMethods(
  manager: SecretsManager,
  name: string,
  call: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {},
): Readonly<Record<string, () => Promise<unknown>>> {
  const values = { user: "etl" };
  return {
    registerSecret: () => manager.registerSecret({ name, values }, call),
    updateSecret: () => manager.updateSecret(name, { values }, call),
    replaceSecret: () => manager.replaceSecret({ name, values }, call),
    upsertSecret: () => manager.upsertSecret({ name, values }, call),
    deleteSecret: () => manager.deleteSecret(name, call),
    deleteAllSecrets: () => manager.deleteAllSecrets(call),
    renameSecret: () => manager.renameSecret(name, `${name}-2`, call),
    copySecret: () => manager.copySecret(name, `${name}-2`, call),
  };
}

/** The error of a call that must fail. */
export async function secretsError(what: string, promise: Promise<unknown>): Promise<SecretsError> {
  const error = await promise.then(
    () => assert.fail(`${what} must fail here, and it succeeded.`),
    (reason: unknown) => reason,
  );
  if (error instanceof assert.AssertionError) throw error;
  assert.ok(SecretsError.isInstance(error), `${what} failed with something else than a SecretsError`);
  return error;
}

/** Each call fails with this code, and not one request was made. */
export async function refusedUnasked(
  code: ErrorCode,
  traffic: Traffic,
  calls: Readonly<Record<string, () => Promise<unknown>>>,
): Promise<void> {
  const codes: Record<string, string> = {};
  for (const [method, call] of Object.entries(calls)) codes[method] = (await secretsError(method, call())).code;
  assert.deepEqual(codes, Object.fromEntries(Object.keys(calls).map((method) => [method, code])));
  assert.deepEqual(traffic.calls, [], "the requests that were made in spite of the refusal");
}
