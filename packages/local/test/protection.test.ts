import { dirname } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { localStatus, PROTECTIONS, rekey } from "../src/index.ts";
import {
  canaryOf,
  expectNoLeak,
  failure,
  passphraseStoreWithOne,
  readOne,
  snapshotOf,
  storeWithOne,
  type TestSettings,
  using,
} from "./laboratory.ts";

const CANARY = canaryOf("protection");
const PASSPHRASE = canaryOf("passphrase");

const storedOne = (settings?: TestSettings): Promise<TestSettings> => storeWithOne(CANARY, settings);
const cheapStore = (passphrase = PASSPHRASE): Promise<{ readonly path: string }> => passphraseStoreWithOne(CANARY, passphrase);

describe("demanded protection", () => {
  test.each(PROTECTIONS.filter((protection) => protection !== "key_file"))(
    "%s for a store with a key file: refused, never changed",
    async (protection) => {
      const settings = await storedOne();
      const before = snapshotOf(dirname(dirname(settings.path)));
      const demanding = { ...settings, protection, passphrase: PASSPHRASE };
      for (const call of [
        () => readOne(demanding),
        () => using(demanding, (manager) => manager.updateSecret("one", { values: { key: "x" } })),
        () => localStatus(demanding, { verify: true }),
        () => rekey(demanding),
      ]) {
        const error = await failure(call);
        expect(error.code).toBe("invalid_settings");
        expect(error.message).toContain(`protected by key_file, the settings demand ${protection}`);
        expect(error.hint).toContain(`coffer local rekey --protection=${protection}`);
        await expectNoLeak(error, CANARY, PASSPHRASE);
      }
      expect(snapshotOf(dirname(dirname(settings.path)))).toEqual(before);
    },
  );

  test("a key file for a store with a passphrase: refused without asking", async () => {
    const ask = vi.fn<() => string>(() => PASSPHRASE);
    const error = await failure(readOne({ ...(await cheapStore()), protection: "key_file", passphrase: ask }));
    expect(error.code).toBe("invalid_settings");
    expect(ask).not.toHaveBeenCalled();
  });

  test("the one that it has: opened", async () => {
    expect(await readOne({ ...(await storedOne()), protection: "key_file" })).toBe(CANARY);
    expect(await readOne({ ...(await cheapStore()), protection: "passphrase", passphrase: PASSPHRASE })).toBe(CANARY);
  });
});
