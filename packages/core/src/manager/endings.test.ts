import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { createSecretsManager, defineFlavor, DriverError, type SecretsManagerDriver, type StoredSecret } from "../index.ts";

// How operations end: given up, left early, closed, with drivers that hang in every place.

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
  maxValueBytes: null,
  caseSensitive: true,
  batchSize: 1,
  maxInFlight: 2,
};
const stored = (value: string): StoredSecret => ({ state: "value", record: { values: { a: value } }, managed: null });
const never = async (): Promise<never> => new Promise<never>(() => {});

function flavorOf(driver: Partial<SecretsManagerDriver>, open: () => Promise<void> = async () => {}) {
  return defineFlavor({
    name: "slow",
    settings: z.strictObject({}),
    open: async () => {
      await open();
      return {
        capabilities,
        read: async () => stored("1"),
        create: async () => undefined,
        replace: async () => undefined,
        delete: async () => {},
        list: async function* () {},
        classify: () => ({ code: "unavailable", retryable: true, outcome: "unknown" }),
        ...driver,
      };
    },
  });
}

const managerOf = (driver: Partial<SecretsManagerDriver>, options: Parameters<typeof createSecretsManager>[2] = {}) =>
  createSecretsManager(flavorOf(driver), {}, options);

test("a listing has its time for each page: neither many pages nor a caller who takes his time use it up", async () => {
  const deadlines: boolean[] = [];
  const manager = managerOf(
    {
      list: async function* (options) {
        for (let page = 0; page < 6; page += 1) {
          await delay(30);
          deadlines.push(options.deadline > performance.now());
          yield { name: `coffer/global/${page}`, managed: null };
        }
      },
    },
    { timeoutMs: 100 },
  );
  const names: string[] = [];
  for await (const { name } of manager.listSecrets()) {
    names.push(name);
    await delay(20);
  }
  expect(names).toHaveLength(6);
  expect(deadlines).toEqual(deadlines.map(() => true));
});

test("all secrets are deleted, also when it takes longer than one operation may, and several at a time", async () => {
  let underWay = 0;
  let peak = 0;
  const manager = managerOf(
    {
      list: async function* () {
        for (let index = 0; index < 20; index += 1) yield { name: `coffer/global/${index}`, managed: null };
      },
      delete: async () => {
        underWay += 1;
        peak = Math.max(peak, underWay);
        await delay(20);
        underWay -= 1;
      },
    },
    { timeoutMs: 100 },
  );
  expect(await manager.deleteAllSecrets()).toEqual({ deleted: 20 });
  expect(peak).toBe(2);
});

test("work on many secrets can be given up although the driver never waits", async () => {
  let deleted = 0;
  const manager = managerOf({
    list: async function* () {
      for (let index = 0; index < 10_000; index += 1) yield { name: `coffer/global/${index}`, managed: null };
    },
    delete: async () => {
      deleted += 1;
      for (const end = performance.now() + 1; performance.now() < end;);
    },
  });
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 100);
  await expect(manager.deleteAllSecrets({ signal: controller.signal })).rejects.toMatchObject({ code: "aborted", outcome: "unknown" });
  expect(deleted).toBeLessThan(5000);
});

test("a service that is silent ends a deletion of everything after one time in each place, and the error counts what is left", async () => {
  let asked = 0;
  const manager = managerOf(
    {
      list: async function* () {
        for (let index = 0; index < 50; index += 1) yield { name: `coffer/global/${index}`, managed: null };
      },
      delete: async () => {
        asked += 1;
        if (asked > 10) await never();
      },
    },
    { timeoutMs: 40 },
  );
  await expect(manager.deleteAllSecrets()).rejects.toMatchObject({
    code: "timeout",
    operation: "deleteAllSecrets",
    outcome: "unknown",
    message: expect.stringContaining("10 secrets were deleted, 40 are left."),
  });
  expect(asked).toBeLessThan(16);
});

test("one secret that hangs in a bulk read fails by its name, and the others arrive before it does", async () => {
  const manager = managerOf({ read: async (name) => (name.endsWith("bad") ? never() : stored("1")) }, { timeoutMs: 60 });
  const outcomes = await Array.fromAsync(manager.getSecrets(["one", "bad", "two", "three"]));
  expect(outcomes.map((outcome) => [outcome.name, "error" in outcome ? outcome.error.code : "read"])).toEqual([
    ["one", "read"],
    ["two", "read"],
    ["three", "read"],
    ["bad", "timeout"],
  ]);
});

test("names that come slowly do not keep back what was read", async () => {
  const manager = managerOf({});
  const names = async function* () {
    yield "first";
    await never();
  };
  const reading = manager.getSecrets(names(), { timeoutMs: 200 });
  expect((await reading.next()).value).toMatchObject({ name: "first" });
  await expect(reading.next()).rejects.toMatchObject({ code: "timeout" });
});

test.each(["one by one", "in batches"])("an error of the source of names is the caller's own, %s", async (how) => {
  const own = new RangeError("the caller's database is down");
  const names = async function* (): AsyncGenerator<string> {
    yield "first";
    throw own;
  };
  const manager = managerOf(
    how === "in batches"
      ? {
          readMany: async function* (asked) {
            for await (const name of asked) yield { name, secret: stored("1") };
          },
        }
      : {},
  );
  await expect(Array.fromAsync(manager.getSecrets(names()))).rejects.toBe(own);
});

test("every name of a batch is answered once, whatever the driver does", async () => {
  const manager = managerOf({
    readMany: async function* (asked) {
      for await (const name of asked) {
        if (name.endsWith("forgotten")) continue;
        yield { name, secret: stored("1") };
        yield { name, secret: stored("twice") };
      }
      yield { name: "coffer/global/stranger", secret: stored("not asked for") };
    },
  });
  const outcomes = await Array.fromAsync(manager.getSecrets(["one", "forgotten"]));
  expect(outcomes.map((outcome) => [outcome.name, "error" in outcome ? outcome.error.code : outcome.secret.get("a")])).toEqual([
    ["one", "1"],
    ["forgotten", "unknown"],
  ]);
});

test("a loop that is left is left at once, also when the driver hangs in its clean-up; its signal aborts", async () => {
  let signal: AbortSignal | undefined;
  const manager = managerOf({
    list: (options) => {
      signal = options.signal;
      return (async function* () {
        try {
          yield { name: "coffer/global/a", managed: null };
          yield { name: "coffer/global/b", managed: null };
        } finally {
          await never();
        }
      })();
    },
  });
  for await (const _info of manager.listSecrets()) break;
  expect(signal?.aborted).toBe(true);
});

test("the reason of a driver's signal tells a timeout from an abort", async () => {
  const reasons: unknown[] = [];
  const manager = managerOf({
    read: async (_name, { signal }) => {
      signal.addEventListener("abort", () => reasons.push((signal.reason as Error).name));
      return never();
    },
  });
  const controller = new AbortController();
  await expect(manager.getSecret("a", { timeoutMs: 10 })).rejects.toMatchObject({ code: "timeout" });
  setTimeout(() => controller.abort("the caller's own reason"), 10);
  await expect(manager.getSecret("a", { signal: controller.signal, timeoutMs: 5000 })).rejects.toMatchObject({ code: "aborted" });
  expect(reasons).toEqual(["TimeoutError", "AbortError"]);
});

test("a driver whose opening is given up by one caller serves the other, and is opened once", async () => {
  let opened = 0;
  const manager = createSecretsManager(
    flavorOf({}, async () => {
      opened += 1;
      await delay(40);
    }),
    {},
  );
  const [first, second] = await Promise.allSettled([manager.getSecret("a", { signal: AbortSignal.timeout(5) }), manager.getSecret("b")]);
  expect([first.status, second.status, opened]).toEqual(["rejected", "fulfilled", 1]);
  await manager.getSecret("c");
  expect(opened).toBe(1);
});

test("a driver that opens after its time is closed when another took its place", async () => {
  const closed: number[] = [];
  let opened = 0;
  const flavor = defineFlavor({
    name: "late",
    settings: z.strictObject({}),
    open: async () => {
      const number = (opened += 1);
      await delay(number === 1 ? 80 : 0);
      return { ...(await flavorOf({}).open({})), close: async () => void closed.push(number) };
    },
  });
  const manager = createSecretsManager(flavor, {});
  await expect(manager.getSecret("a", { timeoutMs: 10 })).rejects.toMatchObject({ code: "timeout" });
  await manager.getSecret("a");
  await delay(100);
  expect(closed).toEqual([1]);
  await manager.close();
  expect(closed).toEqual([1, 2]);
});

test("close ends although the service never opens, and what opens later is closed", async () => {
  const closed: string[] = [];
  const flavor = defineFlavor({
    name: "late",
    settings: z.strictObject({}),
    open: async () => {
      await delay(80);
      return { ...(await flavorOf({}).open({})), close: async () => void closed.push("late") };
    },
  });
  const manager = createSecretsManager(flavor, {});
  const reading = Promise.allSettled([manager.getSecret("a", { timeoutMs: 5000 })]);
  await delay(1);
  await expect(manager.close({ timeoutMs: 20 })).rejects.toMatchObject({ code: "timeout" });
  expect(await reading).toMatchObject([{ status: "rejected", reason: { code: "closed" } }]);
  expect(closed).toEqual(["late"]);
});

// A program of its own: what is left behind shows in when it ends, and what nobody catches in how.
const program = (body: string): string => `
  import { createSecretsManager, defineFlavor } from "@coffer/core";
  import { z } from "zod";
  const never = () => new Promise(() => {});
  const driver = {
    capabilities: { writable: true, compareAndSwap: "none", revisions: false, restore: false, marker: "none", maxValueBytes: null, maxInFlight: 4 },
    read: never, list: never, classify: () => ({ code: "unavailable", retryable: true, outcome: "unknown" }),
  };
  const managerOf = (open, options) => createSecretsManager(defineFlavor({ name: "slow", settings: z.strictObject({}), open }), {}, options);
  ${body}
`;

test.each([
  [
    "after a bulk read was left",
    `for await (const outcome of managerOf(async () => ({ ...driver, read: async (name) => name.endsWith("0") ? undefined : never() })).getSecrets(["0", "1", "2"])) break;`,
  ],
  [
    "after the only caller gave up a read that others could have shared",
    `await managerOf(async () => driver, { cache: { ttlMs: 1000 } }).getSecret("a", { timeoutMs: 10 }).catch(() => {});`,
  ],
  [
    "after the answer of another kind than a promise",
    `await managerOf(async () => ({ ...driver, read: () => undefined })).getSecret("a").catch(() => {});
     await managerOf(async () => ({ ...driver, read: () => ({ then() { throw new Error("no"); } }) })).getSecret("a").catch(() => {});`,
  ],
  [
    "after a call that was given up before it began, on a flavor that cannot be opened",
    `await managerOf(async () => { throw new Error("cannot open"); }).getSecret("a", { signal: AbortSignal.abort() }).catch(() => {});
     await new Promise((resolve) => setTimeout(resolve, 50));`,
  ],
])("nothing keeps a program alive, or ends it, %s", async (_when, body) => {
  const started = performance.now();
  const { stderr } = await promisify(execFile)(
    process.execPath,
    ["--conditions=@coffer/source", "--input-type=module", "--eval", program(body)],
    { cwd: import.meta.dirname, timeout: 20_000 },
  );
  expect(stderr).toBe("");
  // The operations above may take 30 seconds each: whatever is left of one shows.
  expect(performance.now() - started).toBeLessThan(15_000);
});

test.each([
  ["refused", new DriverError("permission_denied"), /"new" was written, but "old" could not be deleted: both exist now\./, 'Delete "old"'],
  ["unanswered", new DriverError("timeout", undefined, { outcome: "unknown" }), /whether "old" was deleted is not known\./, "Look whether"],
])("a rename whose deletion is %s says what is known of the old name", async (_how, failure, message, hint) => {
  const manager = managerOf({ delete: async () => Promise.reject(failure) });
  const told = { code: failure.info.code, outcome: failure.info.outcome, secretName: "old" };
  await expect(manager.renameSecret("old", "new")).rejects.toMatchObject({
    ...told,
    message: expect.stringMatching(message),
    hint: expect.stringContaining(hint),
  });
});

test("a rename whose old name somebody else has deleted meanwhile is done", async () => {
  const manager = managerOf({ delete: async () => Promise.reject(new DriverError("not_found")) });
  await expect(manager.renameSecret("old", "new")).resolves.toMatchObject({ name: "new" });
});
