import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { COMMANDS } from "../src/app.ts";
import { ERROR_CODES } from "@coffer/core";
import { EXIT_OF_CODE } from "../src/exit-codes.ts";
import { cofferBin } from "./support/bundle.ts";
import { Home, runProcess } from "./support/home.ts";

describe("help", () => {
  test.each(COMMANDS.map((command) => [command.words.join(" "), command] as const))(
    "coffer %s --help has a sentence and an example",
    async (_words, command) => {
      const { status, stdout, stderr } = await new Home().run([...command.words, "--help"]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toContain(command.sentence);
      expect(stdout).toContain(command.examples[0]);
      expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
    },
  );

  test("99: the overview names every command but the hidden ones, and fits a terminal of 100 columns", async () => {
    const { stdout } = await new Home().run(["--help"]);
    for (const command of COMMANDS) expect(stdout.includes(`  ${command.words.join(" ")} `)).toBe(command.hidden !== true);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });
});

describe("usage errors", () => {
  test.each([
    ["86: -i with pairs", ["secret", "register", "db", "-i", "--user=etl"], "coffer secret register db -i"],
    ["86: -i with --values", ["secret", "update", "db", "-i", "--values=@-"], "coffer secret update db -i"],
    ["87: neither", ["secret", "register", "db"], "--key1=value1 --key2=@FILE"],
    ["87: neither, update", ["secret", "update", "db"], "--remove-keys=KEY"],
    ["a doubled key", ["secret", "register", "db", "--a=1", "--a=2"], "--a=VALUE"],
    ["a bare key", ["secret", "register", "db", "--a"], "--a=VALUE"],
    ["88: a secret called name", ["secret", "register", "name", "--a=1"], "for example db"],
    ["88: a key called name", ["secret", "register", "db", "--name=x"], "-- --name=VALUE"],
    ["88: a secret whose name starts with --", ["secret", "register", "--db", "--a=1"], "--db=VALUE"],
    ["two readers of stdin", ["secret", "register", "db", "--a=@-", "--b=@-"], "--key=@./FILE"],
    ["--values and a pair with the same key", ["secret", "register", "db", '--values={"a":"1"}', "--a=2"], "Give it once"],
    ["an unknown stack format", ["secret", "list", "--output=xml"], "--output=table"],
  ])("%s: exit 2, and the right form", async (_title, argv, hint) => {
    const home = new Home();
    const { status, stdout, stderr } = await home.run(argv);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^error: .+\nhint: .+\n$/);
    expect(stderr).toContain(hint);
  });

  test("every error code has an exit status that is not 0", () => {
    expect(Object.keys(EXIT_OF_CODE).toSorted()).toEqual([...ERROR_CODES].toSorted());
    expect(Object.values(EXIT_OF_CODE)).not.toContain(0);
  });

  test("an old Node is told which one is needed, before anything else is loaded", async () => {
    const home = new Home();
    const old = join(home.path, "old.cjs");
    writeFileSync(old, 'Object.defineProperty(process.versions, "node", { value: "20.20.2" });');
    const { status, stdout, stderr } = await runProcess([process.execPath, "--require", old, await cofferBin(), "--version"], {
      env: home.env,
      cwd: home.path,
    });
    expect({ status, stdout }).toEqual({ status: 78, stdout: "" });
    expect(stderr).toContain("needs Node 22.18");
  });

  test("an unknown stack and an unknown secrets manager are not found", async () => {
    const home = new Home();
    expect(await home.run(["secret", "list", "--stack=prod"])).toMatchObject({
      status: 3,
      stderr: expect.stringContaining("There is: default"),
    });
    expect(await home.run(["secret", "list"], { env: { COFFER_STACK: "prod" } })).toMatchObject({ status: 3 });
    expect(await home.run(["secret", "list", "--secrets-manager=vault"])).toMatchObject({ status: 3 });
    expect(await home.run(["secret", "list", "--stack=default", "--secrets-manager=default"])).toMatchObject({ status: 0 });
  });
});
