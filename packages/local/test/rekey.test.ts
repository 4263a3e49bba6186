import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type SecretsManager } from "@coffer/core";
import { describe, expect, test, vi } from "vitest";
import { localStatus, rekey } from "../src/index.ts";
import { expectNoLeak, failure, open, protectCheaply, runProgram, tamper, temporarySettings, using } from "./laboratory.ts";
import { CANARY, filled, keysOf, PASSPHRASE } from "./rekey-store.ts";

/** Everything that a manager says of its secrets, as text. */
async function contentsOf(manager: SecretsManager): Promise<string[]> {
  const contents: string[] = [];
  for await (const { name, schema, revision, createdAt, updatedAt } of manager.listSecrets()) {
    contents.push(`${name} ${schema} ${revision} ${createdAt?.toISOString()} ${updatedAt?.toISOString()}`);
    for await (const { revision: number, createdAt: at } of manager.history(name)) {
      const { text } = await manager.getSecret(name, { revision: number });
      contents.push(`${number} ${at?.toISOString()} ${JSON.stringify(text)}`);
    }
  }
  return contents;
}

/** The sealed blobs of a store, as it is on the disk. */
function sealedOf(path: string): Buffer[] {
  return tamper(path, (database) =>
    database
      .prepare(
        "SELECT sealed FROM secrets UNION ALL SELECT sealed FROM revisions UNION ALL SELECT wrapped FROM keys UNION ALL SELECT census FROM store",
      )
      .all()
      .map(({ sealed }) => Buffer.from(sealed as Uint8Array)),
  );
}

describe("a change of the key keeps every secret with all its revisions", () => {
  test("a new key file: another data key, the old key gone from both files", async () => {
    const settings = await filled();
    const before = await using(settings, contentsOf);
    const [oldKey = ""] = keysOf(settings.key_file);
    const oldBlobs = sealedOf(settings.path);
    const oldFile = readFileSync(settings.path);
    expect(await rekey(settings)).toEqual({
      path: settings.path,
      before: "key_file",
      after: "key_file",
      keyFile: settings.key_file,
      secrets: 3,
    });
    expect(await using(settings, contentsOf)).toEqual(before);
    const keys = keysOf(settings.key_file);
    expect(keys).toHaveLength(1);
    expect(keys).not.toContain(oldKey);
    const file = readFileSync(settings.path);
    // Nothing that the old key would open is left, also not in pages that are no longer in use.
    for (const blob of oldBlobs) expect(file.includes(blob.subarray(0, 24))).toBe(false);
    expect(existsSync(`${settings.path}-wal`)).toBe(false);
    expect(await localStatus(settings, { verify: true })).toMatchObject({ secrets: 3, verified: { damaged: [], complete: true } });
    // The old key opens a copy of the old file, and not the new one.
    const key_file = readFileSync(settings.key_file);
    writeFileSync(
      settings.key_file,
      key_file.toString().replace(/^coffer-key.*$/m, (line) => `${line.slice(0, -43)}${oldKey}`),
    );
    expect((await failure(using(settings, (manager) => manager.getSecret("many")))).code).toBe("corrupt");
    writeFileSync(settings.key_file, key_file.toString().replace(/^coffer-key 1 (\S+) .*$/m, `coffer-key 1 $1 1 ${oldKey}`));
    expect((await failure(using(settings, (manager) => manager.getSecret("many")))).code).toBe("unauthenticated");
    writeFileSync(settings.path, oldFile);
    expect(await using(settings, contentsOf)).toEqual(before);
  });

  test("to a passphrase and back: the key file goes and comes", async () => {
    const settings = await filled();
    const before = await using(settings, contentsOf);
    const asked: string[] = [];
    const ask = ({ purpose }: { readonly purpose: string }): string => {
      asked.push(purpose);
      return PASSPHRASE;
    };
    expect(await rekey(settings, { protection: "passphrase", passphrase: ask })).toMatchObject({
      before: "key_file",
      after: "passphrase",
      keyFile: null,
      secrets: 3,
    });
    expect(existsSync(settings.key_file)).toBe(false);
    expect((await failure(using(settings, contentsOf))).code).toBe("unauthenticated");
    const withPassphrase = { ...settings, passphrase: ask };
    expect(await using(withPassphrase, contentsOf)).toEqual(before);
    expect(await rekey(withPassphrase, { protection: "key_file" })).toMatchObject({
      before: "passphrase",
      after: "key_file",
      keyFile: settings.key_file,
    });
    expect(await using(settings, contentsOf)).toEqual(before);
    expect(asked).toEqual(["rekey", "open", "open"]);
  });

  test("another passphrase: the old one opens nothing any more", async () => {
    const settings = await filled();
    await protectCheaply(settings, "the old one");
    const oldFile = readFileSync(settings.path);
    await rekey({ ...settings, passphrase: "the old one" }, { passphrase: PASSPHRASE });
    expect(await localStatus({ ...settings, passphrase: PASSPHRASE }, { verify: true })).toMatchObject({
      protection: "passphrase",
      verified: { damaged: [], complete: true },
    });
    const error = await failure(using({ ...settings, passphrase: "the old one" }, contentsOf));
    expect(error.code).toBe("unauthenticated");
    await expectNoLeak(error, CANARY, PASSPHRASE);
    expect(oldFile.equals(readFileSync(settings.path))).toBe(false);
  });

  test("dataKey: false changes what protects the data key, and writes no secret anew", async () => {
    const settings = await filled();
    const before = await using(settings, contentsOf);
    const [oldKey = ""] = keysOf(settings.key_file);
    const blobs = (): unknown[] =>
      tamper(settings.path, (database) =>
        database.prepare("SELECT name, sealed FROM secrets UNION ALL SELECT name || revision, sealed FROM revisions").all(),
      );
    const wrapped = (): unknown => tamper(settings.path, (database) => database.prepare("SELECT id, wrapped FROM keys").get());
    const sealed = blobs();
    const key = wrapped();
    expect(await rekey(settings, { dataKey: false })).toMatchObject({ secrets: 0 });
    expect(blobs()).toEqual(sealed);
    expect(wrapped()).not.toEqual(key);
    expect(keysOf(settings.key_file)).toHaveLength(1);
    expect(keysOf(settings.key_file)).not.toContain(oldKey);
    expect(await using(settings, contentsOf)).toEqual(before);
  });

  test("an empty store, and one whose secrets were all deleted", async () => {
    const settings = temporarySettings();
    await using(settings, async (manager) => {
      await manager.registerSecret({ name: "one", values: { key: CANARY } });
      await manager.deleteSecret("one");
    });
    expect(await rekey(settings)).toMatchObject({ secrets: 0 });
    await using(settings, async (manager) => {
      // A revision never comes back, also not under a new key.
      expect((await manager.registerSecret({ name: "one", values: { key: CANARY } })).revision).toBe("2");
      expect(await contentsOf(manager)).toHaveLength(2);
    });
  });

  test("more secrets than are sealed without a pause", async () => {
    const settings = temporarySettings();
    await using(settings, async (manager) => {
      for (let index = 0; index < 450; index += 1) await manager.registerSecret({ name: `s${index}`, values: { key: `${index}` } });
    });
    expect(await rekey(settings)).toMatchObject({ secrets: 450 });
    expect(await localStatus(settings, { verify: true })).toMatchObject({ secrets: 450, verified: { damaged: [], complete: true } });
  });
});

describe("others go on", () => {
  test("open managers read and write through it, whatever changes", async () => {
    const settings = await filled();
    const ask = vi.fn<() => string>(() => PASSPHRASE);
    const managers = [open({ ...settings, passphrase: ask }), open({ ...settings, passphrase: ask })];
    const [first, second] = managers as [SecretsManager, SecretsManager];
    await first.getSecret("many");
    await second.updateSecret("typed", { values: { user: "before" } });
    for (const change of [
      {},
      { dataKey: false },
      { protection: "passphrase", passphrase: PASSPHRASE },
      { protection: "key_file" },
    ] as const) {
      await rekey({ ...settings, passphrase: PASSPHRASE }, change);
      expect((await first.getSecret("many")).text["key"]).toBe(`${CANARY} 12`);
      expect((await first.getSecret("many", { revision: "5" })).text["key"]).toBe(`${CANARY} 5`);
      await second.updateSecret("typed", { values: { user: JSON.stringify(change) } });
      expect((await first.getSecret("typed")).text["user"]).toBe(JSON.stringify(change));
      expect(await Array.fromAsync(first.listSecrets())).toHaveLength(3);
      expect(await Array.fromAsync(second.history("many"))).toHaveLength(10);
    }
    expect((await localStatus(settings, { verify: true })).verified).toEqual({ damaged: [], complete: true });
  });

  test("a list that was begun before is of that state, to its end", async () => {
    const settings = temporarySettings();
    await using(settings, async (manager) => {
      for (let index = 0; index < 1_200; index += 1) await manager.registerSecret({ name: `s${index}`, values: { key: "value" } });
    });
    const manager = open(settings);
    const names: string[] = [];
    for await (const { name } of manager.listSecrets()) {
      names.push(name);
      if (names.length === 1) {
        await rekey(settings);
        await using(settings, (other) => other.deleteSecret("s77"));
      }
    }
    expect(names).toHaveLength(1_200);
    expect(await Array.fromAsync(manager.listSecrets())).toHaveLength(1_199);
  });

  test("reads and writes while the key changes again and again: nothing fails and nothing is lost", async () => {
    const settings = await filled();
    const manager = open(settings);
    const program = `
      import { setTimeout } from "node:timers/promises";
      import { rekey } from "@coffer/local";
      for (let change = 0; change < 12; change += 1) {
        await rekey(${JSON.stringify(settings)}, { dataKey: change % 3 !== 2 });
        await setTimeout(10);
      }`;
    let isOver = false;
    const changes = runProgram(program).finally(() => (isOver = true));
    let writes = 0;
    while (!isOver) {
      await manager.upsertSecret({ name: "counter", values: { count: String((writes += 1)) } });
      expect((await manager.getSecret("counter")).text["count"]).toBe(String(writes));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await changes).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(writes).toBeGreaterThan(12);
    expect((await localStatus(settings, { verify: true })).verified).toEqual({ damaged: [], complete: true });
  });

  test("several at once: one after the other, and one key is left", async () => {
    const settings = await filled();
    const before = await using(settings, contentsOf);
    await Promise.all(Array.from({ length: 5 }, () => rekey(settings)));
    expect(keysOf(settings.key_file)).toHaveLength(1);
    expect(await using(settings, contentsOf)).toEqual(before);
    expect(tamper(settings.path, (database) => database.prepare("SELECT id FROM keys").all())).toEqual([{ id: 6 }]);
  });
});

test("a copy of the store from before the change opens with a copy of the key from before", async () => {
  const settings = await filled();
  const before = await using(settings, contentsOf);
  const backup = temporarySettings();
  for (const which of ["path", "key_file"] as const) {
    mkdirSync(dirname(backup[which]), { mode: 0o700 });
    copyFileSync(settings[which], backup[which]);
  }
  await rekey(settings);
  expect(await using(backup, contentsOf)).toEqual(before);
  rmSync(backup.key_file);
  copyFileSync(settings.key_file, backup.key_file);
  expect((await failure(using(backup, contentsOf))).code).toBe("unauthenticated");
});
