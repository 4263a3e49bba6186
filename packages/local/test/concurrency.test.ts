import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecretsManager, type SecretsManager } from "@coffer/core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { local } from "../src/index.ts";
import type { Work } from "./crash/colleague.ts";
import { settingsIn } from "./crash/operations.ts";
import { Colleague, dismissAll, together } from "./crash/processes.ts";

// On a machine that does other things as well forty processes take their time to start.
const MANY = { timeout: 120_000 };

const root = mkdtempSync(join(tmpdir(), "coffer-concurrency-"));
// The first process leaves the compiled sources to all others.
beforeAll(() => together(join(root, "first"), [["register", "first"]]), 60_000);

let folder: string;
let manager: SecretsManager;
beforeEach(() => {
  folder = mkdtempSync(join(root, "store-"));
  manager = createSecretsManager(local, settingsIn(folder));
});
afterEach(async () => {
  await dismissAll();
  await manager.close();
});
afterAll(() => rmSync(root, { recursive: true }));

async function names(): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of manager.listSecrets()) found.push(name);
  return found;
}

test("T67: 40 processes register 40 names, also where there is no store yet: all are there", MANY, async () => {
  const wanted = Array.from({ length: 40 }, (_, index) => `secret-${index}`);
  const outcomes = await together<string>(
    folder,
    wanted.map((name) => ["register", name]),
  );
  expect(new Set(outcomes)).toEqual(new Set(["registered"]));
  expect(await names()).toEqual(wanted.toSorted());
});

test("T68: of 40 processes that register the same name one succeeds, 39 are told that it exists", MANY, async () => {
  const outcomes = await together<string>(
    folder,
    Array.from({ length: 40 }, () => ["register", "same"]),
  );
  expect(outcomes.toSorted()).toEqual([...Array.from({ length: 39 }, () => "already_exists"), "registered"]);
  expect(await names()).toEqual(["same"]);
});

test("T69: 20 processes update 20 keys of one secret: all of them are merged", MANY, async () => {
  await manager.registerSecret({ name: "shared", values: { first: "first" } });
  const keys = Array.from({ length: 20 }, (_, index) => `key${index}`);
  await together(
    folder,
    keys.map((key) => ["update a key", "shared", key]),
  );
  expect((await manager.getSecret("shared")).text).toEqual(Object.fromEntries(["first", ...keys].map((key) => [key, key])));
});

test(
  "4 processes write 100 secrets each and count to 400 together, while another reads everything: nothing is lost or torn",
  MANY,
  async () => {
    await manager.registerSecret({ name: "counter", values: { count: "0" } });
    const reader = new Colleague(folder, "read all");
    await reader.said("ready");
    reader.go();
    const writers = ["a", "b", "c", "d"];
    await together(
      folder,
      writers.map((own) => ["put and count", own, "100"]),
    );
    reader.go();
    const { reads, problems } = await reader.report<Work>();
    expect(problems).toEqual([]);
    expect(reads).toBeGreaterThan(100);
    expect((await manager.getSecret("counter")).text).toEqual({ count: "400" });
    const written = writers.flatMap((own) =>
      Array.from({ length: 100 }, (_, number) => ({ name: `${own}-${number}`, text: `${own} ${number}` })),
    );
    expect(await names()).toEqual(["counter", ...written.map(({ name }) => name)].toSorted());
    for (const { name, text } of written) expect((await manager.getSecret(name)).text).toEqual({ one: text, other: text });
  },
);

test("T70: none of 10,000 reads during writes is empty or partial", MANY, async () => {
  await manager.registerSecret({ name: "flipped", values: { one: "", other: "" } });
  const writer = new Colleague(folder, "flip");
  await writer.said("ready");
  writer.go();
  const torn: string[] = [];
  const revisions = new Set<string | null>();
  for (let reads = 0; reads < 10_000; reads += 1) {
    // Some from a manager that has just been opened, as a command line would.
    const fresh = reads % 100 === 0 ? createSecretsManager(local, settingsIn(folder)) : undefined;
    const { text, revision } = await (fresh ?? manager).getSecret("flipped");
    revisions.add(revision);
    if (text["one"] === undefined || text["one"] !== text["other"]) torn.push(`read ${reads}`);
    await fresh?.close();
  }
  writer.go();
  expect(torn).toEqual([]);
  // There was something going on.
  expect(await writer.report<number>()).toBeGreaterThan(10);
  expect(revisions.size).toBeGreaterThan(10);
});
