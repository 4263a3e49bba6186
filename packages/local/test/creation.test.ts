import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { type LocalSettings, meaningOf } from "../src/index.ts";
import { canaryOf, expectNoLeak, failure, open, snapshotOf, temporarySettings, type TestSettings, using } from "./laboratory.ts";

const CANARY = canaryOf("creation");
const PASSPHRASE = canaryOf("passphrase");

async function storedOne(settings: TestSettings = temporarySettings()): Promise<TestSettings> {
  await using(settings, (manager) => manager.registerSecret({ name: "one", values: { key: CANARY } }));
  return settings;
}

const readOne = (settings: LocalSettings): Promise<string | undefined> =>
  using(settings, async (manager) => (await manager.getSecret("one")).text["key"]);

describe("T124 the notice of a new store", () => {
  test.each(["key_file", "passphrase"] as const)(
    "%s: it comes before anything is written, and says what protects the store",
    async (protection) => {
      const settings = temporarySettings();
      const seen: unknown[] = [];
      const noticed = {
        ...settings,
        protection,
        passphrase: PASSPHRASE,
        onCreate: (notice: unknown) => void seen.push(notice, existsSync(settings.path), existsSync(settings.key_file)),
      };
      await using(noticed, async (manager) => {
        await manager.registerSecret({ name: "one", values: { key: CANARY } });
        await manager.registerSecret({ name: "two", values: { key: CANARY } });
      });
      const keyFile = protection === "key_file" ? settings.key_file : null;
      expect(seen).toEqual([{ path: settings.path, protection, keyFile, meaning: meaningOf(protection) }, false, false]);
    },
  );

  test.each(["nothing", "an empty directory"])(
    "what it throws stops the creation, and where there was %s there is nothing more",
    async (title) => {
      const settings = temporarySettings();
      if (title === "an empty directory") mkdirSync(dirname(settings.path), { mode: 0o700 });
      const folder = dirname(dirname(settings.path));
      const before = snapshotOf(folder);
      const refusing = { ...settings, onCreate: () => Promise.reject(new Error(`no: ${PASSPHRASE}`)) };
      const errors = await using(refusing, (manager) =>
        Promise.all(["one", "two", "three"].map((name) => failure(manager.registerSecret({ name, values: { key: CANARY } })))),
      );
      for (const error of errors) {
        expect(error).toMatchObject({ code: "aborted", outcome: "not_applied" });
        expect(error.message).toContain('"onCreate"');
        await expectNoLeak(error, CANARY, PASSPHRASE);
      }
      expect(snapshotOf(folder)).toEqual(before);
      await storedOne(settings);
      expect(await readOne(settings)).toBe(CANARY);
    },
  );

  test("one of many that make the store at once is told, and all are stored", async () => {
    const settings = temporarySettings();
    const onCreate = vi.fn<() => void>();
    const managers = Array.from({ length: 5 }, () => open({ ...settings, onCreate }));
    await Promise.all(managers.map((manager, index) => manager.registerSecret({ name: `s${index}`, values: { key: CANARY } })));
    expect(onCreate).toHaveBeenCalledOnce();
    expect(await using(settings, (manager) => Array.fromAsync(manager.listSecrets()))).toHaveLength(5);
  });

  test("one that fails while others wait: they make the store instead", async () => {
    const settings = temporarySettings();
    let calls = 0;
    const onCreate = async (): Promise<void> => {
      const mine = (calls += 1);
      await new Promise((resolve) => setTimeout(resolve, 10));
      if (mine <= 3) throw new Error("no");
    };
    const managers = Array.from({ length: 8 }, () => open({ ...settings, onCreate }));
    const outcomes = await Promise.allSettled(
      managers.map((manager, index) => manager.registerSecret({ name: `s${index}`, values: { key: CANARY } })),
    );
    expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(3);
    expect(await using(settings, (manager) => Array.fromAsync(manager.listSecrets()))).toHaveLength(5);
    expect(readdirSync(dirname(settings.path)).filter((name) => name.includes(".new"))).toEqual([]);
  });
});
