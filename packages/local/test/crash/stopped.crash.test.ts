import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createSecretsManager } from "@coffer/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { local, localStatus, rekey } from "../../src/index.ts";
import { dryRun, examined } from "./cases.ts";
import { OPERATIONS, settingsIn } from "./operations.ts";
import { Stores } from "./stores.ts";
import { callOf, hasStrace, needsStrace, nodeArguments, traced } from "./strace.ts";

describe.skipIf(!hasStrace)(`T72: a writer that is stopped${needsStrace}`, () => {
  let stores: Stores;
  beforeAll(async () => {
    stores = await Stores.prepare();
  });
  afterAll(() => stores.remove());

  test("that has not read its key yet takes the new one, when the key was changed meanwhile", async () => {
    const folder = stores.begin("at rest");
    const settings = settingsIn(folder);
    // It has asked the store which key it needs, and has looked whether the key file is there.
    const inject = "?statx,?lstat,?newfstatat:signal=SIGSTOP:when=1";
    const victim = nodeArguments("victim.ts", folder, "update");
    const stopped = traced(folder, ["statx", "lstat", "newfstatat"], inject, victim, [settings.key_file]);
    const pid = await stoppedIn(join(folder, "trace"));
    try {
      await rekey(settings);
      process.kill(pid, "SIGCONT");
      expect(await stopped).toMatchObject({ code: 0, stdout: "done\n", stderr: "" });
      expect(await examined([folder])).toMatchObject([{ contents: OPERATIONS.update.after, damaged: [], complete: true, leftovers: [] }]);
    } finally {
      signal(pid, "SIGKILL");
      await stopped;
    }
  });

  test("in the middle of a write keeps its lock: others read, and wait as long as they want to; when it goes on, nothing of either is lost", async () => {
    const writes = (await dryRun(stores, "update")).trace.filter((line) => callOf(line) === "pwrite64");
    const folder = stores.begin("at rest");
    // After its fourth write into the log it holds the lock, and the log holds half of a transaction.
    const logged = writes.flatMap((line, index) => (line.includes("secrets.db-wal>") ? [index + 1] : []));
    const inject = `pwrite64:signal=SIGSTOP:when=${logged[3]}`;
    const stopped = traced(folder, ["pwrite64"], inject, nodeArguments("victim.ts", folder, "update"));
    const pid = await stoppedIn(join(folder, "trace"));
    const manager = createSecretsManager(local, settingsIn(folder));
    try {
      const waiting = manager.registerSecret({ name: "patient", values: { a: "1" } });
      await expect(manager.registerSecret({ name: "hurried", values: { a: "1" } }, { timeoutMs: 1000 })).rejects.toMatchObject({
        code: "timeout",
        outcome: "not_applied",
      });
      expect((await manager.getSecret("beta", { timeoutMs: 1000 })).text).toEqual(OPERATIONS.update.before["beta"]);
      await sleep(2500);
      process.kill(pid, "SIGCONT");
      await waiting;
      expect(await stopped).toMatchObject({ code: 0, stdout: "done\n" });
      expect((await manager.getSecret("beta")).text).toEqual(OPERATIONS.update.after["beta"]);
      const names = (await Array.fromAsync(manager.listSecrets())).map(({ name }) => name);
      expect(names).toEqual(["alpha", "beta", "gamma", "patient"]);
      expect((await localStatus(settingsIn(folder), { verify: true })).verified).toEqual({ damaged: [], complete: true });
    } finally {
      await manager.close();
      signal(pid, "SIGKILL");
      await stopped;
    }
  });
});

/** The process that strace has stopped, as soon as it is. */
async function stoppedIn(trace: string): Promise<number> {
  for (let rounds = 0; rounds < 1000; rounds += 1) {
    await sleep(10);
    try {
      const stop = /^(\d+) +--- SIGSTOP/m.exec(readFileSync(trace, "utf8"));
      if (stop !== null) return Number(stop[1]);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  throw new Error("It was not stopped.");
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It has ended by itself.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
