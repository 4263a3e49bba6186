import type { DriverCapabilities, SecretsManagerDriver, StoredSecretInfo } from "@coffer/core";
import { describe, expect, test } from "vitest";
import { type ConformanceCase, conformanceCases } from "../src/index.ts";
import { memorySubject } from "./memory-subject.ts";

const VARIANTS: readonly (readonly [string, Partial<DriverCapabilities>])[] = [
  ["with everything", {}],
  ["that cannot write", { writable: false }],
  ["without atomicCreate", { atomicCreate: false }],
  ["with compareAndSwap by best effort", { compareAndSwap: "best_effort" }],
  ["without compareAndSwap", { compareAndSwap: "none" }],
  ["without revisions", { revisions: false }],
  ["without revisions and compareAndSwap", { revisions: false, compareAndSwap: "none" }],
  ["without restore", { restore: false }],
  ["with a marker in a call of its own", { marker: "separate" }],
  ["without a marker", { marker: "none" }],
  ["without metadata in listings", { listMetadata: false }],
  ["with listings that are late", { listing: "eventual" }],
  ["with reads that are late", { readAfterWrite: "eventual" }],
  ["with a limit on payloads", { maxValueBytes: 4096 }],
  ["that ignores case", { caseSensitive: false }],
  ["without bulk reads", { batchSize: 1 }],
  ["with one call at a time", { maxInFlight: 1 }],
  [
    "with nothing but reads and writes",
    {
      atomicCreate: false,
      compareAndSwap: "none",
      revisions: false,
      restore: false,
      marker: "none",
      listMetadata: false,
      listing: "eventual",
      readAfterWrite: "eventual",
      maxValueBytes: 4096,
      caseSensitive: false,
      batchSize: 1,
      maxInFlight: 1,
    },
  ],
];

/** The same driver, with its listings by pages too: what the manager prefers where it is there. */
const paged = (driver: SecretsManagerDriver): SecretsManagerDriver => ({
  ...driver,
  async *listPages(options) {
    let page: StoredSecretInfo[] = [];
    for await (const info of driver.list(options)) {
      if (page.push(info) < 40) continue;
      yield page;
      page = [];
    }
    yield page;
  },
});

const subjectOf = (capabilities: Partial<DriverCapabilities>) => ({ ...memorySubject(capabilities), patienceMs: 2_000 });

/** The cases as tests; one that does not apply says why. */
function conformance(cases: readonly ConformanceCase[]): void {
  for (const { name, skip, run } of cases) {
    // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- the cases are data: their titles are names, their demands are assertions of node:assert
    test(name, async (context) => {
      if (skip !== false) context.skip(skip);
      await run();
    });
  }
}

for (const [title, capabilities] of VARIANTS) {
  describe.concurrent(`memory ${title}`, () => {
    conformance(conformanceCases(subjectOf(capabilities)));
  });
}

describe.concurrent("memory with listings by pages", () => {
  conformance(conformanceCases(memorySubject({}, paged)));
});

describe("the cases", () => {
  const applicable = (capabilities: Partial<DriverCapabilities>) =>
    conformanceCases(subjectOf(capabilities))
      .filter(({ skip }) => skip === false)
      .map(({ name }) => name);
  const withEverything = applicable({});

  test("each runs on at least one variant", () => {
    const run = new Set(VARIANTS.flatMap(([, capabilities]) => applicable(capabilities)));
    expect(conformanceCases(subjectOf({})).filter(({ name }) => !run.has(name))).toEqual([]);
  });

  // What is demanded of a driver that lacks something, beside all that is no longer demanded of it.
  test.each<[Partial<DriverCapabilities>, string]>([
    [{ writable: false }, "refused: every write, where the driver cannot write"],
    [{ atomicCreate: false }, "create: of many at the same time one content survives whole"],
    [{ compareAndSwap: "none" }, "refused: an expected revision, where the driver cannot compare"],
    [{ revisions: false }, "refused: history, rollback and older revisions, where the driver keeps none"],
    [{ restore: false }, "refused: restore, where deletes are final"],
    [{ marker: "none" }, "refused: deleting all in scope none, where nothing tells what is ours"],
    [{ caseSensitive: false }, "names: a case twin is refused on create, missing everywhere else, and never overwrites"],
    [{ maxValueBytes: 4096 }, "refused: a payload over the declared limit is too_large before any request"],
  ])("without it, %o, there is another side: %s", (capabilities, name) => {
    expect(withEverything).not.toContain(name);
    expect(applicable(capabilities)).toContain(name);
  });

  test("a case whose fault the subject does not bring is skipped, and says which", () => {
    const { faults: _faults, outOfBand: _outOfBand, ...bare } = subjectOf({});
    const skipped = conformanceCases(bare).filter(({ name, skip }) => skip !== false && withEverything.includes(name));
    expect(skipped.map(({ skip }) => skip)).toEqual(
      skipped.map(() => expect.stringMatching(/^the subject brings no (fault "\w+"|way to make secrets out of band: "\w+")$/)),
    );
    expect(skipped.length).toBeGreaterThan(20);
    expect(skipped.find(({ name }) => name.startsWith("deadline:"))?.skip).toBe('the subject brings no fault "hang"');
  });

  test("what a case has opened is closed and then disposed of, once, also when the case fails", async () => {
    const ended: string[] = [];
    const subject = memorySubject({}, (driver) => ({
      ...driver,
      list: () => {
        throw new RangeError("no list");
      },
      close: async () => void ended.push("closed"),
    }));
    const opening = { ...subject, open: async () => ({ ...(await subject.open()), dispose: () => void ended.push("disposed") }) };
    const empty = conformanceCases(opening).find(({ name }) => name === "list: where nothing is stored nothing is named");
    await expect(empty?.run()).rejects.toThrow("no list");
    expect(ended).toEqual(["closed", "disposed"]);
  });

  test("what was opened is disposed of when its writer cannot be", async () => {
    let disposed = 0;
    const subject = memorySubject({ writable: false });
    const failing = {
      ...subject,
      open: async () => ({ ...(await subject.open()), dispose: () => void (disposed += 1) }),
      writer: async () => Promise.reject(new RangeError("no writer")),
    };
    const [first] = conformanceCases(failing);
    await expect(first?.run()).rejects.toThrow("no writer");
    expect(disposed).toBe(1);
  });

  test("one that never ends is given up, and says so", async () => {
    const subject = memorySubject({}, (driver) => ({
      ...driver,
      list: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }),
    }));
    const empty = conformanceCases({ ...subject, patienceMs: 50 }).find(
      ({ name }) => name === "list: where nothing is stored nothing is named",
    );
    await expect(empty?.run()).rejects.toThrow("no answer after 50 ms");
  });

  test("a failing random case tells the seed that repeats it", async () => {
    const forgetful = memorySubject({}, (driver) => ({
      ...driver,
      create: (name, _record, options) => driver.create(name, { values: {} }, options),
    }));
    const random = conformanceCases({ ...forgetful, seed: 42 }).find(
      ({ name }) => name === "random: whatever is stored comes back, under whatever name",
    );
    await expect(random?.run()).rejects.toThrow("With seed 42: ");
  });
});

test("a driver that finds out what became of a write whose answer was lost passes", async () => {
  const subject = memorySubject({}, (driver) => ({
    ...driver,
    create: (name, record, options) => driver.create(name, record, options).catch(async () => (await driver.read(name, options))?.revision),
  }));
  const own = conformanceCases(subject).find(({ name }) => name.endsWith("is shown when the answer is lost"));
  await expect(own?.run()).resolves.toBeUndefined();
});
