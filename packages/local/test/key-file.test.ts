import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type LocalSettings, localStatus, rekey } from "../src/index.ts";
import { canaryOf, expectNoLeak, failure, snapshotOf, temporaryFolder, temporarySettings, type TestSettings, using } from "./laboratory.ts";

const CANARY = canaryOf("key file");
const PASSPHRASE = canaryOf("passphrase");

async function storedOne(settings: TestSettings = temporarySettings()): Promise<TestSettings> {
  await using(settings, (manager) => manager.registerSecret({ name: "one", values: { key: CANARY } }));
  return settings;
}

const readOne = (settings: LocalSettings): Promise<string | undefined> =>
  using(settings, async (manager) => (await manager.getSecret("one")).text["key"]);

describe("key file", () => {
  test("by default it lies below XDG_STATE_HOME, named after the store, away from the data", async () => {
    const folder = temporaryFolder();
    vi.stubEnv("XDG_DATA_HOME", join(folder, "data"));
    vi.stubEnv("XDG_STATE_HOME", join(folder, "state"));
    onTestFinished(() => void vi.unstubAllEnvs());
    await using({}, (manager) => manager.registerSecret({ name: "one", values: { key: CANARY } }));
    const { path, keyFile, protection } = await localStatus();
    expect({ path, protection }).toEqual({ path: join(folder, "data/coffer/local/secrets.db"), protection: "key_file" });
    expect(keyFile).toMatch(new RegExp(`^${join(folder, "state/coffer/local")}/[0-9a-f-]{36}\\.key$`));
    expect(await readOne({})).toBe(CANARY);
    // No lock beside it: it belongs to one store, and that store's lock is enough.
    expect(Object.keys(snapshotOf(join(folder, "state/coffer/local")))).toHaveLength(1);
  });

  test("missing: refused, naming the place, and nothing is made in its place", async () => {
    const settings = await storedOne();
    const before = readFileSync(settings.path);
    const key = readFileSync(settings.key_file, "utf8").split(" ").at(-1)?.trim() ?? "";
    rmSync(settings.key_file);
    for (const call of [
      () => readOne(settings),
      () => using(settings, (manager) => manager.registerSecret({ name: "two", values: { key: "x" } })),
      () => using(settings, (manager) => Array.fromAsync(manager.listSecrets())),
      () => rekey(settings),
      () => localStatus(settings, { verify: true }),
    ]) {
      const error = await failure(call);
      expect(error.code).toBe("unauthenticated");
      expect(error.message).toContain(settings.key_file);
      expect(error.hint).toContain("Put it back");
      await expectNoLeak(error, CANARY, key);
    }
    expect(existsSync(settings.key_file)).toBe(false);
    expect(readFileSync(settings.path).equals(before)).toBe(true);
    expect(await localStatus(settings)).toMatchObject({ exists: true, protection: "key_file", secrets: 1, verified: null });
  });

  test("that of another store: refused", async () => {
    const settings = await storedOne();
    const other = await storedOne();
    copyFileSync(other.key_file, settings.key_file);
    const error = await failure(readOne(settings));
    expect(error).toMatchObject({ code: "unauthenticated", hint: "Put the right key file in its place." });
    expect(error.message).toContain(settings.key_file);
    expect(await readOne(other)).toBe(CANARY);
  });

  test("with another key, empty, or of other text: refused, and never shown", async () => {
    const settings = await storedOne();
    const text = readFileSync(settings.key_file, "utf8");
    const key = text.split(" ").at(-1)?.trim() ?? "";
    const changed = text.replace(key, `${key[0] === "A" ? "B" : "A"}${key.slice(1)}`);
    for (const content of [changed, "", text.toUpperCase(), text.slice(0, -5), `${key}\n`, "\0".repeat(100)]) {
      writeFileSync(settings.key_file, content);
      const error = await failure(readOne(settings));
      expect(error.code).toMatch(/^(?:corrupt|unauthenticated)$/);
      await expectNoLeak(error, CANARY, key);
      expect(readFileSync(settings.key_file, "utf8")).toBe(content);
    }
    writeFileSync(settings.key_file, text);
    expect(await readOne(settings)).toBe(CANARY);
  });

  test("one file for several stores: each finds its own key, and a change of one leaves the others", async () => {
    const first = await storedOne();
    const second = await storedOne({ ...temporarySettings(), key_file: first.key_file });
    const third = await storedOne({ ...temporarySettings(), key_file: first.key_file });
    await rekey(second);
    await rekey(third, { protection: "passphrase", passphrase: PASSPHRASE });
    expect(await readOne(first)).toBe(CANARY);
    expect(await readOne(second)).toBe(CANARY);
    expect(await readOne({ ...third, passphrase: PASSPHRASE })).toBe(CANARY);
    const lines = readFileSync(first.key_file, "utf8").trim().split("\n");
    expect(lines.filter((line) => line.startsWith("coffer-key "))).toHaveLength(2);
  });

  test("several stores that are made at once share one file and lose no key", async () => {
    const { key_file } = temporarySettings();
    const stores = await Promise.all(Array.from({ length: 8 }, () => storedOne({ ...temporarySettings(), key_file })));
    for (const settings of stores) expect(await readOne(settings)).toBe(CANARY);
  });

  test("what a process that was killed has left beside it goes with the next change of the key", async () => {
    const settings = await storedOne();
    const left = join(dirname(settings.key_file), ".key.00000000-0000-4000-8000-000000000000.tmp");
    copyFileSync(settings.key_file, left);
    writeFileSync(join(dirname(settings.key_file), ".key.of-mine.tmp"), "not ours");
    await rekey(settings);
    expect(readdirSync(dirname(settings.key_file)).toSorted()).toEqual([".key.lock", ".key.of-mine.tmp", "key"]);
  });
});
