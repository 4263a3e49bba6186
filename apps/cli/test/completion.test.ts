import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { COMMANDS } from "../src/app.ts";
import { candidates } from "../src/commands/completion/candidates.ts";
import { wordsOf } from "../src/commands/completion/words.ts";
import { cofferBin } from "./support/bundle.ts";
import { Home } from "./support/home.ts";
import { hasTerminal, type Step, terminalDialogue } from "./support/terminal.ts";

const NAMES = { schema: ["arbitrary", "mysql"], flavor: ["local", "vault"] };
const known = {
  names: async (what: keyof typeof NAMES) => NAMES[what],
  keys: async (type: string) => (type === "mysql" ? ["user", "password"] : []),
};

async function after(...words: readonly string[]): Promise<string[]> {
  return (await candidates(words, COMMANDS, known)).map(({ text }) => text);
}

describe("what could stand in the place of the last word", () => {
  test("the words of commands, hidden ones left out", async () => {
    expect(await after("secret", "re")).toEqual(["register", "rename", "restore"]);
    expect(await after("secrets-manager", "flavor", "")).toEqual(["list", "describe", "register"]);
    expect(await after("secret", "clean")).toEqual([]);
    expect(await after("nonsense", "")).toEqual([]);
  });

  test("options that were not given yet, with = where a value follows", async () => {
    expect(await after("secret", "get", "db", "--m")).toEqual(["--masked"]);
    expect(await after("secret", "get", "db", "--masked", "--m")).toEqual([]);
    expect(await after("secret", "get", "db", "--k")).toEqual(["--key="]);
    expect(await after("--o")).toEqual(["--output="]);
  });

  test("the values of options and arguments", async () => {
    expect(await after("secret", "get", "db", "--output=j")).toEqual(["--output=json"]);
    expect(await after("secret", "get", "db", "-o", "")).toEqual(["table", "json", "yaml"]);
    expect(await after("secret", "register", "db", "--schema=")).toEqual(["--schema=arbitrary", "--schema=mysql"]);
    expect(await after("schema", "describe", "m")).toEqual(["mysql"]);
    expect(await after("secrets-manager", "flavor", "describe", "")).toEqual(["local", "vault"]);
  });

  test("the keys of the schema that was named", async () => {
    expect(await after("secret", "register", "db", "--schema=mysql", "--user=etl", "--p")).toEqual(["--password="]);
    expect(await after("secret", "register", "db", "--p")).toEqual([]);
  });

  test("nothing for the name of a secret, and nothing after --", async () => {
    expect(await after("secret", "get", "")).toEqual([]);
    expect(await after("secret", "register", "db", "--", "--o")).toEqual([]);
  });

  test("a line is split as a shell would, and nothing is expanded", () => {
    expect(wordsOf("coffer secret  get 'a b' \"c d\" e\\ f $(x)")).toEqual(["coffer", "secret", "get", "a b", "c d", "e f", "$(x)"]);
    expect(wordsOf("coffer ")).toEqual(["coffer", ""]);
    expect(wordsOf("coffer '")).toEqual(["coffer", ""]);
  });
});

const hasShell = (shell: string): boolean => spawnSync(shell, ["--version"]).status === 0;

async function homeWithCommand(): Promise<Home> {
  const home = new Home();
  const bin = join(home.path, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "coffer"), `#!/bin/sh\nexec '${process.execPath}' '${await cofferBin()}' "$@"\n`);
  chmodSync(join(bin, "coffer"), 0o755);
  return home;
}

describe.each([
  ["bash", ["/bin/bash", "--noprofile", "--norc", "-i"], "source <(coffer completion bash)"],
  ["zsh", ["/usr/bin/zsh", "-f", "-i"], "autoload -Uz compinit; compinit -u; source <(coffer completion zsh)"],
] as const)("in %s, at a terminal (skipped without the shell or python3)", (shell, command, load) => {
  const present = hasTerminal && hasShell(shell);

  test.skipIf(!present)(
    "words, options and schema types are completed; no store is made, and nothing that was typed is run",
    { timeout: 60_000 },
    async () => {
      const home = await homeWithCommand();
      // What Tab made of a line is printed by putting an echo in front of it.
      const completed = (line: string, whole: string): Step[] => [
        { send: `${line}\t`, afterMs: 200 },
        { send: "\u0001echo got: \r", afterMs: 1500 },
        { expect: `got: ${whole}` },
        { expect: "ready> " },
      ];
      const { output, steps } = await terminalDialogue(
        home,
        command,
        [
          { expect: "ready> ", send: `${load}; echo load''ed\r` },
          { expect: "loaded" },
          { expect: "ready> " },
          ...completed("coffer secret regi", "coffer secret register"),
          ...completed("coffer secret register db --schema=my", "coffer secret register db --schema=mysql"),
          ...completed("coffer secret get db --mask", "coffer secret get db --masked"),
          ...completed("coffer schema describe basic", "coffer schema describe basic_auth"),
          ...completed("coffer secrets-manager flavor describe lo", "coffer secrets-manager flavor describe local"),
          { send: "coffer secret get $(touch ran) --mask\t", afterMs: 200 },
          { send: "\u0015exit\r", afterMs: 1500 },
        ],
        { PATH: `${join(home.path, "bin")}:/usr/bin:/bin`, PS1: "ready> ", ZDOTDIR: home.path },
      );
      expect(
        steps.map(({ found }) => found),
        output,
      ).not.toContain(false);
      expect(existsSync(join(home.path, "ran"))).toBe(false);
      expect(existsSync(home.store)).toBe(false);
    },
  );
});

test("fish gets its script too, and asks with the words as they are (skipped without fish)", async (context) => {
  if (!hasShell("fish")) context.skip("fish is not installed");
  const home = await homeWithCommand();
  const asked = await home.shell(
    `coffer completion fish > c.fish; PATH="$PWD/bin:$PATH" fish --no-config -c 'source c.fish; complete -C "coffer secret regi"; complete -C "coffer secret register db --schema=my"'`,
  );
  expect(asked.stdout).toMatch(/^register\tStore a new secret\.\n--schema=mysql\s*$/);
});
