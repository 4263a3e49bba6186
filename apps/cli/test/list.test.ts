import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { createSecretsManager } from "@coffer/core";
import { local } from "@coffer/local";
import { join } from "node:path";
import { Home } from "./support/home.ts";

describe("secret list", () => {
  test("93: an empty list says so, and is an empty list for programs; T57: nothing is created", async () => {
    const home = new Home();
    const before = home.files();
    expect(await home.succeed(["secret", "list"])).toMatchObject({
      stdout: "",
      stderr: expect.stringContaining("No secrets are registered"),
    });
    expect((await home.succeed(["secret", "list", "--output=json"])).stdout).toBe("[]\n");
    expect((await home.succeed(["secret", "list", "--output=yaml"])).stdout).toBe("[]\n");
    expect((await home.run(["secret", "get", "s"])).status).toBe(3);
    expect((await home.run(["secret", "delete", "s", "-y"])).status).toBe(3);
    expect((await home.run(["secret", "history", "s"])).status).toBe(3);
    expect(home.files()).toEqual(before);
  });

  test("93, 6: sorted names with their schemas, no values", async () => {
    const home = new Home();
    const value = "cAnArY-5512-value";
    await home.succeed(["secret", "register", "zeta", `--k=${value}`]);
    await home.succeed(["secret", "register", "team/db", "--schema=mysql", `--user=${value}`]);
    await home.succeed(["secret", "register", "Alpha", `--k=${value}`]);
    const table = (await home.succeed(["secret", "list"])).stdout;
    expect(table.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "TIME")).toBe(
      "NAME     SCHEMA     UPDATED\nAlpha    arbitrary  TIME\nteam/db  mysql      TIME\nzeta     arbitrary  TIME\n",
    );
    const { stdout } = await home.succeed(["secret", "list", "-o", "json"]);
    expect(JSON.parse(stdout)).toMatchObject([
      { name: "Alpha", schema: "arbitrary", managed: true },
      { name: "team/db", schema: "mysql" },
      { name: "zeta", schema: "arbitrary" },
    ]);
    expect(parseYaml((await home.succeed(["secret", "list", "-o", "yaml"])).stdout)).toEqual(JSON.parse(stdout));
    expect(stdout + table).not.toContain(value);
  });
});

describe("a long list", () => {
  const home = new Home(afterAll);
  const COUNT = 10_000;

  beforeAll(async () => {
    // The first through the CLI, which makes the store; the others in this process, which is faster than 10,000 of them.
    await home.succeed(["secret", "register", "group0/secret-00000", "--k=v"]);
    const key = home.files().find((path) => path.endsWith(".key")) ?? "";
    const manager = createSecretsManager(local, { path: home.store, key_file: join(home.path, key) });
    const names = Array.from({ length: COUNT - 1 }, (_, index) => `group${(index + 1) % 10}/secret-${String(index + 1).padStart(5, "0")}`);
    for (const name of names) await manager.registerSecret({ name, values: { k: "v" } });
    await manager.close();
  }, 120_000);

  test("T44: its reader may go away: no stack, no error text", async () => {
    for (const format of ["table", "json", "yaml"]) {
      const { stdout, stderr } = await home.shell(`coffer secret list -o ${format} | head -1; echo "status \${PIPESTATUS[0]}"`);
      expect(stdout).toMatch(/^[^\n]+\nstatus (?:0|141)\n$/);
      expect(stderr).toBe("");
    }
  });

  test("a glob and a prefix narrow it", async () => {
    const rows = async (...argv: string[]): Promise<number> =>
      (JSON.parse((await home.succeed(["secret", "list", "-o", "json", ...argv])).stdout) as unknown[]).length;
    expect(await rows()).toBe(COUNT);
    expect(await rows("group3/*")).toBe(1000);
    expect(await rows("*")).toBe(0);
    expect(await rows("**")).toBe(COUNT);
    expect(await rows("group?/secret-0001?")).toBe(10);
    expect(await rows("--prefix=group3/secret-000")).toBe(10);
    expect(await rows("--prefix=group3/", "**9")).toBe(0);
    expect(await home.succeed(["secret", "list", "nothing*"])).toMatchObject({ stdout: "", stderr: "No secret matches.\n" });
  });

  test("it is written in pieces: the first lines come before the last are made", async () => {
    const { stdout } = await home.shell("coffer secret list -o json | { head -c 65536 > /dev/null; cat | wc -l; }");
    expect(Number(stdout)).toBeGreaterThan(9000);
  });
});
