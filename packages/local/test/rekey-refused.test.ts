import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { localStatus, rekey } from "../src/index.ts";
import { expectNoLeak, failure, snapshotOf, tamper, temporarySettings, type TestSettings, using } from "./laboratory.ts";
import { CANARY, filled, keysOf, PASSPHRASE } from "./rekey-store.ts";

describe("what cannot be done changes nothing", () => {
  /** What a change that must fail says, and whether everything is as it was. */
  async function outcomeOf(settings: TestSettings, work: () => Promise<unknown>): Promise<unknown> {
    const stateOf = (): unknown => {
      const { "state/.key.lock": _lock, ...state } = snapshotOf(dirname(dirname(settings.path)));
      return state;
    };
    const before = stateOf();
    const error = await failure(work);
    await expectNoLeak(error, CANARY, PASSPHRASE, ...keysOf(settings.key_file));
    expect(stateOf()).toEqual(before);
    return [error.code, error.outcome];
  }

  test("without a store", async () => {
    const settings = temporarySettings();
    expect((await failure(rekey(settings, { protection: "passphrase", passphrase: PASSPHRASE }))).code).toBe("invalid_request");
    expect(snapshotOf(dirname(dirname(settings.path)))).toEqual({});
  });

  test.each([
    ["a secret", "UPDATE secrets SET sealed = randomblob(80) WHERE name LIKE '%typed'"],
    ["an older revision", "UPDATE revisions SET sealed = randomblob(80) WHERE revision = 7"],
    ["the census", "UPDATE store SET census = randomblob(52)"],
    ["the list", "DELETE FROM secrets WHERE name LIKE '%large'"],
  ])("%s of the store is damaged", async (_title, damage) => {
    const settings = await filled();
    tamper(settings.path, (database) => database.exec(damage));
    expect(await outcomeOf(settings, () => rekey(settings))).toEqual(["corrupt", "not_applied"]);
    expect(await outcomeOf(settings, () => rekey(settings, { protection: "passphrase", passphrase: PASSPHRASE }))).toEqual([
      "corrupt",
      "not_applied",
    ]);
  });

  test("no new passphrase is given, or an empty one", async () => {
    const settings = await filled();
    vi.stubEnv("COFFER_PASSPHRASE_FILE", "");
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await outcomeOf(settings, () => rekey(settings, { protection: "passphrase" }))).toEqual(["unauthenticated", "not_applied"]);
    expect(await outcomeOf(settings, () => rekey(settings, { protection: "passphrase", passphrase: () => "" }))).toEqual([
      "unauthenticated",
      "not_applied",
    ]);
    expect(
      await outcomeOf(settings, () =>
        rekey(settings, {
          protection: "passphrase",
          passphrase: () => {
            throw new Error(PASSPHRASE);
          },
        }),
      ),
    ).toEqual(["aborted", "not_applied"]);
  });

  test("the caller gives up, or another process keeps the store", async () => {
    const settings = await filled();
    expect(await outcomeOf(settings, () => rekey(settings, {}, { signal: AbortSignal.abort() }))).toEqual(["aborted", "not_applied"]);
    const other = new DatabaseSync(settings.path);
    onTestFinished(() => other.close());
    other.exec("BEGIN IMMEDIATE");
    const before = keysOf(settings.key_file);
    const error = await failure(rekey(settings, {}, { timeoutMs: 500 }));
    expect(error).toMatchObject({ code: "timeout", outcome: "not_applied" });
    // The caller does not wait until the new key is taken back.
    await vi.waitFor(() => expect(keysOf(settings.key_file)).toEqual(before), 5_000);
    other.exec("ROLLBACK");
    expect((await using(settings, (manager) => manager.getSecret("many"))).text["key"]).toBe(`${CANARY} 12`);
  });

  test("settings that are none", async () => {
    const error = await failure(rekey({ path: "", protection: CANARY } as never));
    expect(error).toMatchObject({ code: "invalid_settings" });
    expect(error.message).toContain("path, protection");
    await expectNoLeak(error, CANARY);
  });
});

test("an old key that cannot be removed is told; the store has its new one", async () => {
  const settings = await filled();
  // Another process is busy with the key file and does not come to an end.
  mkdirSync(dirname(settings.key_file), { recursive: true });
  const lock = new DatabaseSync(`${dirname(settings.key_file)}/.key.lock`);
  onTestFinished(() => lock.close());
  lock.exec("BEGIN EXCLUSIVE");
  const controller = new AbortController();
  const change = failure(rekey(settings, { protection: "passphrase", passphrase: PASSPHRASE }, { signal: controller.signal }));
  await vi.waitFor(async () => expect(await localStatus(settings)).toMatchObject({ protection: "passphrase" }), 20_000);
  controller.abort();
  const error = await change;
  expect(error).toMatchObject({ code: "aborted", outcome: "unknown" });
  expect(error.message).toContain("The store has its new key");
  lock.exec("ROLLBACK");
  expect(await localStatus({ ...settings, passphrase: PASSPHRASE }, { verify: true })).toMatchObject({
    protection: "passphrase",
    secrets: 3,
  });
  // The next change takes the old key away.
  await rekey({ ...settings, passphrase: PASSPHRASE }, { protection: "key_file" });
  expect(keysOf(settings.key_file)).toHaveLength(1);
});
