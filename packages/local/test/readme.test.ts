import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LOCAL_CAPABILITIES } from "../src/driver.ts";
import { meaningOf, PROTECTIONS } from "../src/index.ts";
import { DEFAULT_COST } from "../src/passphrase.ts";
import { DEFAULT_REVISIONS } from "../src/settings-types.ts";
import { settingsSchema } from "../src/settings.ts";
import { type Ended, runCommand } from "./laboratory.ts";

const packageFolder = join(import.meta.dirname, "..");
const root = join(packageFolder, "../..");
const README = readFileSync(join(packageFolder, "README.md"), "utf8");
const blocksOf = (language: string): string[] =>
  [...README.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, text = ""]) => text);
const programs = blocksOf("ts");

/** The reader's project, and an account that has nothing yet. */
let project = "";
let home = "";
beforeAll(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), "coffer-readme-")));
  home = join(project, "home");
  mkdirSync(join(project, "node_modules/@coffer"), { recursive: true });
  mkdirSync(home);
  for (const [from, to] of [
    [packageFolder, "@coffer/local"],
    [join(root, "packages/core"), "@coffer/core"],
    [join(packageFolder, "node_modules/zod"), "zod"],
    [join(root, "node_modules/@types"), "@types"],
  ] as const)
    symlinkSync(from, join(project, "node_modules", to));
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "reader", type: "module" }));
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ extends: join(root, "tsconfig.base.json"), include: ["*.ts"] }));
  writeFileSync(join(project, "passphrase"), "several words are better than one\n", { mode: 0o600 });
  for (const [index, text] of programs.entries()) writeFileSync(join(project, `block-${index}.ts`), text);
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

function run(command: string, parameters: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ended> {
  // Neither this machine's own store nor the marks of the runner that runs this test.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:XDG_|COFFER_|VITEST|NODE_|FORCE_COLOR|TEST$)/.test(name)),
  );
  return runCommand(command, parameters, { cwd: project, env: { ...env, HOME: home, ...more } });
}

test("the programs of the README compile", async () => {
  const require = createRequire(join(root, "package.json"));
  const tsc = join(dirname(require.resolve("typescript/package.json")), "bin/tsc");
  expect(await run(process.execPath, [tsc, "-p", "."])).toEqual({ code: 0, stdout: "", stderr: "" });
});

test(
  "the programs of the README run, one after the other, print what it says, and a backup is restored as it says",
  { timeout: 60_000 },
  async () => {
    const [first = "", notice = "", change = "", copy = "", ...more] = programs.map((_text, index) => `block-${index}.ts`);
    expect(more).toEqual([]);
    const printed = async (file: string): Promise<string> => {
      const ended = await run(process.execPath, ["--conditions=@coffer/source", file]);
      expect(ended).toMatchObject({ code: 0, stderr: expect.not.stringContaining("Error") as unknown });
      return ended.stdout;
    };
    const [secret = "", shown = "", status = "", ...rest] = [...README.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(
      ([, text = ""]) => text,
    );
    expect(rest).toEqual([]);
    expect(await printed(first)).toBe(`${secret}\n${shown}\n`);
    expect(await printed(notice)).toBe(`./private/secrets.db: key_file. ${meaningOf("key_file")}\n`.replace(".", project));
    expect(await printed(copy)).toBe("");
    writeFileSync(
      join(project, "go-on.ts"),
      `import { createSecretsManager } from "@coffer/core";
    import { local } from "@coffer/local";
    const manager = createSecretsManager(local, {});
    console.log((await manager.getSecret("warehouse")).revision);
    await manager.updateSecret("warehouse", { values: { user: "another" } });
    // Without a close: as if the program had been killed, with its log left behind.`,
    );
    expect(await printed("go-on.ts")).toBe("1\n");
    expect(await printed("go-on.ts")).toBe("2\n");
    const [, restore = ""] = blocksOf("sh");
    expect(await run("/bin/sh", ["-ec", restore], { BACKUP: join(project, "secrets-backup.db") })).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
    expect(await printed("go-on.ts")).toBe("1\n");
    expect(await printed(change)).toBe(`${status}\n`);
  },
);

test("the README tells the settings, the protections, the places and the limits that there are", () => {
  const [, table = ""] = /^## Settings\n(.*?)^## /ms.exec(README) ?? [];
  expect([...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name)).toEqual(Object.keys(settingsSchema.shape));
  for (const protection of PROTECTIONS) expect(README).toMatch(new RegExp(`^\\| \`${protection}\``, "m"));
  expect(LOCAL_CAPABILITIES.maxValueBytes).toBe(2 ** 20);
  expect(README).toContain("A secret may hold 1 MiB");
  expect(README).toContain(`The last ${DEFAULT_REVISIONS} revisions are kept`);
  expect(README).toContain(`N = 2^${DEFAULT_COST}`);
});

test("T122 the README promises nothing that cannot be kept, and says what is not protected", () => {
  expect(README).not.toMatch(/\bzero|\bwipe|military|100 %|unbreakable|bulletproof/i);
  const [, section = ""] = /^## What it does not protect\n(.*)$/ms.exec(README) ?? [];
  for (const word of ["Memory", "swap", "core dump", "administrator", "replay"]) expect(section).toContain(word);
});
