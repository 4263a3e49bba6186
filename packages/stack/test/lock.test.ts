import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { registerStack } from "../src/index.ts";
import { withLock } from "../src/lock.ts";
import { account, failure, runProgram, sourceUrl, temporaryFolder } from "./laboratory.ts";

const onLinux = process.platform === "linux";

/** A process that holds a lock until it is told otherwise. */
async function holder(path: string): Promise<ReturnType<typeof spawn>> {
  const program = `import { withLock } from ${JSON.stringify(sourceUrl("lock.ts"))};
    await withLock(${JSON.stringify(path)}, () => new Promise((resolve) => { process.stdout.write("held"); process.stdin.once("data", resolve); }));
    process.exit(0);`;
  const child = spawn(process.execPath, ["--conditions=@coffer/source", "--input-type=module", "-e", program], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

describe("processes", () => {
  test("T67 forty changes from eight processes at once are all there", { timeout: 120_000 }, async () => {
    const { home, project, config, json } = account();
    const program = (process: number): string => `const { registerStack } = await import(${JSON.stringify(sourceUrl("index.ts"))});
      await Promise.all([0, 1, 2, 3, 4].map((stack) => registerStack({ name: "p${process}-" + stack })));`;
    const ended = await Promise.all(Array.from({ length: 8 }, (_, index) => runProgram(program(index), { HOME: home }, project)));
    expect(ended.filter(({ code }) => code !== 0)).toEqual([]);
    expect((json(config)["stacks"] as unknown[]).length).toBe(40);
    expect(readdirSync(dirname(config))).toEqual(["config.json"]);
  });

  test("T68 of many that register one name, one succeeds", async () => {
    const { where } = account();
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => registerStack({ name: "same" }, where)));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("T70 who reads meanwhile sees the old or the new content, never a part", { timeout: 60_000 }, async () => {
    const { home, where, project, config } = account();
    await registerStack({ name: "first" }, where);
    const program = `const { registerStack } = await import(${JSON.stringify(sourceUrl("index.ts"))});
      for (let index = 0; index < 30; index += 1) await registerStack({ name: "s" + index });`;
    let done = false;
    const writing = runProgram(program, { HOME: home }, project).then((ended) => {
      done = true;
      return ended;
    });
    let reads = 0;
    for (; !done; reads += 1) {
      expect((JSON.parse(readFileSync(config, "utf8")) as { stacks: unknown[] }).stacks.length).toBeGreaterThan(0);
      await new Promise(setImmediate);
    }
    expect(await writing).toMatchObject({ code: 0 });
    expect(reads).toBeGreaterThan(10);
  });

  test("T71 the lock of a process that was killed is taken at once", { timeout: 60_000 }, async () => {
    const path = join(temporaryFolder(), ".x.lock");
    const child = await holder(path);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(existsSync(path)).toBe(true);
    const start = performance.now();
    expect(await withLock(path, async () => "mine")).toBe("mine");
    expect(performance.now() - start).toBeLessThan(5000);
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  test("T72 the lock of a process that is stopped is not taken; the error names it", { timeout: 60_000 }, async () => {
    const path = join(temporaryFolder(), ".x.lock");
    const child = await holder(path);
    child.kill("SIGSTOP");
    const error = await failure(() => withLock(path, async () => "mine", 300));
    expect(error).toMatchObject({ code: "timeout", retryable: true });
    expect(error.message).toContain(`process ${child.pid} on ${hostname()}`);
    expect(error.hint).toContain(`rm ${path}`);
    child.kill("SIGCONT");
    child.stdin?.write("go");
    expect(await withLock(path, async () => "mine")).toBe("mine");
  });
});

describe("stale or not", () => {
  function planted(more: Record<string, unknown>): string {
    const path = join(temporaryFolder(), ".x.lock");
    writeFileSync(path, JSON.stringify({ token: "t", pid: process.pid, host: hostname(), ...more }));
    return path;
  }

  test("T73 no clock decides: a live lock of any age stays, a dead one of the future goes", async () => {
    const live = planted({});
    utimesSync(live, 0, 0);
    expect(await failure(() => withLock(live, async () => "mine", 100))).toMatchObject({ code: "timeout" });
    // The largest process id that Linux gives is four millions.
    const dead = planted({ pid: 2 ** 30 });
    utimesSync(dead, 2 ** 32, 2 ** 32);
    expect(await withLock(dead, async () => "mine")).toBe("mine");
  });

  test.runIf(onLinux)("T74 a process id that was used again, and one from before the last boot, are recognised", async () => {
    expect(await withLock(planted({ start: "1" }), async () => "mine", 1000)).toBe("mine");
    expect(await withLock(planted({ boot: "another" }), async () => "mine", 1000)).toBe("mine");
  });

  test("who is on another machine cannot be asked about, and is waited for", async () => {
    expect(await failure(() => withLock(planted({ host: "elsewhere", pid: 2 ** 30 }), async () => "mine", 100))).toMatchObject({
      code: "timeout",
    });
  });

  test.runIf(onLinux)("who is in another container cannot be asked about either", async () => {
    expect(await failure(() => withLock(planted({ namespace: "pid:[1]", pid: 2 ** 30 }), async () => "mine", 100))).toMatchObject({
      code: "timeout",
    });
  });

  test("what a power cut has left of a lock is no lock", async () => {
    const path = join(temporaryFolder(), ".x.lock");
    for (const left of ["", "\0\0\0", '{"token":']) {
      writeFileSync(path, left);
      expect(await withLock(path, async () => "mine", 1000)).toBe("mine");
    }
  });

  test("a stale lock, and the stale lock of who was about to remove it, are removed by one of many", async () => {
    const path = planted({ pid: 2 ** 30 });
    writeFileSync(`${path}.stale`, JSON.stringify({ token: "b", pid: 2 ** 30, host: hostname() }));
    let inside = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      expect(inside).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 3));
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 12 }, () => withLock(path, work)));
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  test("who loses the lock writes nothing, and does not remove that of the next", async () => {
    const path = join(temporaryFolder(), ".x.lock");
    const error = await failure(() =>
      withLock(path, async (lock) => {
        lock.assertHeld();
        writeFileSync(path, JSON.stringify({ token: "other", pid: process.pid, host: hostname() }));
        lock.assertHeld();
      }),
    );
    expect(error).toMatchObject({ code: "conflict" });
    expect(existsSync(path)).toBe(true);
  });

  test("what the work throws gives the lock up", async () => {
    const path = join(temporaryFolder(), ".x.lock");
    await expect(withLock(path, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(readdirSync(dirname(path))).toEqual([]);
  });
});
