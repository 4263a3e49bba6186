import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecretsManager } from "@coffer/core";
import { afterAll, afterEach, expect, test } from "vitest";
import { local, localStatus, rekey } from "../src/index.ts";
import type { Work } from "./crash/colleague.ts";
import { settingsIn } from "./crash/operations.ts";
import { Colleague, dismissAll, together } from "./crash/processes.ts";

const root = mkdtempSync(join(tmpdir(), "coffer-rekey-"));
afterEach(dismissAll);
afterAll(() => rmSync(root, { recursive: true }));

const SECRETS = 300;
const REKEYS = 5;

test(
  "the key of a store is changed while four processes read and write: none of them notices, nothing is lost",
  { timeout: 120_000 },
  async () => {
    const folder = mkdtempSync(join(root, "store-"));
    const settings = settingsIn(folder);
    const manager = createSecretsManager(local, settings);
    for (let number = 0; number < SECRETS; number += 1) {
      const text = `standing ${number}`;
      await manager.registerSecret({ name: `standing-${number}`, values: { one: text, other: text } });
    }
    const colleagues = ["a", "b", "c", "d"].map((own) => new Colleague(folder, "read and write", own));
    await Promise.all(colleagues.map((colleague) => colleague.said("ready")));
    for (const colleague of colleagues) colleague.go();
    await Promise.all(colleagues.map((colleague) => colleague.said("busy")));
    for (let round = 0; round < REKEYS; round += 1) {
      const report = await rekey(settings);
      expect(report.secrets).toBeGreaterThanOrEqual(SECRETS);
      // A manager that was opened under the key before.
      expect((await manager.getSecret("standing-7")).text).toEqual({ one: "standing 7", other: "standing 7" });
    }
    for (const colleague of colleagues) colleague.go();
    const works = await Promise.all(colleagues.map((colleague) => colleague.report<Work & { readonly written: Record<string, string> }>()));
    expect(works.flatMap(({ problems }) => problems)).toEqual([]);
    for (const { written, reads } of works) {
      expect(reads).toBeGreaterThan(0);
      expect(Object.keys(written).length).toBeGreaterThan(0);
      for (const [name, text] of Object.entries(written)) expect((await manager.getSecret(name)).text).toEqual({ one: text, other: text });
    }
    expect((await localStatus(settings, { verify: true })).verified).toEqual({ damaged: [], complete: true });
    await manager.close();
    // The keys that are no longer needed are gone.
    expect(keysIn(settings.key_file)).toBe(1);
  },
);

test("six processes change the key of one store at once: each succeeds, and one key is left", { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(root, "store-"));
  const settings = settingsIn(folder);
  const manager = createSecretsManager(local, settings);
  await manager.registerSecret({ name: "first", values: { a: "1" } });
  const reports = await together<number>(
    folder,
    Array.from({ length: 6 }, () => ["rekey"]),
  );
  expect(reports).toEqual([1, 1, 1, 1, 1, 1]);
  expect((await manager.getSecret("first")).text).toEqual({ a: "1" });
  await manager.close();
  expect(keysIn(settings.key_file)).toBe(1);
});

test("the key is changed while a passphrase is asked for: a look at the store and a read begin anew", { timeout: 120_000 }, async () => {
  const settings = { ...settingsIn(mkdtempSync(join(root, "store-"))), passphrase: "the first" };
  const manager = createSecretsManager(local, { ...settings, protection: "passphrase" });
  await manager.registerSecret({ name: "first", values: { a: "1" } });
  await manager.close();
  let asked = 0;
  const passphrase = async (): Promise<string> => {
    asked += 1;
    if (asked % 2 === 0) return "the second";
    await rekey({ ...settings, passphrase: "the first" }, { passphrase: "the second" });
    return "the first";
  };
  expect((await localStatus({ ...settings, passphrase }, { verify: true })).verified).toEqual({ damaged: [], complete: true });
  expect(asked).toBe(2);
  await rekey({ ...settings, passphrase: "the second" }, { passphrase: "the first" });
  const slow = createSecretsManager(local, { ...settings, passphrase });
  expect((await slow.getSecret("first")).text).toEqual({ a: "1" });
  expect(asked).toBe(4);
  await slow.close();
});

test("ten processes keep the keys of ten stores in one key file: none overwrites another's", { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(root, "store-"));
  const names = Array.from({ length: 10 }, (_, number) => `store-${number}`);
  await together(
    folder,
    names.map((name) => ["own store, shared key file", name]),
  );
  for (const name of names) {
    const manager = createSecretsManager(local, { ...settingsIn(folder), path: join(folder, "data", `${name}.db`) });
    expect((await manager.getSecret(name)).text).toEqual({ of: name });
    await manager.close();
  }
  expect(keysIn(settingsIn(folder).key_file)).toBe(10);
});

function keysIn(key_file: string): number {
  return readFileSync(key_file, "utf8").match(/^coffer-key /gm)?.length ?? 0;
}
