import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { SecretsError } from "@coffer/core";
import { beforeAll, describe, expect, test } from "vitest";
import { localStatus, rekey } from "../src/index.ts";
import { failure, shownOf, snapshotOf, tamper, temporarySettings, type TestSettings, using } from "./laboratory.ts";
import { CANARY, makeSpecimen, plant, clear, type Specimen } from "./specimen.ts";

let specimen: Specimen;
beforeAll(async () => {
  specimen = await makeSpecimen();
});

describe("T58 what is no store of ours is reported by every command and left byte for byte", () => {
  /** Everything that can be asked of a store; each must fail, and tell what to do. */
  async function refusals(settings: TestSettings): Promise<SecretsError[]> {
    const name = "team-0/secret-00";
    const errors: SecretsError[] = [];
    for (const call of [
      () => using(settings, (manager) => manager.getSecret(name)),
      () => using(settings, (manager) => manager.hasSecret("never")),
      () => using(settings, (manager) => Array.fromAsync(manager.listSecrets())),
      () => using(settings, (manager) => Array.fromAsync(manager.history(name))),
      () => using(settings, (manager) => manager.registerSecret({ name: "new", values: { key: "value" } })),
      () => using(settings, (manager) => manager.updateSecret(name, { values: { key: "value" } })),
      () => using(settings, (manager) => manager.deleteSecret(name)),
      () => localStatus(settings),
      () => localStatus(settings, { verify: true }),
      () => rekey(settings),
    ])
      errors.push(await failure(call));
    return errors;
  }

  async function expectRefused(file: Uint8Array, code: string, settings = plant(specimen, file)): Promise<readonly SecretsError[]> {
    plant(specimen, file, settings);
    const errors = await refusals(settings);
    for (const error of errors) {
      expect(error).toMatchObject({ code, retryable: false, outcome: "not_applied" });
      expect(error.message).toContain(settings.path);
      expect(error.hint).toBeTruthy();
      expect(shownOf(error)).not.toContain(CANARY.slice(0, 12));
    }
    expect(readFileSync(settings.path).equals(file)).toBe(true);
    clear(settings);
    return errors;
  }

  test("an empty file", async () => {
    const errors = await expectRefused(Buffer.alloc(0), "corrupt");
    expect(errors[0]?.message).toContain("empty");
    expect(errors[0]?.hint).toContain("backup");
  });

  test("a file that was cut off, at every 512 bytes", async () => {
    const settings = temporarySettings();
    for (let length = 512; length < specimen.file.length; length += 512)
      await expectRefused(specimen.file.subarray(0, length), "corrupt", settings);
    expect(specimen.file.length).toBeGreaterThan(20 * 4096);
  });

  test.each([1, 512, 4095])("a file with %i bytes behind its end", async (more) => {
    expect((await expectRefused(Buffer.concat([specimen.file, Buffer.alloc(more)]), "corrupt")).length).toBeGreaterThan(0);
  });

  test("a store that a newer Coffer has written", async () => {
    const settings = plant(specimen, specimen.file);
    tamper(settings.path, (database) => database.exec("PRAGMA user_version = 2"));
    const errors = await expectRefused(readFileSync(settings.path), "unsupported");
    expect(errors[0]?.message).toContain("newer");
    expect(errors[0]?.hint).toContain("Update");
  });

  test.each([0, -1])("a format number that never was: %i", async (version) => {
    const settings = plant(specimen, specimen.file);
    tamper(settings.path, (database) => database.exec(`PRAGMA user_version = ${version}`));
    expect((await expectRefused(readFileSync(settings.path), "corrupt")).length).toBeGreaterThan(0);
  });

  test("a text file, and a page of nothing", async () => {
    await expectRefused(Buffer.from(`password=${CANARY}\n`.repeat(500).slice(0, 8192)), "corrupt");
    expect((await expectRefused(Buffer.alloc(8192), "corrupt")).length).toBeGreaterThan(0);
  });

  test("a database of another program", async () => {
    const settings = temporarySettings();
    mkdirSync(dirname(settings.path), { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(settings.path);
    database.exec("PRAGMA journal_mode = WAL; CREATE TABLE secrets (name TEXT, value TEXT)");
    database.prepare("INSERT INTO secrets VALUES (?, ?)").run("one", CANARY);
    database.close();
    const errors = await expectRefused(readFileSync(settings.path), "corrupt");
    expect(errors[0]?.message).toContain("not a store of Coffer");
  });

  test("a rollback journal beside the store is not played back", async () => {
    const settings = plant(specimen, specimen.file);
    writeFileSync(`${settings.path}-journal`, Buffer.alloc(1024, 7), { mode: 0o600 });
    await expectRefused(specimen.file, "corrupt", settings);
    expect(readFileSync(`${settings.path}-journal`).length).toBe(1024);
  });

  test("a log without its store: nothing is begun anew, and the log stays", async () => {
    const settings = plant(specimen, specimen.file);
    rmSync(settings.path);
    writeFileSync(`${settings.path}-wal`, Buffer.alloc(4096, 7), { mode: 0o600 });
    const before = snapshotOf(dirname(settings.path));
    for (const error of await refusals(settings)) {
      expect(error.code).toBe("corrupt");
      expect(error.message).toContain("gone");
      expect(error.hint).toContain(`${settings.path}-wal`);
    }
    expect(snapshotOf(dirname(settings.path))).toEqual(before);
  });

  test("the path of the store is a directory, or lies below a file", async () => {
    const settings = temporarySettings();
    mkdirSync(settings.path, { recursive: true, mode: 0o700 });
    for (const error of await refusals(settings)) expect(error.code).toMatch(/^(?:permission_denied|invalid_settings)$/);
    const below = { ...temporarySettings(), path: join(plant(specimen, specimen.file).path, "below/secrets.db") };
    const errors = await refusals(below);
    for (const error of errors) expect(["invalid_settings", "not_found", "invalid_request"]).toContain(error.code);
    expect(existsSync(below.path)).toBe(false);
  });
});
