import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { localStatus, meaningOf } from "../src/index.ts";
import { canaryOf, failure, open, protectCheaply, snapshotOf, tamper, temporarySettings, type TestSettings, using } from "./laboratory.ts";

const CANARY = canaryOf("status");

async function storedTwo(): Promise<TestSettings> {
  const settings = temporarySettings();
  await using(settings, async (manager) => {
    await manager.registerSecret({ name: "one", values: { key: CANARY } });
    await manager.updateSecret("one", { values: { key: "other" } });
    await manager.registerSecret({ name: "two", values: { key: CANARY } });
  });
  return settings;
}

describe("status", () => {
  test("of a store that does not exist: what would protect it, and nothing is made", async () => {
    const settings = temporarySettings();
    for (const verify of [false, true]) {
      expect(await localStatus(settings, { verify })).toEqual({
        path: settings.path,
        exists: false,
        bytes: 0,
        format: null,
        protection: "key_file",
        meaning: meaningOf("key_file"),
        keyFile: null,
        secrets: null,
        verified: null,
      });
    }
    expect(await localStatus({ ...settings, protection: "passphrase" })).toMatchObject({
      protection: "passphrase",
      meaning: meaningOf("passphrase"),
    });
    expect(snapshotOf(dirname(dirname(settings.path)))).toEqual({});
  });

  test("of a store at rest, and of one that is in use with a log", async () => {
    const settings = await storedTwo();
    const atRest = {
      path: settings.path,
      exists: true,
      format: 1,
      protection: "key_file",
      meaning: meaningOf("key_file"),
      keyFile: settings.key_file,
      verified: null,
    };
    expect(await localStatus(settings)).toEqual({ ...atRest, bytes: statSync(settings.path).size, secrets: 2 });
    const manager = open(settings);
    await manager.registerSecret({ name: "three", values: { key: CANARY } });
    const bytes = statSync(settings.path).size + statSync(`${settings.path}-wal`).size;
    expect(bytes).toBeGreaterThan(statSync(settings.path).size);
    expect(await localStatus(settings)).toEqual({ ...atRest, bytes, secrets: 3 });
  });

  test("needs no key, unless it verifies", async () => {
    const settings = await storedTwo();
    await protectCheaply(settings, "a passphrase");
    const asked: unknown[] = [];
    const asking = { ...settings, passphrase: (request: unknown) => (asked.push(request), "a passphrase") };
    expect(await localStatus(asking)).toMatchObject({ protection: "passphrase", keyFile: null, secrets: 2, verified: null });
    expect(asked).toEqual([]);
    expect((await localStatus(asking, { verify: true })).verified).toEqual({ damaged: [], complete: true });
    expect(asked).toEqual([{ purpose: "open", path: settings.path }]);
  });

  test("verifies every revision of every secret", async () => {
    const settings = await storedTwo();
    tamper(settings.path, (database) => database.exec("UPDATE revisions SET sealed = randomblob(70)"));
    expect((await localStatus(settings, { verify: true })).verified).toEqual({ damaged: ["coffer/global/one"], complete: true });
    tamper(settings.path, (database) => database.exec("DELETE FROM secrets WHERE name LIKE '%two'"));
    expect((await localStatus(settings, { verify: true })).verified).toEqual({ damaged: ["coffer/global/one"], complete: false });
  });

  test("of a damaged, a newer and a foreign file: the error of every other command, and the file stays", async () => {
    for (const [code, change] of [
      ["corrupt", (file: Buffer) => file.subarray(0, 4096)],
      ["corrupt", (file: Buffer) => Buffer.from(file).fill(0, 0, 100)],
      ["unsupported", (file: Buffer) => (file.writeInt32BE(99, 60), file)],
      ["corrupt", () => Buffer.from(CANARY.repeat(128))],
    ] as const) {
      const settings = await storedTwo();
      const file = change(readFileSync(settings.path));
      writeFileSync(settings.path, file);
      for (const verify of [false, true]) {
        const error = await failure(localStatus(settings, { verify }));
        expect(error).toMatchObject({ code, operation: "localStatus", flavor: "local" });
        expect(error.message).toContain(settings.path);
        expect(error.hint).toBeTruthy();
      }
      expect(readFileSync(settings.path).equals(file)).toBe(true);
    }
  });

  test("of a store without its key: still told, without a verification", async () => {
    const settings = await storedTwo();
    const other = temporarySettings();
    mkdirSync(dirname(other.key_file), { recursive: true });
    expect(await localStatus({ ...settings, key_file: other.key_file })).toMatchObject({
      exists: true,
      secrets: 2,
      keyFile: other.key_file,
    });
    expect((await failure(localStatus({ ...settings, key_file: other.key_file }, { verify: true }))).code).toBe("unauthenticated");
  });
});
