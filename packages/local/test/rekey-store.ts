import { existsSync, readFileSync } from "node:fs";
import { canaryOf, temporarySettings, type TestSettings, using } from "./laboratory.ts";

export const CANARY = canaryOf("rekey");
export const PASSPHRASE = canaryOf("rekey passphrase");

/** A closed store with secrets that have older revisions, one that has a schema, and one that was deleted. */
export async function filled(): Promise<TestSettings> {
  const settings = temporarySettings();
  await using(settings, async (manager) => {
    for (let revision = 1; revision <= 12; revision += 1)
      await manager.upsertSecret({ name: "many", values: { key: `${CANARY} ${revision}` } });
    await manager.registerSecret({ name: "typed", schema: "mysql", values: { user: "etl", password: CANARY } });
    await manager.registerSecret({ name: "large", values: { key: CANARY + "x".repeat(100_000) } });
    await manager.registerSecret({ name: "gone", values: { key: CANARY } });
    await manager.deleteSecret("gone");
  });
  return settings;
}

/** The keys in a key file. */
export const keysOf = (path: string): string[] =>
  existsSync(path)
    ? readFileSync(path, "utf8")
        .split("\n")
        .filter((line) => line.startsWith("coffer-key"))
        .map((line) => line.split(" ").at(-1) ?? "")
    : [];
