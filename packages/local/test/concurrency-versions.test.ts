import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecretsManager } from "@coffer/core";
import { afterAll, expect, test } from "vitest";
import { local, rekey } from "../src/index.ts";
import { settingsIn } from "./crash/operations.ts";
import { sqlite } from "../src/sqlite.ts";

const root = mkdtempSync(join(tmpdir(), "coffer-versions-"));
afterAll(() => rmSync(root, { recursive: true }));

test.each(["closed", "open"])(
  "T77: a store that a newer Coffer has taken over is not written, by a manager that was %s by then",
  async (state) => {
    const settings = settingsIn(mkdtempSync(join(root, "store-")));
    const manager = createSecretsManager(local, settings);
    await manager.registerSecret({ name: "first", values: { a: "1" } });
    if (state === "closed") await manager.close();
    const newer = new (sqlite().DatabaseSync)(settings.path);
    newer.exec("PRAGMA user_version = 2; ALTER TABLE secrets ADD COLUMN colour TEXT; PRAGMA wal_checkpoint(TRUNCATE)");
    newer.close();
    const before = readFileSync(settings.path);
    const old = state === "closed" ? createSecretsManager(local, settings) : manager;
    const writes = [
      () => old.registerSecret({ name: "second", values: { a: "1" } }),
      () => old.updateSecret("first", { values: { a: "2" } }),
      () => old.deleteSecret("first"),
      () => old.deleteAllSecrets(),
      () => rekey(settings),
    ];
    for (const write of writes) await expect(write()).rejects.toMatchObject({ code: "unsupported", outcome: expect.any(String) });
    await old.close();
    expect(readFileSync(settings.path).equals(before)).toBe(true);
  },
);
