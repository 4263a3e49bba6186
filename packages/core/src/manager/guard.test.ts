import { inspect } from "node:util";
import { expect, test } from "vitest";
import { z } from "zod";
import {
  createSecretsManager,
  defineFlavor,
  DriverError,
  type SecretsManagerDriver,
  SecretsError as SecretsErrorClass,
  type SecretsError,
} from "../index.ts";

const TOKEN = "token-5b1e9d44";
const VALUE = "canary-0c77e1aa";

// What an SDK throws: the request, with its headers and its body, hangs on the error.
class SdkError extends Error {
  override readonly name = "SdkError";
  readonly code = "ECONNREFUSED";
  readonly config = { headers: { "X-Token": TOKEN }, data: JSON.stringify({ password: VALUE }) };
}

const capabilities: SecretsManagerDriver["capabilities"] = {
  writable: true,
  atomicCreate: true,
  compareAndSwap: "none",
  revisions: false,
  restore: false,
  marker: "none",
  listMetadata: false,
  listing: "strong",
  readAfterWrite: "strong",
  maxValueBytes: 1000,
  caseSensitive: true,
  batchSize: 1,
  maxInFlight: 2,
};

function managerOf(driver: Partial<SecretsManagerDriver>, options: Parameters<typeof createSecretsManager>[2] = {}) {
  const missing = async (): Promise<never> => Promise.reject(new Error("not part of this test"));
  const flavor = defineFlavor({
    name: "fragile",
    settings: z.strictObject({}),
    open: async () => ({
      capabilities,
      read: missing,
      create: missing,
      replace: missing,
      delete: missing,
      list: () => ({ [Symbol.asyncIterator]: () => ({ next: missing }) }),
      classify: () => ({
        code: "unavailable",
        retryable: true,
        outcome: "unknown",
        safeMessage: `connect ECONNREFUSED with ${VALUE}`,
        status: 502,
        requestId: "req-1",
      }),
      ...driver,
    }),
  });
  return createSecretsManager(flavor, {}, options);
}

const everything = (error: unknown): string =>
  [
    String(error),
    inspect(error, { depth: 12, showHidden: true, getters: true }),
    JSON.stringify(error),
    inspect((error as Error).cause, { depth: 12, showHidden: true }),
  ].join("\n");

const failureOf = async (promise: Promise<unknown>): Promise<SecretsError> =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (error: SecretsError) => error,
  );

test("T28: an error of a driver is wrapped once; neither token nor value is in it, its cause or its JSON", async () => {
  const manager = managerOf({ create: async () => Promise.reject(new SdkError(`refused, you sent ${VALUE}`)) });
  const error = await failureOf(manager.registerSecret({ name: "db", values: { password: VALUE } }));
  expect(error).toMatchObject({
    code: "unavailable",
    operation: "registerSecret",
    flavor: "fragile",
    secretName: "db",
    retryable: true,
    outcome: "unknown",
  });
  expect(error.cause).toEqual({ name: "SdkError", code: "ECONNREFUSED", status: 502, requestId: "req-1" });
  expect(error.message).toContain("The change may have happened nevertheless.");
  expect(error.unsafeRaw()).toBeInstanceOf(SdkError);
  for (const secret of [TOKEN, VALUE]) expect(everything(error)).not.toContain(secret);
});

test("a name or code that carries a value does not become the cause", async () => {
  const manager = managerOf({ create: async () => Promise.reject(Object.assign(new Error("x"), { name: VALUE, code: "has spaces" })) });
  const error = await failureOf(manager.registerSecret({ name: "db", values: { password: VALUE } }));
  expect(everything(error)).not.toContain(VALUE);
  expect(error.cause).toEqual({ status: 502, requestId: "req-1" });
});

test("a driver that fails before it answers, and a classify that fails itself, are still one clean error", async () => {
  const manager = managerOf({
    read: () => {
      throw new SdkError("at once");
    },
    classify: () => {
      throw new Error("the table is broken");
    },
  });
  expect(await failureOf(manager.getSecret("db"))).toMatchObject({ code: "unknown", cause: { name: "SdkError" } });
});

test("T80: a driver that never answers and ignores its signal fails by the deadline, saying so", async () => {
  const manager = managerOf({ read: async () => new Promise<never>(() => {}) }, { timeoutMs: 40 });
  expect(await failureOf(manager.getSecret("db"))).toMatchObject({ code: "timeout", outcome: "not_applied", retryable: true });
});

test("T80: what a driver knows of a call that ran out of time is told, and nothing of the SDK's own words", async () => {
  const hanging = (code: "timeout" | "unknown"): ReturnType<typeof managerOf> =>
    managerOf(
      {
        read: async (_name, { signal }) =>
          new Promise<never>((_resolve, reject) => signal.addEventListener("abort", () => reject(new SdkError("cAnArY")))),
        classify: () => ({ code, retryable: true, outcome: "not_applied", safeMessage: "No answer came from vault.example." }),
      },
      { timeoutMs: 30 },
    );
  const error = await failureOf(hanging("timeout").getSecret("db"));
  expect(error.message).toMatch(/did not finish within 0\.03 s .*\. No answer came from vault\.example\.$/);
  expect((await failureOf(hanging("unknown").getSecret("db"))).message).not.toMatch(/vault\.example|cAnArY/);
});

test("an abort ends a hanging write at once, and says that it may have happened", async () => {
  const controller = new AbortController();
  const manager = managerOf({ create: async () => new Promise<never>(() => {}) });
  const pending = failureOf(manager.registerSecret({ name: "db", values: { a: "1" } }, { signal: controller.signal }));
  setTimeout(() => controller.abort(), 10);
  expect(await pending).toMatchObject({ code: "aborted", outcome: "unknown" });
});

test("an operation that was aborted before it began sends nothing", async () => {
  let calls = 0;
  const manager = managerOf({
    create: async () => {
      calls += 1;
      return undefined;
    },
  });
  await manager.capabilities();
  const error = await failureOf(manager.registerSecret({ name: "db", values: { a: "1" } }, { signal: AbortSignal.abort() }));
  expect([error.code, error.outcome, calls]).toEqual(["aborted", "not_applied", 0]);
});

test("a driver that knows what became of an aborted call is believed", async () => {
  const manager = managerOf(
    {
      create: async (_name, _record, { signal }) =>
        new Promise<never>((_resolve, reject) =>
          signal.addEventListener("abort", () =>
            reject(new DriverError("timeout", undefined, { outcome: "not_applied", safeMessage: "Still waiting for the lock." })),
          ),
        ),
    },
    { timeoutMs: 30 },
  );
  expect(await failureOf(manager.registerSecret({ name: "db", values: { a: "1" } }))).toMatchObject({
    code: "timeout",
    outcome: "not_applied",
  });
});

test("T86: a listing whose third page fails is no list", async () => {
  const manager = managerOf({
    list: async function* () {
      yield { name: "coffer/global/a", managed: null };
      yield { name: "coffer/global/b", managed: null };
      throw new SdkError("page 3");
    },
  });
  await expect(Array.fromAsync(manager.listSecrets())).rejects.toMatchObject({ code: "unavailable", operation: "listSecrets" });
});

test("a listing that hangs ends by the deadline and leaves nothing behind", async () => {
  const manager = managerOf(
    {
      list: async function* () {
        yield { name: "coffer/global/a", managed: null };
        await new Promise<never>(() => {});
      },
    },
    { timeoutMs: 40 },
  );
  await expect(Array.fromAsync(manager.listSecrets())).rejects.toMatchObject({ code: "timeout" });
});

test("what the capabilities rule out is refused before any request", async () => {
  const manager = managerOf({});
  expect(await failureOf(manager.restoreSecret("db"))).toMatchObject({ code: "unsupported", operation: "restoreSecret" });
  expect(await failureOf(manager.rollbackSecret("db", "1"))).toMatchObject({ code: "unsupported" });
  expect(await failureOf(manager.updateSecret("db", { values: { a: "1" }, expected: "1" }))).toMatchObject({ code: "unsupported" });
  expect(await failureOf(managerOf({}, { readonly: true }).deleteSecret("db"))).toMatchObject({
    code: "unsupported",
    message: expect.stringContaining("read-only"),
  });
  expect(await failureOf(managerOf({}, { scope: "none" }).deleteAllSecrets())).toMatchObject({ code: "unsupported" });
});

test("T92: a secret over the limit of the service is refused before any request, with both sizes", async () => {
  const error = await failureOf(managerOf({}).registerSecret({ name: "db", values: { a: "x".repeat(1000) } }));
  expect(error).toMatchObject({ code: "too_large", message: expect.stringMatching(/1008 bytes.*takes 1000/) });
});

test("one failing item of a bulk read does not stop the others", async () => {
  const manager = managerOf({
    read: async (name) => {
      if (name.endsWith("bad")) throw new SdkError("no");
      return name.endsWith("gone") ? undefined : { state: "value", record: { values: { a: "1" } }, managed: null };
    },
  });
  const outcomes = await Array.fromAsync(manager.getSecrets(["one", "bad", "two", "gone", "three"]));
  expect(
    outcomes
      .map((outcome) => [outcome.name, "error" in outcome ? outcome.error.code : outcome.secret.get("a")])
      .toSorted((a, b) => a.join().localeCompare(b.join())),
  ).toEqual([
    ["bad", "unavailable"],
    ["gone", "not_found"],
    ["one", "1"],
    ["three", "1"],
    ["two", "1"],
  ]);
});

test("after close every call is closed, also one that the cache could answer", async () => {
  const manager = managerOf(
    { read: async () => ({ state: "value", record: { values: { a: "1" } }, managed: null }) },
    { cache: { ttlMs: 60_000 } },
  );
  await manager.getSecret("db");
  await manager.close();
  await manager.close();
  expect(await failureOf(manager.getSecret("db"))).toMatchObject({ code: "closed" });
});

test("settings that are not valid name each setting and no value", async () => {
  const flavor = defineFlavor({
    name: "strict",
    settings: z.strictObject({ token: z.number(), kind: z.enum(["a", "b"]) }),
    open: async () => Promise.reject(new Error("never opened")),
  });
  const error = await failureOf(
    createSecretsManager(
      flavor, // @ts-expect-error: exactly what is wrong here is the test
      { token: VALUE, kind: VALUE, extra: VALUE },
    ).getSecret("db"),
  );
  expect(error).toMatchObject({
    code: "invalid_settings",
    message: expect.stringMatching(/token: expected number; kind: expected one of "a", "b"; extra: not a setting/),
  });
  expect(everything(error)).not.toContain(VALUE);
});

// What is thrown may be anything: a proxy, a getter that throws, a value that no SDK would throw.
const broken = (): never => {
  throw new Error(VALUE);
};
const hostile: readonly [string, () => unknown][] = [
  ["undefined", () => undefined],
  ["text with a value", () => VALUE],
  ["a getter that throws", () => Object.defineProperty({}, "name", { get: broken })],
  ["a proxy that throws at every look", () => new Proxy({}, { get: broken, has: broken, ownKeys: broken, getPrototypeOf: broken })],
  ["many errors", () => new AggregateError([new SdkError(VALUE)], VALUE, { cause: new SdkError(VALUE) })],
  ["an error of another copy without its parts", () => ({ [Symbol.for("@coffer/core/driver-error/1")]: true })],
];

test.each(hostile)("%s, thrown by a driver whose table is no better, is one clean error", async (_what, make) => {
  const reject = async (): Promise<never> => Promise.reject(make());
  const classify = (error: unknown) => ({ code: (error as Error).name, retryable: "yes", outcome: 1, safeMessage: {} }) as never;
  const manager = managerOf({ create: reject, classify, list: () => ({ [Symbol.asyncIterator]: () => ({ next: reject }) }) });
  for (const call of [manager.registerSecret({ name: "db", values: { password: VALUE } }), Array.fromAsync(manager.listSecrets())]) {
    const error = await failureOf(call);
    expect(error).toMatchObject({ name: "SecretsError", code: "unknown", flavor: "fragile", retryable: false });
    for (const secret of [TOKEN, VALUE]) expect(everything(error)).not.toContain(secret);
  }
});

test("an error of ours that a driver throws itself is cleared of the values on their way", async () => {
  const own = new SecretsErrorClass("invalid_request", `refused ${VALUE}`, { hint: `not ${VALUE}` });
  const error = await failureOf(
    managerOf({ create: async () => Promise.reject(own) }).registerSecret({ name: "db", values: { password: VALUE } }),
  );
  expect(error).toMatchObject({ code: "invalid_request", message: "refused ***", hint: "not ***" });
  expect(everything(error)).not.toContain(VALUE);
});

test("a page of HTML is cut before it is searched, and no half of a value stays at the cut", async () => {
  const value = `canary-${"x".repeat(3000)}`;
  const safeMessage = `${value.repeat(3)}${" ".repeat(10_000 - 3 * value.length - 100)}${value}${"y".repeat(5_000_000)}`;
  const classify = () => ({ code: "unavailable" as const, retryable: true, outcome: "unknown" as const, safeMessage });
  const manager = managerOf({
    capabilities: { ...capabilities, maxValueBytes: null },
    create: async () => Promise.reject(new Error("x")),
    classify,
  });
  const error = await failureOf(manager.registerSecret({ name: "db", values: { password: value } }));
  expect(error.message.length).toBeLessThan(600);
  expect(error.message).toContain("***");
  expect(everything(error)).not.toContain("canary");
});

test("a read that fails has changed nothing, whatever the driver's table says of the error; a write may have", async () => {
  const throws = async (): Promise<never> => Promise.reject(new SdkError("lost"));
  const manager = managerOf({ read: throws, delete: throws });
  expect(await failureOf(manager.getSecret("db"))).toMatchObject({ outcome: "not_applied" });
  expect(await failureOf(manager.deleteSecret("db"))).toMatchObject({ outcome: "unknown" });
});
