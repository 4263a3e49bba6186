import { spawn } from "node:child_process";
import { constants } from "node:os";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cofferBin } from "./support/bundle.ts";
import { type Finished, Home } from "./support/home.ts";

const CANARY = "cAnArY-0b5e7a-value";

/** Starts the command, waits until it reads stdin, sends the signal, and answers how it ended. */
async function signalled(home: Home, signal: NodeJS.Signals, argv: readonly string[]): Promise<Omit<Finished, "bytes" | "signal">> {
  const child = spawn(process.execPath, [await cofferBin(), ...argv], { env: home.env, cwd: home.path });
  const text = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (text.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text.stderr += chunk.toString()));
  child.stdin.on("error", () => {});
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  child.stdin.write(CANARY);
  await listens(child.pid ?? 0);
  child.kill(signal);
  return { status: await ended, ...text };
}

/** Waits until a process listens to signals: Linux tells which it catches, and SIGHUP is none that Node catches by itself. Elsewhere a moment has to do. */
async function listens(pid: number): Promise<void> {
  const bit = 1n << BigInt(constants.signals.SIGHUP - 1);
  for (let attempt = 0; attempt < 200; attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (process.platform !== "linux" && attempt > 20) return;
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(
      existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, "utf8") : "",
    )?.[1];
    if (caught !== undefined && (BigInt(`0x${caught}`) & bit) !== 0n) return;
  }
}

describe("signals", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("T76: %s while a value is read: nothing is stored, exit %i, one word on stderr", async (signal, expected) => {
    const home = new Home();
    const before = home.files();
    const { status, stdout, stderr } = await signalled(home, signal, ["secret", "register", "s", "--pw=@-"]);
    expect({ status, stdout, stderr }).toEqual({ status: expected, stdout: "", stderr: "Stopped.\n" });
    expect(home.files()).toEqual(before);
  });

  test("T76: SIGINT at any moment of a write: the old state or the new one, and the exit code tells which", async () => {
    const home = new Home();
    await home.succeed(["secret", "register", "s", "--n=start", "--no-warn"]);
    const bin = await cofferBin();
    let current = "start";
    const statuses = new Set<number | null>();
    for (let round = 0; round < 16; round += 1) {
      const next = `round-${round}`;
      const child = spawn(process.execPath, [bin, "secret", "update", "s", `--n=${next}`, "--no-warn"], { env: home.env, stdio: "ignore" });
      const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
      await new Promise((resolve) => setTimeout(resolve, 20 + round * 4));
      child.kill("SIGINT");
      const status = await ended;
      statuses.add(status);
      const { stdout } = await home.succeed(["secret", "get", "s", "-k", "n"]);
      // `null` is a signal that came before the first line of ours ran.
      expect(status === 0 ? [next] : [current, next]).toContain(stdout);
      expect([0, 130, null]).toContain(status);
      current = stdout;
    }
    expect(await home.succeed(["local", "status", "--verify"])).toMatchObject({ stdout: expect.stringContaining("none is missing") });
  });
});

describe("where the result cannot go", () => {
  test.runIf(existsSync("/dev/full"))(
    "T43: a full disk is an error with its name, for every kind of output (where /dev/full is)",
    async () => {
      const home = new Home();
      await home.succeed(["secret", "register", "s", "--k=v"]);
      for (const command of [
        "secret get s -k k",
        "secret get s",
        "secret list -o json",
        "--help",
        "--version",
        "secrets-manager flavor list",
      ]) {
        const { status, stderr } = await home.shell(`coffer ${command} > /dev/full`);
        expect({ command, status }).toEqual({ command, status: 74 });
        expect(stderr).toContain("ENOSPC");
        expect(stderr).toMatch(/^error: .*\nhint: .*\n$/);
      }
    },
  );

  test("T44: a reader that goes away at once", async () => {
    const home = new Home();
    await home.succeed(["secret", "register", "s", "--k=v"]);
    const { stdout, stderr } = await home.shell("coffer secret get s | true; echo ${PIPESTATUS[0]}");
    expect({ stdout: ["0\n", "141\n"].includes(stdout), stderr }).toEqual({ stdout: true, stderr: "" });
  });
});

describe("T75: where a home should be", () => {
  test("HOME is not set, or is nowhere: it works or says why", async () => {
    const home = new Home();
    const nowhere = join(home.path, "nowhere");
    for (const path of [nowhere, "", "relative"]) {
      const bin = await cofferBin();
      const run = async (...argv: string[]): Promise<Finished> =>
        home.shell(`exec env -i PATH="$PATH" HOME='${path}' '${process.execPath}' '${bin}' ${argv.join(" ")}`);
      for (const argv of [["secret", "get", "s"], ["--version"], ["secrets-manager", "flavor", "list"]]) {
        const { status, stderr } = await run(...argv);
        expect({ argv, status: [0, 3, 10].includes(status ?? -1) }).toEqual({ argv, status: true });
        // The list of flavors comes all the same, with a warning.
        expect(stderr).toMatch(/^(?:(?:error|warning): [^\n]+\nhint: [^\n]+\n)?$/);
      }
    }
    expect(existsSync(nowhere)).toBe(false);
  });

  test.skipIf(process.getuid?.() === 0)(
    "a folder that cannot be written: get works, register says why (skipped for root, whom nothing stops)",
    async () => {
      const home = new Home();
      await home.succeed(["secret", "register", "s", "--k=v"]);
      const folder = join(home.env["XDG_DATA_HOME"] ?? "", "coffer/local");
      chmodSync(folder, 0o500);
      expect((await home.succeed(["secret", "get", "s", "-k", "k"])).stdout).toBe("v");
      expect(await home.run(["secret", "register", "t", "--k=v"])).toMatchObject({
        status: 6,
        stderr: expect.stringMatching(/^[^]*error: .*\nhint: /),
      });
      chmodSync(folder, 0o700);
    },
  );

  test("the cache of compiled code is the user's own, and one that others could write to is not used", async () => {
    const home = new Home();
    await home.succeed(["--version"]);
    const folder = join(home.env["XDG_CACHE_HOME"] ?? "", "coffer/compile");
    const { stdout } = await home.shell(
      `stat -c %a '${folder}' 2>/dev/null || stat -f %Lp '${folder}'; umask 000; coffer --version > /dev/null; ls '${folder}' | wc -l`,
    );
    expect(stdout).toMatch(/^700\n\s*1\n$/);
    const shared = join(home.path, "shared");
    const made = await home.shell(
      `mkdir -p '${shared}/coffer/compile' && chmod 777 '${shared}/coffer/compile' && XDG_CACHE_HOME='${shared}' coffer --version > /dev/null; ls -A '${shared}/coffer/compile' | wc -l`,
    );
    expect(made.stdout.trim()).toBe("0");
  });
});

test("compiled code that was damaged on the disk is not run, and changes nothing", async () => {
  const home = new Home();
  await home.succeed(["secret", "register", "s", "--k=v"]);
  await home.succeed(["secret", "get", "s"]);
  const folder = join(home.env["XDG_CACHE_HOME"] ?? "", "coffer/compile");
  const cached = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(cached.length).toBeGreaterThan(0);
  const damages: readonly ((bytes: Buffer) => Buffer)[] = [
    (bytes) => bytes.map((byte, index) => (index % 97 === 60 ? byte ^ 0xff : byte)) as Buffer,
    (bytes) => bytes.subarray(0, bytes.length / 2),
    () => Buffer.alloc(5000, 0x5a),
    () => Buffer.alloc(0),
  ];
  for (const damage of damages) {
    for (const { parentPath, name } of cached) writeFileSync(join(parentPath, name), damage(readFileSync(join(parentPath, name))));
    expect(await home.succeed(["secret", "get", "s", "-k", "k"])).toMatchObject({ stdout: "v", stderr: "" });
  }
});

describe("T39: a bug of our own", () => {
  test.each([
    [
      "an exception in the middle of a command",
      'process.getBuiltinModule("node:fs").lstatSync = () => { throw new TypeError("CANARY at step()"); };',
    ],
    ["an uncaught exception", 'setTimeout(() => { throw new RangeError("CANARY"); }, 0);'],
    ["an unhandled rejection", 'setTimeout(() => { Promise.reject(new Error("CANARY")); }, 0);'],
    ["something that is no error", 'setTimeout(() => { throw "CANARY"; }, 0);'],
  ])("%s: one clean report, a code of its own, no text and no line of code", async (_title, code) => {
    const home = new Home();
    await home.succeed(["secret", "register", "s", "--k=v"]);
    const file = join(home.path, "bug.cjs");
    writeFileSync(file, code.replaceAll("CANARY", CANARY));
    // Where it happens later, a command that waits for its input leaves a moment for it.
    const command = code.startsWith("setTimeout") ? ["secret", "update", "s", "--k=@-"] : ["secret", "get", "s"];
    const { status, stderr } = await home.run(command, { node: ["--require", file], input: "v" });
    expect([1, 70]).toContain(status);
    expect(stderr).toMatch(/^error: [^\n]+\nhint: [^\n]+\n$/);
    expect(stderr).not.toContain(CANARY);
    expect(stderr).not.toMatch(/ {4}at |\.cjs/);
  });
});
