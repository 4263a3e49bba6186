import assert from "node:assert/strict";
import type { ReadOutcome } from "@coffer/core";
import { type CaseDefinition, demand, fixtures, needsFault, readsInBulk } from "../definition.ts";
import { collect, type Lab, recordOf } from "../lab.ts";

/** The batch calls of a driver. */
export const bulkCases: readonly CaseDefinition[] = [
  demand("readMany: every name is answered once, missing ones too", [fixtures, readsInBulk], async (lab) => {
    const there = await storeBatches(lab, 2);
    const absent = ["absent", "constructor", "__proto__"].map((name) => lab.name(name));
    const asked = [...there.slice(0, 3), ...absent, ...there.slice(3)];
    await lab.settle("readAfterWrite", async () => {
      const outcomes = await readMany(lab, asked);
      assert.deepEqual(outcomes.map(({ name }) => name).toSorted(), asked.toSorted());
      for (const outcome of outcomes) {
        assert.ok("secret" in outcome, `"${outcome.name}" was answered with an error`);
        if (absent.includes(outcome.name)) assert.equal(outcome.secret, undefined, `"${outcome.name}" does not exist`);
        else
          assert.deepEqual(outcome.secret?.state === "value" ? { ...outcome.secret.record.values } : outcome.secret?.state, {
            name: outcome.name,
          });
      }
    });
  }),

  demand("readMany: tells the same as read", [fixtures, readsInBulk], async (lab) => {
    const name = lab.name("same");
    await lab.made(name, { user: "etl", port: "5432" }, "mysql");
    const alone = await lab.read(name);
    const [outcome] = await readMany(lab, [name]);
    assert.ok(outcome !== undefined && "secret" in outcome && outcome.secret?.state === "value" && alone?.state === "value");
    assert.deepEqual({ ...outcome.secret.record.values }, { ...alone.record.values });
    assert.equal(outcome.secret.record.schema, alone.record.schema);
    assert.equal(outcome.secret.revision, alone.revision);
  }),

  demand("readMany: for no names there are no answers", [readsInBulk], async (lab) => {
    assert.deepEqual(await readMany(lab, []), []);
  }),

  demand("readMany: names are asked for as they are needed", [fixtures, readsInBulk], async (lab) => {
    const { batchSize, maxInFlight } = lab.capabilities;
    const name = lab.name("here");
    await lab.stored(name, { user: "etl" });
    const enough = batchSize * (maxInFlight + 1);
    let asked = 0;
    const names = async function* (): AsyncIterable<string> {
      for (; asked < enough * 4; asked += 1) yield asked === 0 ? name : lab.name(`absent-${asked}`);
    };
    assert.ok(lab.driver.readMany !== undefined);
    const answers = lab.driver.readMany(names(), lab.call())[Symbol.asyncIterator]();
    const first = await lab.patiently("the first answer of readMany", answers.next());
    assert.equal(first.done, false);
    await answers.return?.();
    assert.ok(asked <= enough, `${asked} names were read before the first answer`);
  }),

  demand("readMany: a secret that cannot be read fails alone", [fixtures, readsInBulk, needsFault("refuse")], async (lab) => {
    const names = await storeBatches(lab, 1);
    const refused = names[1] ?? "";
    await lab.settle("readAfterWrite", async () => {
      for (const outcome of await readMany(lab, names)) assert.ok("secret" in outcome && outcome.secret !== undefined);
    });
    await lab.fault("refuse", refused);
    const outcomes = await readMany(lab, names);
    assert.deepEqual(outcomes.map(({ name }) => name).toSorted(), names.toSorted());
    const failed = outcomes.filter((outcome) => "error" in outcome);
    assert.deepEqual(
      failed.map(({ name, error }) => ({ name, code: lab.explain(error, "read_many").code })),
      [{ name: refused, code: "permission_denied" }],
    );
  }),
];

/** Stores so many batches of secrets and one more. */
async function storeBatches(lab: Lab, batches: number): Promise<string[]> {
  const names = Array.from({ length: batches * lab.capabilities.batchSize + 1 }, (_, index) => lab.name(`item-${index}`));
  for (const name of names) await lab.create(name, recordOf({ name }));
  return names;
}

function readMany(lab: Lab, names: readonly string[]): Promise<ReadOutcome[]> {
  const { driver } = lab;
  assert.ok(driver.readMany !== undefined, "a driver with a batchSize has readMany");
  const asked = async function* (): AsyncIterable<string> {
    yield* names;
  };
  return lab.patiently("readMany", collect(driver.readMany(asked(), lab.call())));
}
