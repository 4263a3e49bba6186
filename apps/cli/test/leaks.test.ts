import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { leakScan } from "@coffer/testkit";
import { describe, expect, test } from "vitest";
import { cofferBin } from "./support/bundle.ts";
import { type Finished, Home } from "./support/home.ts";

function canary(): string {
  return `cAnArY-${randomBytes(12).toString("hex")}`;
}

/** Where the value was found, other than in the result of a command that was asked for it. */
async function leaks(home: Home, value: string, finished: readonly Finished[]): Promise<unknown> {
  return leakScan({
    canary: value,
    texts: Object.fromEntries(finished.map(({ stdout, stderr }, index) => [`command ${index}`, stdout + stderr])),
    directories: [home.path],
  });
}

describe("a value goes to the store and nowhere else", () => {
  test("T21: no command but get shows it; no file holds it in any form", async () => {
    const home = new Home();
    const [value, newer] = [canary(), canary()];
    const finished = [
      await home.succeed(["secret", "register", "s", "--pw=@-"], { input: value }),
      await home.succeed(["secret", "register", "db", "--schema=mysql", `--password=${value}`]),
      await home.succeed(["secret", "update", "s", "--pw=@-", "--other=1"], { input: newer }),
      await home.succeed(["secret", "list"]),
      await home.succeed(["secret", "list", "-o", "json"]),
      await home.succeed(["secret", "history", "s", "-o", "yaml"]),
      await home.succeed(["secret", "copy", "s", "t"]),
      await home.succeed(["secret", "rename", "t", "u"]),
      await home.succeed(["secret", "rollback", "s", "1"]),
      await home.succeed(["secret", "get", "s", "--masked", "-o", "json"]),
      await home.run(["secret", "get", "s", "--key=absent"]),
      await home.run(["secret", "register", "s", `--pw=${value}`]),
      await home.run(["secret", "register", "x", "--schema=basic_auth", `--pw=${value}`]),
      await home.succeed(["local", "status", "--verify"]),
      await home.succeed(["local", "rekey", "-y"]),
      await home.succeed(["secret", "delete", "u", "-y"]),
    ];
    expect(await leaks(home, value, finished)).toEqual([]);
    expect(await leaks(home, newer, finished)).toEqual([]);
  });

  test("T25, T38: neither do the debug switches of Node and of the ecosystem", async () => {
    const home = new Home();
    const value = canary();
    const env = {
      COFFER_DEBUG: "1",
      DEBUG: "*",
      NODE_DEBUG: "fs,module,net,tls,http,https,timer,stream,child_process",
      NODE_DEBUG_NATIVE: "COMPILE_CACHE",
      DEBUG_COLORS: "1",
    };
    const finished = [
      await home.succeed(["secret", "register", "s", "--pw=@-"], { input: value, env }),
      await home.succeed(["secret", "list"], { env }),
      await home.run(["secret", "register", "s", `--pw=${value}`], { env }),
      await home.run(["secret", "register", "t", "--schema=mysql", `--pw=${value}`], { env }),
    ];
    expect(await leaks(home, value, finished)).toEqual([]);
  });

  test.runIf(process.platform === "linux")("T1: while the command runs, no process of this machine shows it (Linux only)", async () => {
    const home = new Home();
    const value = canary();
    const child = spawn(process.execPath, [await cofferBin(), "secret", "register", "s", "--pw=@-"], { env: home.env, cwd: home.path });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    await new Promise<void>((resolve, reject) => child.stdin.write(value, (error) => (error ? reject(error) : resolve())));
    expect(await leakScan({ canary: value, processes: true })).toEqual([]);
    child.stdin.end();
    expect(await ended).toBe(0);
    expect((await home.succeed(["secret", "get", "s", "-k", "pw"])).stdout).toBe(value);
  });
});

describe("T24: stdout holds the result alone", () => {
  test("with every note and warning provoked, on the very first command, for every command that has a result", async () => {
    const home = new Home();
    const noisy: readonly (readonly string[])[] = [
      ["secret", "register", "s", "--pw=x", "--schem=y"],
      ["secret", "update", "s", "--pw=y", "--value=z"],
      ["secret", "get", "s"],
      ["secret", "list"],
      ["secret", "history", "s"],
      ["secret", "copy", "s", "t"],
      ["secret", "rename", "t", "u"],
      ["secret", "rollback", "s", "1"],
      ["secret", "delete", "u", "-y"],
      ["schema", "list"],
      ["schema", "describe", "mysql"],
      ["secrets-manager", "flavor", "list"],
      ["secrets-manager", "flavor", "describe", "local"],
      ["local", "status", "--verify"],
      ["local", "rekey", "-y"],
      ["secret", "cleanup", "-y"],
    ];
    for (const argv of noisy) {
      const { stdout } = await home.succeed([...argv, "--output=json"]);
      expect({ argv, value: JSON.parse(stdout) as unknown }).toEqual({ argv, value: expect.any(Object) });
    }
  });
});

describe("T29: a store that is damaged", () => {
  test("200 random places: never a wrong value, never a stack, never a piece of the file; the file stays as it is", async () => {
    const home = new Home();
    const value = canary();
    await home.succeed(["secret", "register", "s", "--pw=@-"], { input: value });
    await home.succeed(["secret", "register", "other", "--a=1"]);
    const whole = readFileSync(home.store);
    const seen: Finished[] = [];
    // Four at a time: two hundred starts one after the other would take a while.
    const copies = Array.from({ length: 4 }, () => new Home());
    for (const copy of copies) await copyStore(home, copy);
    await Promise.all(
      copies.map(async (copy) => {
        for (let round = 0; round < 50; round += 1) {
          const bytes = Buffer.from(whole);
          const place = randomBytes(4).readUInt32LE() % bytes.length;
          bytes[place] = (bytes[place] ?? 0) ^ (1 + ((randomBytes(1)[0] ?? 0) % 255));
          writeFileSync(copy.store, bytes);
          const finished = await copy.run(["secret", "get", "s", "-k", "pw"]);
          const right = finished.status === 0 && finished.stdout === value;
          expect(right || finished.status !== 0).toBe(true);
          expect(readFileSync(copy.store).equals(bytes)).toBe(true);
          if (!right) seen.push(finished);
        }
      }),
    );
    expect(seen.length).toBeGreaterThan(0);
    for (const { status, stdout, stderr } of seen) {
      // Damaged, or (where the damage is in the number of the format, or the name of the protection) not ours to open; never "not found".
      expect({ status, stdout, stderr }).toMatchObject({
        status: expect.toSatisfy((code: number) => [6, 9, 10].includes(code)),
        stdout: "",
      });
      expect(stderr).toMatch(/^error: [^\n]+\nhint: [^\n]+\n$/);
      expect(stderr).not.toMatch(/ {4}at |bug/);
    }
    expect(await leaks(home, value, seen)).toEqual([]);
  });
});

/** Gives another home the same store and key. */
async function copyStore(from: Home, to: Home): Promise<void> {
  const { status, stderr } = await from.shell(`cp -a '${join(from.path, ".local")}/.' '${join(to.path, ".local")}/'`);
  if (status !== 0) throw new Error(stderr);
}
