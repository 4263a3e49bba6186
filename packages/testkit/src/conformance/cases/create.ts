import assert from "node:assert/strict";
import { type CaseDefinition, declares, demand, deletesSoftly, writes } from "../definition.ts";
import { type Lab, recordOf } from "../lab.ts";

const COMPETITORS = 8;
const ROUNDS = 3;

const atomicCreate = declares("atomicCreate", (value) => value === true, "the driver declares no atomicCreate");
const racyCreate = declares("atomicCreate", (value) => value === false, "the driver declares atomicCreate, which is demanded instead");

/** Creates, alone and in races. */
export const createCases: readonly CaseDefinition[] = [
  demand("create: a taken name is refused with already_exists, and the old content stays", [writes], async (lab) => {
    const name = lab.name("taken");
    await lab.stored(name, { user: "first" });
    await lab.expectCode("already_exists", "create", lab.create(name, recordOf({ user: "second" })));
    await lab.expectContent(name, recordOf({ user: "first" }));
  }),

  demand("create: the revision that it answers is the one that is read", [writes], async (lab) => {
    const name = lab.name("revision");
    const revision = await lab.stored(name, { user: "etl" });
    const answer = await lab.read(name);
    if (revision !== undefined) assert.equal(answer?.revision, revision);
    if (lab.capabilities.revisions || lab.capabilities.compareAndSwap !== "none") {
      assert.equal(typeof answer?.revision, "string", "a driver with revisions or compareAndSwap tells the revision of what it reads");
    }
  }),

  demand("create: of many at the same time exactly one succeeds", [writes, atomicCreate], async (lab) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const name = lab.name(`race-${round}`);
      const winners = await race(lab, name);
      assert.equal(winners.length, 1, `${winners.length} of ${COMPETITORS} creates of one name succeeded`);
      await lab.expectContent(name, recordOf({ winner: String(winners[0]), [`only_${winners[0]}`]: "x" }));
    }
  }),

  demand("create: of many at the same time one content survives whole", [writes, racyCreate], async (lab) => {
    const name = lab.name("race");
    const winners = await race(lab, name);
    assert.ok(winners.length > 0, "none of the creates succeeded");
    await lab.settle("readAfterWrite", async () => {
      const answer = await lab.read(name);
      assert.ok(answer?.state === "value", "the secret is there after a race");
      const { winner = "", ...rest } = answer.record.values;
      assert.deepEqual({ ...rest }, { [`only_${winner}`]: "x" });
      assert.ok(winners.includes(Number(winner)), "the content is that of a create that succeeded");
    });
  }),

  demand("create: a name that a soft delete left reserved is refused with recently_deleted", [writes, deletesSoftly], async (lab) => {
    const name = lab.name("reserved");
    await lab.stored(name, { user: "first" });
    await lab.delete(name);
    await lab.expectCode("recently_deleted", "create", lab.create(name, recordOf({ user: "second" })));
    await lab.expectMissing(name);
  }),

  demand("create: onDeleted restore brings a reserved name back with the new content", [writes, deletesSoftly], async (lab) => {
    const name = lab.name("reserved");
    await lab.made(name, { user: "first", old: "x" }, "mysql");
    await lab.delete(name);
    const record = recordOf({ user: "second" });
    await lab.create(name, record, { onDeleted: "restore" });
    await lab.expectContent(name, record);
    await lab.expectNames([name]);
  }),

  demand("create: onDeleted restore still refuses a name that is taken", [writes, deletesSoftly], async (lab) => {
    const name = lab.name("taken");
    await lab.stored(name, { user: "first" });
    await lab.expectCode("already_exists", "create", lab.create(name, recordOf({ user: "second" }), { onDeleted: "restore" }));
    await lab.expectContent(name, recordOf({ user: "first" }));
  }),
];

/** Creates one name many times at once, from two drivers; answers which attempts succeeded. */
async function race(lab: Lab, name: string): Promise<number[]> {
  const drivers = [lab.driver, await lab.second()];
  const attempts = Array.from({ length: COMPETITORS }, async (_, index) => {
    const driver = drivers[index % 2] ?? lab.driver;
    try {
      await lab.create(name, recordOf({ winner: String(index), [`only_${index}`]: "x" }), { driver });
      return index;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      const { code } = lab.explain(error, "create", driver);
      // A service may find two writers at once and tell both to come again; nothing else is a fair way to lose.
      assert.ok(code === "already_exists" || code === "conflict", `a create that lost the race failed with ${code}`);
      return undefined;
    }
  });
  return (await Promise.all(attempts)).filter((index) => index !== undefined);
}
