import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createSecretsManager } from "@coffer/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { local, rekey } from "../../src/index.ts";
import { AT_REST, type OperationName, OPERATIONS, settingsIn, UUID } from "./operations.ts";
import { Stores } from "./stores.ts";
import { hasStrace, needsStrace, nodeArguments, traced } from "./strace.ts";

function filesIn(folder: string): string[] {
  return ["data", "key"].flatMap((name) => readdirSync(join(folder, name)).map((file) => `${name}/${file}`)).toSorted();
}

describe.skipIf(!hasStrace)(`T56: what a killed process has left is swept by the next, and never read${needsStrace}`, () => {
  let stores: Stores;
  beforeAll(async () => {
    stores = await Stores.prepare();
  });
  afterAll(() => stores.remove());

  /** The folder of a victim that was killed when it was about to give a file its name for the n-th time. */
  async function killedBefore(rename: number, name: OperationName): Promise<string> {
    const folder = stores.begin(OPERATIONS[name].start);
    const inject = `?rename,?renameat,renameat2:signal=SIGKILL:when=${rename}`;
    const { signal } = await traced(folder, ["rename", "renameat", "renameat2"], inject, nodeArguments("victim.ts", folder, name));
    expect(signal).toBe("SIGKILL");
    return folder;
  }

  test("a store that was not finished is no store: nothing is read from it, nothing changes it, the next register takes it away", async () => {
    const folder = await killedBefore(2, "first register");
    const left = filesIn(folder);
    expect(left).toContain(`data/.secrets.db.${UUID}.new`);
    const manager = createSecretsManager(local, settingsIn(folder));
    expect(await manager.hasSecret("delta")).toBe(false);
    expect(await Array.fromAsync(manager.listSecrets())).toEqual([]);
    await expect(manager.deleteSecret("delta")).rejects.toMatchObject({ code: "not_found" });
    expect(filesIn(folder)).toEqual(left);
    await manager.registerSecret({ name: "next", values: { a: "1" } });
    await manager.close();
    expect(filesIn(folder)).toEqual(AT_REST);
  });

  test("a key file that was not finished is taken away by the next one", async () => {
    const folder = await killedBefore(1, "rekey");
    expect(filesIn(folder)).toContain(`key/.file.${UUID}.tmp`);
    await rekey(settingsIn(folder));
    expect(filesIn(folder)).toEqual(AT_REST);
  });
});
