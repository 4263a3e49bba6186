// One change of the configuration, killed or failed at every system call on its files.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { registerStack } from "../../src/index.ts";
import { account, type Account, sourceUrl } from "../laboratory.ts";

const STRACE = "strace";
const hasStrace = process.platform === "linux" && spawnSync(STRACE, ["-V"]).status === 0;
if (!hasStrace) console.warn("The crash tests that need strace are skipped: it is not installed.");
const needsStrace = hasStrace ? "" : " (skipped: strace is not installed)";

const CALLS = "openat write pwrite64 fchmod chmod fsync rename renameat renameat2 link linkat unlink unlinkat mkdir mkdirat".split(" ");

// Names that strace can be told in advance.
const VICTIM = `import crypto from "node:crypto";
  import { syncBuiltinESMExports } from "node:module";
  let count = 0;
  crypto.randomUUID = () => "00000000-0000-4000-8000-" + String((count += 1)).padStart(12, "0");
  syncBuiltinESMExports();
  const { registerStack } = await import(${JSON.stringify(sourceUrl("index.ts"))});
  await registerStack({ name: "second" }).then(() => console.log("done"), (error) => {
    console.log(error.code + " " + error.outcome);
    process.exitCode = 1;
  });`;

interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly trace: readonly string[];
}

async function victim({ home, project, config }: Account, inject?: string): Promise<Ended> {
  const folder = dirname(config);
  const ids = Array.from({ length: 9 }, (_, index) => `00000000-0000-4000-8000-${String(index + 1).padStart(12, "0")}`);
  const paths = [folder, config, join(folder, ".config.json.lock")];
  for (const id of ids) paths.push(join(folder, `.config.json.${id}.tmp`), join(folder, `.config.json.lock.${id}.tmp`));
  const trace = join(home, "trace");
  const parameters = ["-f", "-qq", "-y", "-o", trace, "-e", `trace=${CALLS.map((call) => `?${call}`).join(",")}`];
  if (inject !== undefined) parameters.push("-e", `inject=${inject}`);
  for (const path of paths) parameters.push("-P", path);
  parameters.push(process.execPath, "--conditions=@coffer/source", "--input-type=module", "-e", VICTIM);
  const child = spawn(STRACE, parameters, {
    cwd: project,
    env: { PATH: process.env["PATH"] ?? "", HOME: home },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let stdout = "";
  child.stdout.on("data", (chunk) => (stdout += String(chunk)));
  const signal = await new Promise<NodeJS.Signals | null>((resolve) => child.on("close", (_code, by) => resolve(by)));
  return { signal, stdout: stdout.trim(), trace: readFileSync(trace, "utf8").trimEnd().split("\n") };
}

function stacksIn(config: string): string[] {
  if (!existsSync(config)) return [];
  return (JSON.parse(readFileSync(config, "utf8")) as { stacks: { name: string }[] }).stacks.map(({ name }) => name);
}

async function start(): Promise<Account> {
  const lab = account();
  await registerStack({ name: "first" }, lab.where);
  return lab;
}

const callOf = (line: string): string | undefined => /^(?:\d+ +)?([a-z0-9_]+)\(/.exec(line)?.[1];

describe.skipIf(!hasStrace)(`T63, T64: a change of the configuration${needsStrace}`, () => {
  test("T66 is on the disk before it takes the place of the old one, and the directory after", async () => {
    const { trace } = await victim(await start());
    const calls = trace.map(callOf).filter((call) => call === "fsync" || call?.startsWith("rename"));
    expect(calls.map((call) => call?.slice(0, 6))).toEqual(["fsync", "rename", "fsync"]);
  });

  test.each([
    ["killed", "signal=SIGKILL", ""],
    ["one error of the disk", "error=EIO", ""],
    ["a disk that is full", "error=ENOSPC", "+"],
    ["no permission any more", "error=EACCES", "+"],
  ])(
    "%s at every system call: the old or the new configuration, the truth about it, and the next change works",
    async (_title, fault, lasting) => {
      const counts = new Map<string, number>();
      for (const line of (await victim(await start())).trace) {
        const call = callOf(line);
        if (call !== undefined) counts.set(call, (counts.get(call) ?? 0) + 1);
      }
      const plan = [...counts].flatMap(([call, count]) => Array.from({ length: count }, (_, index) => [call, index + 1] as const));
      expect(plan.length).toBeGreaterThan(8);
      const problems: string[] = [];
      for (const [call, number] of plan) {
        const lab = await start();
        const ended = await victim(lab, `${call}:${fault}:when=${number}${lasting}`);
        const found = stacksIn(lab.config);
        const place = `${call} ${number}: "${ended.stdout}", ${found.join()}`;
        const isNew = found.join() === "first,second";
        if (!isNew && found.join() !== "first") problems.push(`${place}: neither old nor new`);
        if (ended.stdout === "done" && !isNew) problems.push(`${place}: said done`);
        if (/^[a-z_]+ not_applied$/.test(ended.stdout) && isNew) problems.push(`${place}: said that nothing happened`);
        if (ended.signal === null && !/^(?:done|(?:unavailable|permission_denied|timeout|conflict) \w+)$/.test(ended.stdout))
          problems.push(`${place}: said something else`);
        await registerStack({ name: "third" }, lab.where);
        if (stacksIn(lab.config).join() !== [...found, "third"].join()) problems.push(`${place}: the next change lost something`);
        const left = readdirSync(dirname(lab.config)).filter((name) => name !== "config.json");
        if (left.length > 0) problems.push(`${place}: left ${left.join()}`);
      }
      expect(problems).toEqual([]);
    },
  );
});
