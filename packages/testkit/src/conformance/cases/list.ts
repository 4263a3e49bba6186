import assert from "node:assert/strict";
import type { StoredSecretInfo } from "@coffer/core";
import { type CaseDefinition, declares, demand, fixtures, needsFault } from "../definition.ts";
import { collect, type Lab, recordOf } from "../lab.ts";

const DEFAULT_SIZE = 250;
const WRITES_AT_ONCE = 10;

const listsMetadata = declares("listMetadata", (value) => value === true, "the driver declares no listMetadata");

/** Listings: whole, bounded by their prefix, never half. */
export const listCases: readonly CaseDefinition[] = [
  demand("list: where nothing is stored nothing is named", [], async (lab) => {
    await lab.expectNames([]);
  }),

  demand("list: more secrets than a page holds are named once each", [fixtures], async (lab) => {
    await lab.expectNames(await storeMany(lab));
  }),

  demand("list: a prefix ends where it ends", [fixtures], async (lab) => {
    const team = ["team/a", "team/b"].map((name) => lab.name(name));
    for (const name of [...team, lab.name("team2/a"), lab.name("team"), lab.name("teams"), lab.name("tea"), lab.name("other/team/a")])
      await lab.create(name, recordOf({ name }));
    await lab.expectNames(team, lab.name("team/"));
  }),

  demand("list: a prefix may end inside a part of a name", [fixtures], async (lab) => {
    const names = ["a_b", "a_bc", "a=b", "a.b", "a-b", "a+b", "ab", "b_a"].map((name) => lab.name(name));
    for (const name of names) await lab.create(name, recordOf({ name }));
    for (const start of ["a_", "a=", "a.b", "a-", "a+b", "a"]) {
      const prefix = lab.name(start);
      await lab.expectNames(
        names.filter((name) => name.startsWith(prefix)),
        prefix,
      );
    }
  }),

  demand("list: other namespaces are not named", [fixtures], async (lab) => {
    await lab.create(lab.name("mine"), recordOf({ user: "a" }));
    await lab.create(lab.name("theirs", `other-${lab.id}`), recordOf({ user: "b" }));
    await lab.expectNames([lab.name("mine")]);
  }),

  demand("list: tells the schema of each secret", [fixtures, listsMetadata], async (lab) => {
    await lab.create(lab.name("typed"), recordOf({ user: "etl" }, "mysql"));
    await lab.create(lab.name("untyped"), recordOf({ user: "etl" }));
    await lab.settle("listing", async () => {
      const infos = await byName(lab);
      assert.equal(infos.get(lab.name("typed"))?.schema, "mysql");
      assert.equal(infos.get(lab.name("untyped"))?.schema, null, "the schema of a secret that has none");
    });
  }),

  demand("list: what comes with a name is right or left out", [fixtures], async (lab) => {
    const before = Date.now();
    await lab.made(lab.name("typed"), { user: "etl" }, "mysql");
    await lab.stored(lab.name("untyped"), { user: "etl" });
    await lab.settle("listing", async () => assert.equal((await byName(lab)).size, 2));
    for (const info of (await byName(lab)).values()) {
      const answer = await lab.read(info.name);
      assert.ok(answer?.state === "value");
      const { schema = null } = answer.record;
      assert.ok(info.schema === undefined || info.schema === schema, `the schema of "${info.name}" in the listing`);
      assert.ok(info.revision === undefined || info.revision === answer.revision, `the revision of "${info.name}" in the listing`);
      assert.ok(info.state === undefined || info.state === "value", `the state of "${info.name}" in the listing`);
      assert.notEqual(info.managed, false, "a secret of our own that is listed as unmanaged");
      for (const time of [info.createdAt, info.updatedAt]) {
        assert.ok(time === undefined || Math.abs(time.getTime() - before) < 86_400_000, `the times of "${info.name}" in the listing`);
      }
    }
  }),

  demand("list: one that is broken off leaves the driver usable", [fixtures], async (lab) => {
    const names = ["a", "b", "c"].map((name) => lab.name(name));
    for (const name of names) await lab.create(name, recordOf({ name }));
    await lab.expectNames(names);
    for await (const info of lab.driver.list({ ...lab.call(), prefix: lab.prefix })) {
      assert.ok(names.includes(info.name));
      break;
    }
    await lab.expectNames(names);
  }),

  demand("list: two at the same time are both whole", [fixtures], async (lab) => {
    const names = Array.from({ length: 12 }, (_, index) => lab.name(`name-${index}`));
    for (const name of names) await lab.create(name, recordOf({ name }));
    await lab.expectNames(names);
    await Promise.all([lab.expectNames(names), lab.expectNames(names)]);
  }),

  demand("list: a page that fails ends the listing with an error", [fixtures, needsFault("failPage")], async (lab) => {
    const names = new Set(await storeMany(lab));
    await lab.settle("listing", async () => {
      assert.deepEqual(new Set((await lab.list()).map(({ name }) => name)), names);
    });
    await lab.fault("failPage", 2);
    for (const listing of [() => lab.list(), () => pages(lab)]) {
      const info = await lab.failure("list", listing());
      assert.notEqual(info.code, "not_found", "a page that failed is not a name that is missing");
    }
  }),

  demand("list: a driver that hands out pages tells the same in them", [fixtures], async (lab) => {
    if (lab.driver.listPages === undefined) return;
    await storeMany(lab);
    await lab.settle("listing", async () => {
      const [single, paged] = [await lab.list(), await pages(lab)];
      const sorted = (infos: readonly StoredSecretInfo[]) => infos.toSorted((a, b) => (a.name < b.name ? -1 : 1));
      assert.deepEqual(sorted(paged.flat()), sorted(single));
    });
  }),
];

/** Stores enough secrets for more than one page; answers their names. */
async function storeMany(lab: Lab): Promise<string[]> {
  const size = lab.subject.listingSize ?? DEFAULT_SIZE;
  const names = Array.from({ length: size }, (_, index) => lab.name(`secret-${String(index).padStart(4, "0")}`));
  for (let start = 0; start < size; start += WRITES_AT_ONCE) {
    await Promise.all(names.slice(start, start + WRITES_AT_ONCE).map((name) => lab.create(name, recordOf({ name }))));
  }
  return names;
}

/** The listing by its pages, or the listing as one page from a driver that has none in hand. */
async function pages(lab: Lab): Promise<(readonly StoredSecretInfo[])[]> {
  const { driver } = lab;
  if (driver.listPages === undefined) return [await lab.list()];
  return lab.patiently(`list ${lab.prefix} by pages`, collect(driver.listPages({ ...lab.call(), prefix: lab.prefix })));
}

async function byName(lab: Lab): Promise<Map<string, StoredSecretInfo>> {
  return new Map((await lab.list()).map((info) => [info.name, info]));
}
