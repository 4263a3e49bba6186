import { chmodSync, copyFileSync, cpSync, existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { localStatus } from "../src/index.ts";
import {
  canaryOf,
  expectNoLeak,
  failure,
  open,
  runCommand,
  temporaryFolder,
  temporarySettings,
  type TestSettings,
  using,
} from "./laboratory.ts";

const CANARY = canaryOf("replaced");
/** Longer than a reader takes the file for granted. */
const LATER_MS = 150;

/** A store and a backup of it: of the secret one at its first value. Afterwards the store has gone on. */
async function storeAndBackup(): Promise<{ readonly settings: TestSettings; readonly backup: string }> {
  const settings = temporarySettings();
  await using(settings, (manager) => manager.registerSecret({ name: "one", values: { key: "of the backup" } }));
  const backup = join(temporaryFolder(), "secrets.db");
  copyFileSync(settings.path, backup);
  return { settings, backup };
}

/** What the README says: the log of the old file goes, the backup comes whole. */
function restore(backup: string, { path }: TestSettings): void {
  copyFileSync(backup, `${path}.restored`);
  for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
  renameSync(`${path}.restored`, path);
}

describe("a store that is replaced by a backup", () => {
  test("at rest: it is the store", async () => {
    const { settings, backup } = await storeAndBackup();
    await using(settings, (manager) => manager.updateSecret("one", { values: { key: "newer" } }));
    restore(backup, settings);
    expect((await using(settings, (manager) => manager.getSecret("one"))).text["key"]).toBe("of the backup");
    expect((await localStatus(settings, { verify: true })).verified).toEqual({ damaged: [], complete: true });
  });

  test("while it is open: readers see the backup after a moment, and a write goes into it at once", async () => {
    const { settings, backup } = await storeAndBackup();
    const reader = open(settings);
    const writer = open(settings);
    await writer.updateSecret("one", { values: { key: "newer" } });
    expect((await reader.getSecret("one")).text["key"]).toBe("newer");
    restore(backup, settings);
    await writer.registerSecret({ name: "two", values: { key: CANARY } });
    await setTimeout(LATER_MS);
    expect((await reader.getSecret("one")).text["key"]).toBe("of the backup");
    expect((await reader.getSecret("two")).text["key"]).toBe(CANARY);
    expect((await writer.getSecret("one")).text["key"]).toBe("of the backup");
    await reader.close();
    await writer.close();
    // Nothing of what was open wrote into the restored file when it was closed.
    expect(await localStatus(settings, { verify: true })).toMatchObject({ secrets: 2, verified: { damaged: [], complete: true } });
  });

  test("by a store with another key: the new one is asked for, and the old key opens nothing of it", async () => {
    const { settings } = await storeAndBackup();
    const other = temporarySettings();
    await using(other, (manager) => manager.registerSecret({ name: "one", values: { key: "another store" } }));
    const manager = open(settings);
    await manager.getSecret("one");
    restore(other.path, settings);
    await setTimeout(LATER_MS);
    const error = await failure(manager.getSecret("one"));
    expect(error.code).toBe("unauthenticated");
    copyFileSync(other.key_file, settings.key_file);
    expect((await manager.getSecret("one")).text["key"]).toBe("another store");
  });

  test("with the log of the old file left beside it: what is read is right, of the one or the other, or an error", async () => {
    const { settings, backup } = await storeAndBackup();
    const writer = open(settings);
    for (let index = 0; index < 30; index += 1) await writer.upsertSecret({ name: `s${index}`, values: { key: CANARY.repeat(40) } });
    await writer.updateSecret("one", { values: { key: "newer" } });
    const copy = temporarySettings();
    for (const folder of [dirname(copy.path), dirname(copy.key_file)])
      cpSync(folder.endsWith("data") ? dirname(settings.path) : dirname(settings.key_file), folder, { recursive: true });
    await runCommand("/bin/chmod", ["700", dirname(copy.path), dirname(copy.key_file)]);
    copyFileSync(backup, copy.path);
    rmSync(`${copy.path}-shm`, { force: true });
    const answer = await using(copy, async (manager) => (await manager.getSecret("one")).text["key"]).catch(
      (error: { readonly code: string }) => error.code,
    );
    expect(["of the backup", "newer", "corrupt"]).toContain(answer);
  });
});

describe("a store that is removed while it is open", () => {
  test("with its log: there are no secrets, and the next write makes a new store", async () => {
    const { settings } = await storeAndBackup();
    const manager = open(settings);
    await manager.updateSecret("one", { values: { key: "newer" } });
    for (const suffix of ["", "-wal", "-shm"]) rmSync(settings.path + suffix, { force: true });
    await setTimeout(LATER_MS);
    expect(await manager.hasSecret("one")).toBe(false);
    expect(await Array.fromAsync(manager.listSecrets())).toEqual([]);
    expect((await failure(manager.updateSecret("one", { values: { key: "x" } }))).code).toBe("not_found");
    expect(existsSync(settings.path)).toBe(false);
    await manager.registerSecret({ name: "two", values: { key: CANARY } });
    await manager.close();
    expect(await localStatus(settings, { verify: true })).toMatchObject({ secrets: 1, verified: { damaged: [], complete: true } });
  });

  test("a write right after it does not go into a file that nobody finds again", async () => {
    const { settings } = await storeAndBackup();
    const manager = open(settings);
    await manager.updateSecret("one", { values: { key: "newer" } });
    for (const suffix of ["", "-wal", "-shm"]) rmSync(settings.path + suffix, { force: true });
    await manager.registerSecret({ name: "two", values: { key: CANARY } });
    await manager.close();
    expect((await using(settings, (other) => other.getSecret("two"))).text["key"]).toBe(CANARY);
  });

  test("without its log, which may hold the newest secrets: told, and nothing is begun anew", async () => {
    const { settings } = await storeAndBackup();
    const manager = open(settings);
    await manager.updateSecret("one", { values: { key: CANARY } });
    rmSync(settings.path);
    await setTimeout(LATER_MS);
    for (const call of [
      () => manager.getSecret("one"),
      () => manager.registerSecret({ name: "two", values: { key: CANARY } }),
      () => Array.fromAsync(manager.listSecrets()),
    ]) {
      const error = await failure(call);
      expect(error.code).toBe("corrupt");
      expect(error.hint).toContain(`${settings.path}-wal`);
      await expectNoLeak(error, CANARY);
    }
    expect([existsSync(settings.path), existsSync(`${settings.path}-wal`)]).toEqual([false, true]);
  });

  test("its whole directory", async () => {
    const { settings } = await storeAndBackup();
    const manager = open(settings);
    await manager.getSecret("one");
    rmSync(dirname(settings.path), { recursive: true });
    await setTimeout(LATER_MS);
    expect(await manager.hasSecret("one")).toBe(false);
    expect(existsSync(dirname(settings.path))).toBe(false);
  });

  test("its place taken by a file of somebody else", async () => {
    const { settings } = await storeAndBackup();
    const manager = open(settings);
    await manager.getSecret("one");
    rmSync(settings.path);
    writeFileSync(settings.path, CANARY.repeat(300), { mode: 0o600 });
    for (const suffix of ["-wal", "-shm"]) rmSync(settings.path + suffix, { force: true });
    await setTimeout(LATER_MS);
    const error = await failure(manager.getSecret("one"));
    expect(error.code).toBe("corrupt");
    await expectNoLeak(error, CANARY);
  });
});

test("a backup that SQLite makes while programs write opens as a store, once it is private", async () => {
  const { settings } = await storeAndBackup();
  const writer = open(settings);
  await writer.registerSecret({ name: "two", values: { key: CANARY } });
  const path = join(temporaryFolder(), "copy.db");
  const database = new DatabaseSync(settings.path, { readOnly: true });
  await backup(database, path);
  database.close();
  chmodSync(path, 0o644);
  const restored = { ...settings, path };
  const error = await failure(using(restored, (manager) => manager.getSecret("two")));
  expect(error).toMatchObject({ code: "permission_denied", hint: `chmod 600 ${path}` });
  expect(await runCommand("/bin/sh", ["-c", error.hint ?? ""])).toMatchObject({ code: 0 });
  expect((await using(restored, (manager) => manager.getSecret("two"))).text["key"]).toBe(CANARY);
  expect((await localStatus(restored, { verify: true })).verified).toEqual({ damaged: [], complete: true });
});
