import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as api from "../src/index.ts";
import { documentProblems } from "../src/document.ts";

const packageFolder = join(import.meta.dirname, "..");
const root = join(packageFolder, "../..");
const README = readFileSync(join(packageFolder, "README.md"), "utf8");
const blocksOf = (language: string): string[] =>
  [...README.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, text = ""]) => text);
const programs = blocksOf("ts");

/** The reader's project, and an account that has nothing yet. */
let project = "";
beforeAll(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), "coffer-readme-")));
  mkdirSync(join(project, "node_modules/@coffer"), { recursive: true });
  mkdirSync(join(project, "home"));
  for (const [from, to] of [
    [packageFolder, "@coffer/stack"],
    [join(root, "packages/core"), "@coffer/core"],
    [join(root, "packages/local"), "@coffer/local"],
    [join(packageFolder, "node_modules/zod"), "zod"],
    [join(root, "node_modules/@types"), "@types"],
  ] as const)
    symlinkSync(from, join(project, "node_modules", to));
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "reader", type: "module" }));
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ extends: join(root, "tsconfig.base.json"), include: ["*.ts"] }));
  for (const [index, text] of programs.entries()) writeFileSync(join(project, `block-${index}.ts`), text);
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

function run(...parameters: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const env = { PATH: process.env["PATH"], HOME: join(project, "home") };
  const { status, stdout, stderr } = spawnSync(process.execPath, parameters, { cwd: project, env, encoding: "utf8" });
  return { status, stdout, stderr };
}

test("the programs of the README compile", () => {
  const require = createRequire(join(root, "package.json"));
  const tsc = join(dirname(require.resolve("typescript/package.json")), "bin/tsc");
  expect(run(tsc, "-p", ".")).toEqual({ status: 0, stdout: "", stderr: "" });
});

test("they run, one after the other, and print what it says", () => {
  for (const [index, text] of programs.entries()) {
    const said = [...text.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, line = ""]) => line);
    expect(said, text).not.toEqual([]);
    expect(run("--conditions=@coffer/source", `block-${index}.ts`)).toMatchObject({ status: 0, stdout: `${said.join("\n")}\n` });
  }
});

test("the file that it shows is valid, and the functions that it names are there", async () => {
  const [file = ""] = blocksOf("json");
  expect(await documentProblems(JSON.parse(file) as Record<string, unknown>, "project")).toEqual([]);
  const [, table = ""] = /^## Define stacks\n(.*?)^## /ms.exec(README) ?? [];
  for (const [, name = ""] of table.matchAll(/`([a-z]+[A-Z]\w+)`/g)) expect(api).toHaveProperty(name);
  for (const level of api.VALIDATION_LEVELS) expect(README).toContain(`\`${level}\``);
});
