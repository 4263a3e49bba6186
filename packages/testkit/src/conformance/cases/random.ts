import assert from "node:assert/strict";
import type { SecretRecord } from "@coffer/core";
import { type CaseDefinition, demand, fixtures, readsStrongly, writes } from "../definition.ts";
import { type Lab, recordOf } from "../lab.ts";
import { Chance } from "../random.ts";

const DEFAULT_SIZE = 200;
const WRITES_AT_ONCE = 10;
const LONGEST_VALUE = 2_000;
const FEW_NAMES = ["a", "b", "b/c"];

/** Everything at once, by chance that can be repeated. */
export const randomCases: readonly CaseDefinition[] = [
  demand("random: whatever is stored comes back, under whatever name", [fixtures], async (lab) => {
    const chance = new Chance(seedOf(lab));
    const taken = new Set<string>();
    const longest = Math.min(LONGEST_VALUE, Math.floor((lab.capabilities.maxValueBytes ?? 1_048_576) / 64));
    const secrets = Array.from({ length: sizeOf(lab) }, () => ({ name: lab.name(chance.name(taken)), record: chance.record(longest) }));
    await toldWithSeed(lab, async () => {
      await inGroups(secrets, ({ name, record }) => lab.create(name, record));
      await inGroups(secrets, ({ name, record }) => lab.expectContent(name, record));
      await lab.expectNames(secrets.map(({ name }) => name));
    });
  }),

  demand("random: any row of writes and deletes leaves what it should", [writes, readsStrongly], async (lab) => {
    const chance = new Chance(seedOf(lab));
    const model = new Map<string, SecretRecord>();
    await toldWithSeed(lab, async () => {
      for (let step = sizeOf(lab); step > 0; step -= 1) {
        const name = lab.name(chance.one(FEW_NAMES));
        const record = recordOf({ step: String(step) });
        const there = model.has(name);
        switch (chance.below(4)) {
          case 0:
            if (there) await lab.expectCode("already_exists", "create", lab.create(name, record));
            else await lab.create(name, record);
            model.set(name, model.get(name) ?? record);
            break;
          case 1:
            if (there) await lab.replace(name, record);
            else await lab.expectCode("not_found", "replace", lab.replace(name, record));
            if (there) model.set(name, record);
            break;
          case 2:
            // For good: a name that a soft delete leaves reserved is a demand of its own.
            if (there) await lab.delete(name, { immediate: true });
            else await lab.expectCode("not_found", "delete", lab.delete(name, { immediate: true }));
            model.delete(name);
            break;
          default: {
            const expected = model.get(name);
            if (expected === undefined) await lab.expectMissing(name);
            else await lab.expectContent(name, expected);
          }
        }
      }
      await lab.expectNames([...model.keys()]);
    });
  }),
];

function seedOf(lab: Lab): number {
  return lab.subject.seed ?? 1;
}

function sizeOf(lab: Lab): number {
  return lab.subject.randomSize ?? DEFAULT_SIZE;
}

/** So many at once as a service can be expected to take. */
async function inGroups<Item>(items: readonly Item[], act: (item: Item) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < items.length; start += WRITES_AT_ONCE) await Promise.all(items.slice(start, start + WRITES_AT_ONCE).map(act));
}

/** A failure that cannot be repeated helps nobody. */
async function toldWithSeed(lab: Lab, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof assert.AssertionError)) throw error;
    throw new assert.AssertionError({ message: `With seed ${seedOf(lab)}: ${error.message}` });
  }
}
