import assert from "node:assert/strict";
import type { Revision } from "@coffer/core";
import { type CaseDefinition, comparesAndSwaps, declares, demand, writes } from "../definition.ts";
import { type Lab, recordOf } from "../lab.ts";

const atomicSwap = declares("compareAndSwap", (value) => value === "atomic", "the driver declares no atomic compareAndSwap");

/** Replaces, alone and in races. */
export const replaceCases: readonly CaseDefinition[] = [
  demand("replace: the whole content is replaced", [writes], async (lab) => {
    const name = lab.name("whole");
    await lab.stored(name, { user: "first", old: "goes" });
    const record = recordOf({ user: "second", new: "comes" });
    await lab.replace(name, record);
    await lab.expectContent(name, record);
  }),

  demand("replace: a missing name is refused with not_found, and nothing is created", [writes], async (lab) => {
    const name = lab.name("absent");
    await lab.expectCode("not_found", "replace", lab.replace(name, recordOf({ user: "etl" })));
    await lab.expectMissing(name);
  }),

  demand("replace: a deleted name is refused with not_found", [writes], async (lab) => {
    const name = lab.name("deleted");
    await lab.stored(name, { user: "etl" });
    await lab.delete(name);
    await lab.expectCode("not_found", "replace", lab.replace(name, recordOf({ user: "again" })));
    await lab.expectMissing(name);
  }),

  demand("replace: with the current revision expected it succeeds, and the revision changes", [writes, comparesAndSwaps], async (lab) => {
    const name = lab.name("swap");
    await lab.stored(name, { user: "first" });
    const expected = await currentRevision(lab, name);
    const record = recordOf({ user: "second" });
    const answered = await lab.replace(name, record, { expected });
    await lab.expectContent(name, record);
    const now = await currentRevision(lab, name);
    assert.notEqual(now, expected, "the revision after a replace");
    if (answered !== undefined) assert.equal(answered, now, "the revision that replace answered");
  }),

  demand(
    "replace: with an older revision expected it is refused with conflict, and the content stays",
    [writes, comparesAndSwaps],
    async (lab) => {
      const name = lab.name("swap");
      await lab.stored(name, { user: "first" });
      const expected = await currentRevision(lab, name);
      const record = recordOf({ user: "second" });
      await lab.replace(name, record);
      await lab.expectContent(name, record);
      await lab.expectCode("conflict", "replace", lab.replace(name, recordOf({ user: "third" }), { expected }));
      await lab.expectContent(name, record);
    },
  ),

  demand("replace: with a revision expected a missing name is still not_found", [writes, comparesAndSwaps], async (lab) => {
    const name = lab.name("gone");
    await lab.stored(name, { user: "first" });
    const expected = await currentRevision(lab, name);
    await lab.delete(name, { immediate: true });
    await lab.expectCode("not_found", "replace", lab.replace(name, recordOf({ user: "second" }), { expected }));
  }),

  demand("replace: of many with the same revision expected exactly one succeeds", [writes, atomicSwap], async (lab) => {
    const name = lab.name("race");
    await lab.stored(name, { winner: "none" });
    const expected = await currentRevision(lab, name);
    const drivers = [lab.driver, await lab.second()];
    const attempts = Array.from({ length: 8 }, async (_, index) => {
      const driver = drivers[index % 2] ?? lab.driver;
      try {
        await lab.replace(name, recordOf({ winner: String(index) }), { expected, driver });
        return index;
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        assert.equal(lab.explain(error, "replace", driver).code, "conflict", "the code of a replace that lost the race");
        return undefined;
      }
    });
    const winners = (await Promise.all(attempts)).filter((index) => index !== undefined);
    assert.equal(winners.length, 1, `${winners.length} of 8 replaces of one revision succeeded`);
    await lab.expectContent(name, recordOf({ winner: String(winners[0]) }));
  }),

  demand("replace: many at the same time leave one content whole", [writes], async (lab) => {
    const name = lab.name("torn");
    await lab.stored(name, { a: "0", b: "0" });
    const drivers = [lab.driver, await lab.second()];
    const attempts = Array.from({ length: 8 }, async (_, index) => {
      const driver = drivers[index % 2] ?? lab.driver;
      try {
        await lab.replace(name, recordOf({ a: String(index), b: String(index), [`only_${index}`]: "x" }), { driver });
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        const info = lab.explain(error, "replace", driver);
        assert.ok(info.retryable, `a replace beside others failed with ${info.code}, which is not retryable`);
      }
    });
    await Promise.all(attempts);
    await lab.settle("readAfterWrite", async () => {
      const answer = await lab.read(name);
      assert.ok(answer?.state === "value");
      const { a = "", ...rest } = answer.record.values;
      assert.deepEqual({ ...rest }, { b: a, [`only_${a}`]: "x" });
    });
  }),
];

async function currentRevision(lab: Lab, name: string): Promise<Revision> {
  const answer = await lab.read(name);
  assert.ok(answer?.revision !== undefined, "a driver with compareAndSwap tells the revision of what it reads");
  return answer.revision;
}
