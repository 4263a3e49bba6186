import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { leakForms } from "@coffer/testkit";
import { cofferBin } from "./support/bundle.ts";
import { Home, runProcess } from "./support/home.ts";

const hasStrace = process.platform === "linux" && spawnSync("strace", ["-V"]).status === 0;

/** Every command, on one store, in an order in which all of them have something to do. */
function commands(canary: string): readonly { readonly argv: readonly string[]; readonly input?: string }[] {
  const values = JSON.stringify({ pw: canary, other: "1" });
  return [
    { argv: ["secret", "register", "s", "--values=@-"], input: values },
    { argv: ["secret", "register", "f", "--pw=@value"] },
    { argv: ["secret", "register", "db", "--schema=mysql", "--password=@-"], input: canary },
    { argv: ["secret", "get", "s"] },
    { argv: ["secret", "get", "s", "--key=pw"] },
    { argv: ["secret", "get", "db", "-o", "json"] },
    { argv: ["secret", "list"] },
    { argv: ["secret", "update", "s", "--pw=@-"], input: `${canary}2` },
    { argv: ["secret", "history", "s"] },
    { argv: ["secret", "rollback", "s", "1"] },
    { argv: ["secret", "copy", "s", "t"] },
    { argv: ["secret", "rename", "t", "u"] },
    { argv: ["secret", "delete", "u", "--yes"] },
    { argv: ["schema", "list"] },
    { argv: ["schema", "describe", "mysql"] },
    { argv: ["secrets-manager", "flavor", "list"] },
    { argv: ["secrets-manager", "flavor", "describe", "local"] },
    { argv: ["local", "status", "--verify"] },
    { argv: ["local", "rekey", "--yes"] },
    { argv: ["secret", "cleanup", "--yes"] },
    { argv: ["--version"] },
    { argv: ["--help"] },
  ];
}

/** Runs every command under strace and answers what it noted, by command. */
async function traced(
  home: Home,
  canary: string,
  calls: string,
): Promise<readonly { readonly command: string; readonly lines: readonly string[] }[]> {
  writeFileSync(join(home.path, "value"), canary);
  const bin = await cofferBin();
  const log = join(home.path, "trace");
  const noted = [];
  for (const { argv, input } of commands(canary)) {
    const strace = ["strace", "-f", "-qq", "-v", "-s", "65536", "-e", `trace=${calls}`, "-o", log];
    const { status, stderr } = await runProcess([...strace, process.execPath, bin, ...argv], {
      env: home.env,
      cwd: home.path,
      input: input ?? "",
    });
    if (status !== 0) throw new Error(`coffer ${argv.join(" ")} ended with ${status} under strace: ${stderr}`);
    noted.push({ command: argv.join(" "), lines: readFileSync(log, "utf8").split("\n") });
  }
  return noted;
}

describe.skipIf(!hasStrace)("what every command asks of the system (skipped without strace)", () => {
  test("T3: no program is started with the value among its arguments or in its environment; none is started at all", async () => {
    const canary = `cAnArY${randomBytes(12).toString("hex")}`;
    const forms = leakForms(canary).map(({ text }) => text);
    for (const { command, lines } of await traced(new Home(), canary, "execve,execveat")) {
      const started = lines.filter((line) => line.includes("execve"));
      expect({ command, started: started.length }).toEqual({ command, started: 1 });
      expect(started.filter((line) => forms.some((form) => line.includes(form)))).toEqual([]);
    }
  });

  test("T45: no connection, not even the socket for one", async () => {
    const noted = await traced(new Home(), "cAnArY-of-T45-value", "connect,socket,sendto,sendmsg");
    for (const { command, lines } of noted) {
      expect({ command, calls: lines.filter((line) => /\b(?:connect|socket|sendto|sendmsg)\(/.test(line)) }).toEqual({
        command,
        calls: [],
      });
    }
  });

  test("T55: nothing is opened for writing, made, renamed or removed outside of Coffer's own folders", async () => {
    const home = new Home();
    const own = ["XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"].map((name) => join(home.env[name] ?? "", "coffer"));
    const noted = await traced(
      home,
      "cAnArY-of-T55-value",
      "openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat",
    );
    let writes = 0;
    for (const { command, lines } of noted) {
      const changing = lines.filter((line) => !/\bopen(?:at)?\(/.test(line) || /O_WRONLY|O_RDWR|O_CREAT/.test(line));
      const outside = changing
        .flatMap((line) => [...line.matchAll(/"([^"]*)"/g)].map(([, path = ""]) => path))
        // What is opened relative to a folder is opened in one that stands in the call before; of ours there is none.
        .filter(
          (path) =>
            path !== "" &&
            !["/dev/null", "/dev/tty"].includes(path) &&
            !own.some((folder) => path === folder || path.startsWith(`${folder}/`)),
        );
      expect({ command, outside }).toEqual({ command, outside: [] });
      writes += changing.length;
    }
    expect(writes).toBeGreaterThan(0);
  });
});
