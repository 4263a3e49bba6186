import assert from "node:assert/strict";
import { type CaseDefinition, declares, demand, fixtures, writes } from "../definition.ts";
import { type Lab, recordOf } from "../lab.ts";

const LONGEST = 200;

const keepsCase = declares("caseSensitive", (value) => value === true, "the driver declares that its service ignores case");
const ignoresCase = declares("caseSensitive", (value) => value === false, "the driver declares that its service keeps case apart");

/** Names with every portable character, in every place where one may stand. */
const ORDINARY = [
  "abcdefghijklmnopqrstuvwxyz",
  "ABCDEFGHIJKLMNOPQRSTUVWXYZ-upper",
  "0123456789",
  "all_the.signs@of+a=name-here/and/below",
  "_first",
  ".first",
  "@first",
  "+first",
  "=first",
  "last_",
  "last.",
  "last@",
  "last+",
  "last=",
  "last-",
  "...",
  "a..b",
  "CON",
  "x",
];

/** Names that an escape, a separator or a habit of a service could mistake for each other. */
const LOOKALIKES = [
  "a/b",
  "a-b",
  "a_b",
  "a.b",
  "a@b",
  "a+b",
  "a=b",
  "a--b",
  "a__b",
  "a==b",
  "ab",
  "a",
  "a/b/c",
  "a_x2fb",
  "a=2fb",
  "a-x2fb",
  "a-x2db",
  "a_x5fb",
  "a=3db",
  "a_x5fx2fb",
  "a+2fb",
  "a_2fb",
  "a.2fb",
  "a2fb",
  "a-h0123456789abcdef0123456789abcdef",
  "a-AbC123",
  "a-AbC124",
  "a=",
  "a.json",
  "a.0",
  "versions",
  "versions/1",
  "a/versions/1",
  "metadata",
  "data",
  "data/a",
];

const OBJECT_NAMES = ["constructor", "__proto__", "prototype", "toString", "hasOwnProperty", "valueOf", "toJSON", "then"];

/** Stores a secret under each name, and demands each back with its own content, and the names in the listing. */
async function keepApart(lab: Lab, names: readonly string[]): Promise<void> {
  const full = names.map((name) => lab.name(name));
  for (const name of full) await lab.create(name, recordOf({ name }));
  for (const name of full) await lab.expectContent(name, recordOf({ name }));
  await lab.expectNames(full);
}

/** Every portable name is a secret of its own. */
export const nameCases: readonly CaseDefinition[] = [
  demand("names: every portable character is kept", [fixtures], (lab) => keepApart(lab, ORDINARY)),

  demand("names: lookalikes of escapes and separators stay apart", [fixtures], (lab) => keepApart(lab, LOOKALIKES)),

  demand("names: a name and the path below it are two secrets", [fixtures], (lab) =>
    keepApart(lab, ["team", "team/warehouse", "team/warehouse/etl", "teams"]),
  ),

  demand("names: the longest names stay apart", [fixtures], (lab) => {
    const stem = "long-name_".repeat(LONGEST / 10);
    const swap = (index: number, sign: string): string => stem.slice(0, index) + sign + stem.slice(index + 1);
    const signs = "@+=./".repeat(LONGEST / 5).slice(0, LONGEST - 1);
    return keepApart(lab, [
      stem,
      swap(LONGEST - 1, "x"),
      swap(LONGEST - 1, "y"),
      swap(0, "x"),
      swap(100, "x"),
      `${signs}x`,
      `${signs}y`,
      "s/".repeat(LONGEST / 2 - 1) + "zz",
    ]);
  }),

  demand("names: the names of what every object has are names like any other", [fixtures], async (lab) => {
    for (const name of OBJECT_NAMES) await lab.expectMissing(lab.name(name));
    await keepApart(lab, OBJECT_NAMES);
  }),

  demand("names: names that differ in case alone are two secrets", [writes, keepsCase], async (lab) => {
    await keepApart(lab, ["Api", "api", "API"]);
    await lab.delete(lab.name("api"), { immediate: true });
    await lab.expectContent(lab.name("Api"), recordOf({ name: lab.name("Api") }));
  }),

  demand("names: a case twin is refused on create, missing everywhere else, and never overwrites", [writes, ignoresCase], async (lab) => {
    await lab.stored(lab.name("Api"), { user: "first" });
    const twin = lab.name("api");
    await lab.expectMissing(twin);
    await lab.expectCode("already_exists", "create", lab.create(twin, recordOf({ user: "second" })));
    await lab.expectCode("not_found", "replace", lab.replace(twin, recordOf({ user: "second" })));
    await lab.expectCode("not_found", "delete", lab.delete(twin));
    await lab.expectContent(lab.name("Api"), recordOf({ user: "first" }));
    await lab.expectNames([lab.name("Api")]);
  }),

  demand("names: with scope none a name is the service's own", [fixtures], async (lab) => {
    const name = `plain-${lab.id}`;
    const scope = "none";
    await lab.create(name, recordOf({ user: "etl" }), { scope });
    await lab.expectContent(name, recordOf({ user: "etl" }), { scope });
    await lab.settle("listing", async () => {
      const listed = (await lab.list(name, { scope })).map((info) => info.name);
      assert.deepEqual(listed, [name]);
    });
  }),
];
