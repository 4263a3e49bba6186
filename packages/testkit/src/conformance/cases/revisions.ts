import assert from "node:assert/strict";
import type { RevisionInfo } from "@coffer/core";
import { type CaseDefinition, demand, keepsRevisions, writes } from "../definition.ts";
import { collect, type Lab, recordOf } from "../lab.ts";

/** Older content, and the history that tells of it. */
export const revisionCases: readonly CaseDefinition[] = [
  demand("revisions: an older one can be read", [writes, keepsRevisions], async (lab) => {
    const name = lab.name("older");
    const first = recordOf({ user: "first" });
    await lab.create(name, first);
    await lab.expectContent(name, first);
    const revision = (await lab.read(name))?.revision;
    assert.ok(revision !== undefined, "a driver with revisions tells the revision of what it reads");
    const second = recordOf({ user: "second" });
    await lab.replace(name, second);
    await lab.expectContent(name, second);
    await lab.expectContent(name, first, { revision });
    assert.equal((await lab.read(name, { revision }))?.revision, revision, "the revision that was asked for is the one that is answered");
  }),

  demand("revisions: one that does not exist is never answered with another", [writes, keepsRevisions], async (lab) => {
    await lab.stored(lab.name("one"), { user: "first" });
    await lab.stored(lab.name("other"), { user: "other" });
    const revision = (await lab.read(lab.name("other")))?.revision;
    await lab.delete(lab.name("other"), { immediate: true });
    for (const unknown of [`${revision}0`, "no-such-revision"]) {
      try {
        assert.equal(await lab.read(lab.name("one"), { revision: unknown }), undefined, `the answer for the revision "${unknown}"`);
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        const { code } = lab.explain(error, "read");
        assert.ok(code === "not_found" || code === "invalid_request", `an unknown revision failed with ${code}`);
      }
    }
  }),

  demand("history: newest first, all of them, the first one current", [writes, keepsRevisions], async (lab) => {
    const name = lab.name("history");
    await lab.stored(name, { user: "0" });
    const written = [(await lab.read(name))?.revision];
    for (const user of ["1", "2", "3"]) {
      await lab.replace(name, recordOf({ user }));
      await lab.expectContent(name, recordOf({ user }));
      written.push((await lab.read(name))?.revision);
    }
    await lab.settle("readAfterWrite", async () => {
      const infos = await history(lab, name);
      assert.deepEqual(
        infos.map(({ revision }) => revision),
        written.toReversed(),
      );
    });
    const infos = await history(lab, name);
    assert.deepEqual(
      infos.map(({ current }) => current),
      [true, false, false, false],
    );
  }),

  demand("history: tells the time and the schema where it can, and nothing wrong", [writes, keepsRevisions], async (lab) => {
    const name = lab.name("history");
    const before = Date.now();
    await lab.made(name, { user: "first" }, "mysql");
    await lab.replace(name, recordOf({ user: "second" }));
    await lab.expectContent(name, recordOf({ user: "second" }));
    const infos = await history(lab, name);
    assert.equal(infos.length, 2);
    const newest = infos.find(({ current }) => current);
    const oldest = infos.find(({ current }) => !current);
    assert.equal(newest?.schema, null, "the schema of a revision that has none");
    assert.ok(oldest?.schema === "mysql" || oldest?.schema === null, "the schema of a revision is its own, or null");
    for (const info of infos) {
      if (info.createdAt === null) continue;
      assert.ok(
        info.createdAt instanceof Date && Math.abs(info.createdAt.getTime() - before) < 86_400_000,
        "the time of a revision is that of its write",
      );
    }
  }),

  demand("history: a missing name is refused with not_found", [keepsRevisions], async (lab) => {
    await lab.expectCode("not_found", "history", history(lab, lab.name("absent")));
  }),

  demand("history: a name that starts anew does not tell the old values", [writes, keepsRevisions], async (lab) => {
    const name = lab.name("again");
    await lab.stored(name, { user: "first" });
    await lab.delete(name, { immediate: true });
    await lab.expectMissing(name);
    await lab.stored(name, { user: "second" });
    await lab.settle("readAfterWrite", async () => {
      assert.equal((await history(lab, name)).length, 1, "the revisions of a secret that was deleted for good and made again");
    });
  }),
];

function history(lab: Lab, name: string): Promise<RevisionInfo[]> {
  const { driver } = lab;
  assert.ok(driver.history !== undefined, "a driver that declares revisions has history");
  return lab.patiently(`history ${name}`, collect(driver.history(name, lab.call())));
}
