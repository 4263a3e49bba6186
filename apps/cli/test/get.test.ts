import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse as parseYaml } from "yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Home } from "./support/home.ts";
import { atTerminal, hasTerminal } from "./support/terminal.ts";

const CANARY = "cAnArY-90bd1c-value";

describe("secret get", () => {
  const home = new Home(afterAll);

  beforeAll(async () => {
    await home.succeed([
      "secret",
      "register",
      "db",
      "--schema=mysql",
      "--user=etl",
      `--password=${CANARY}`,
      "--ssl_verify_server_cert=yes",
    ]);
    await home.succeed(["secret", "register", "s", "--values=@-"], {
      input: '{"one": "1", "lines": "a\\nb\\n", "esc": "\\u001b[2J\\u202e"}',
    });
  });

  test("92: a missing secret is an error that says how to find the right name", async () => {
    const { status, stdout, stderr } = await home.run(["secret", "get", "nope"]);
    expect({ status, stdout }).toEqual({ status: 3, stdout: "" });
    expect(stderr).toBe('error: The secret "nope" does not exist in local.\nhint: `coffer secret list` shows the names that exist.\n');
  });

  test("a missing key names the keys that there are, and no value", async () => {
    const { status, stdout, stderr } = await home.run(["secret", "get", "db", "--key=pasword"]);
    expect({ status, stdout }).toEqual({ status: 3, stdout: "" });
    expect(stderr).toContain("It has password, ssl_verify_server_cert, user.");
    expect(stderr).not.toContain(CANARY);
  });

  test("T23: one key is exactly its bytes, also in a file and in a pipe", async () => {
    expect((await home.succeed(["secret", "get", "s", "--key=lines"])).stdout).toBe("a\nb\n");
    const { stdout } = await home.shell("coffer secret get s -k one > f; coffer secret get s -k one | cat; wc -c < f");
    expect(stdout.replaceAll(" ", "")).toBe("11\n");
  });

  test("YAML and JSON hold the same typed content", async () => {
    const json: unknown = JSON.parse((await home.succeed(["secret", "get", "db", "-o", "json"])).stdout);
    expect(parseYaml((await home.succeed(["secret", "get", "db", "--output=yaml"])).stdout)).toEqual(json);
    expect(json).toMatchObject({ schema: "mysql", content: { user: "etl", password: CANARY, ssl_verify_server_cert: true } });
  });

  test("T40, T41: control and invisible characters of a value are shown in the table, and come as they are with --key", async () => {
    const table = (await home.succeed(["secret", "get", "s"])).stdout;
    expect(table).toContain(String.raw`esc    \x1b[2J`);
    // eslint-disable-next-line no-control-regex -- that none is left is what is tested
    expect(table).not.toMatch(/[\u001B\u202E]/);
    expect((await home.succeed(["secret", "get", "s", "--key=esc"])).stdout).toBe("\u001B[2J\u202E");
    const json = (await home.succeed(["secret", "get", "s", "-o", "json"])).stdout;
    // eslint-disable-next-line no-control-regex -- that none is left is what is tested
    expect(json).not.toMatch(/[\u001B\u202E]/);
    expect(JSON.parse(json)).toMatchObject({ content: { esc: "\u001B[2J\u202E" } });
  });

  test("T22: --masked prints *** of the same width for every value, in every format", async () => {
    expect((await home.succeed(["secret", "get", "db", "--masked"])).stdout).toBe(
      "KEY                     VALUE\npassword                ***\nssl_verify_server_cert  ***\nuser                    ***\n",
    );
    for (const how of [["-o", "json"], ["-o", "yaml"], ["--key=password"]]) {
      const { stdout } = await home.succeed(["secret", "get", "db", "--masked", ...how]);
      expect(stdout).toContain("***");
      expect(stdout).not.toContain(CANARY);
      expect(stdout).not.toContain("etl");
    }
    expect((await home.succeed(["secret", "get", "s", "--masked", "--key=lines"])).stdout).toBe("***");
  });

  test("--key with another format is a usage error", async () => {
    const { status, stdout, stderr } = await home.run(["secret", "get", "db", "--key=user", "-o", "json"]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain("hint: Write: coffer secret get");
  });

  test.skipIf(!hasTerminal)("at a terminal a line break stands behind the value (skipped without python3)", async () => {
    const { status, output } = await atTerminal(home, ["secret", "get", "s", "--key=one"], []);
    expect({ status, output }).toEqual({ status: 0, output: "1\r\n" });
  });
});

describe("a stored secret that no longer fits", () => {
  test("42: the schema is stored; a revision of it can be read and rolled back to", async () => {
    const home = new Home();
    await home.succeed(["secret", "register", "db", "--schema=mysql", "--user=a"]);
    await home.succeed(["secret", "update", "db", "--user=b"]);
    expect((await home.succeed(["secret", "get", "db", "--revision=1", "-k", "user"])).stdout).toBe("a");
    expect((await home.succeed(["secret", "rollback", "db", "1"])).stderr).toContain("has the content of revision 1 again");
    expect(await home.content("db")).toMatchObject({ user: "a" });
    const revisions = JSON.parse((await home.succeed(["secret", "history", "db", "-o", "json"])).stdout) as unknown[];
    expect(revisions).toMatchObject([
      { revision: "3", current: true, schema: "mysql" },
      { revision: "2", current: false },
      { revision: "1", current: false },
    ]);
    expect(await home.run(["secret", "get", "db", "--revision=9"])).toMatchObject({
      status: 3,
      stderr: expect.stringContaining("coffer secret history db"),
    });
    expect(await home.run(["secret", "rollback", "db", "9"])).toMatchObject({ status: 3 });
    expect(await home.run(["secret", "history", "nope"])).toMatchObject({ status: 3, stdout: "" });
  });
});

describe("rename, copy, restore", () => {
  const home = new Home(afterAll);
  beforeAll(() => home.succeed(["secret", "register", "a", "--schema=basic_auth", "--username=u", `--password=${CANARY}`]));

  test("a copy has the values and the schema; a taken name is refused unless --overwrite", async () => {
    expect((await home.succeed(["secret", "copy", "a", "b"])).stderr).toContain('Copied the secret "a" to "b".');
    expect(await home.content("b")).toEqual({ username: "u", password: CANARY });
    await home.succeed(["secret", "update", "b", "--username=v"]);
    expect(await home.run(["secret", "copy", "a", "b"])).toMatchObject({ status: 4, stdout: "" });
    expect(await home.content("b")).toMatchObject({ username: "v" });
    await home.succeed(["secret", "copy", "a", "b", "--overwrite", "-o", "json"]);
    expect(await home.content("b")).toMatchObject({ username: "u" });
  });

  test("a renamed secret is found by its new name only", async () => {
    await home.succeed(["secret", "register", "old", "--k=v"]);
    expect(JSON.parse((await home.succeed(["secret", "rename", "old", "new", "-o", "json"])).stdout)).toMatchObject({
      name: "new",
      from: "old",
    });
    expect((await home.run(["secret", "get", "old"])).status).toBe(3);
    expect(await home.content("new")).toEqual({ k: "v" });
    expect((await home.run(["secret", "rename", "new", "a"])).status).toBe(4);
    expect((await home.run(["secret", "rename", "nope", "x"])).status).toBe(3);
    expect(await home.content("new")).toEqual({ k: "v" });
  });

  test("the local store keeps nothing that was deleted, and says so", async () => {
    const { status, stderr } = await home.run(["secret", "restore", "a"]);
    expect(status).toBe(10);
    expect(stderr).toMatch(/error: .*\nhint: .*\n/);
  });
});

test("T78, 5: what was deleted is not found, and cannot be deleted twice; the code is its own", async () => {
  const home = new Home();
  await home.succeed(["secret", "register", "s", "--a=1"]);
  expect(await home.succeed(["secret", "delete", "s", "-y"])).toMatchObject({ stdout: "", stderr: 'Deleted the secret "s".\n' });
  for (const command of [
    ["get", "s"],
    ["delete", "s", "-y"],
    ["update", "s", "--a=2"],
    ["rename", "s", "t"],
    ["copy", "s", "t"],
  ]) {
    expect({ command, status: (await home.run(["secret", ...command])).status }).toEqual({ command, status: 3 });
  }
  writeFileSync(join(home.path, "v.json"), "{}");
  expect((await home.succeed(["secret", "list", "-o", "json"])).stdout).toBe("[]\n");
});
