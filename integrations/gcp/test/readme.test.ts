import { execFile } from "node:child_process";
import { mkdtempSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GCP_CAPABILITIES } from "../src/driver.ts";
import { DEFAULT_RETRIES } from "../src/settings-types.ts";
import { settingsSchema } from "../src/settings.ts";
import { settingsFor, startServer } from "./laboratory.ts";

const packageFolder = join(import.meta.dirname, "..");
const root = join(packageFolder, "../..");
const README = readFileSync(join(packageFolder, "README.md"), "utf8");
const programs = [...README.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text = ""]) => text);
const run = promisify(execFile);

/** The reader's project. */
let project = "";
beforeAll(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), "coffer-readme-")));
  mkdirSync(join(project, "node_modules/@coffer"), { recursive: true });
  for (const [from, to] of [
    [packageFolder, "@coffer/gcp"],
    [join(root, "packages/core"), "@coffer/core"],
    [join(packageFolder, "node_modules/zod"), "zod"],
    [join(root, "node_modules/@types"), "@types"],
  ] as const)
    symlinkSync(from, join(project, "node_modules", to));
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "reader", type: "module" }));
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ extends: join(root, "tsconfig.base.json"), include: ["*.ts"] }));
  for (const [index, text] of programs.entries()) writeFileSync(join(project, `block-${index}.ts`), text);
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

test("the programs of the README compile", async () => {
  const tsc = join(dirname(createRequire(join(root, "package.json")).resolve("typescript/package.json")), "bin/tsc");
  expect((await run(process.execPath, [tsc, "-p", "."], { cwd: project })).stdout).toBe("");
});

test("the first program runs and prints what it says", async () => {
  const server = await startServer();
  const settings = JSON.stringify({ ...settingsFor(server), project: server.project });
  writeFileSync(join(project, "first.ts"), (programs[0] ?? "").replace('{ project: "my-project" }', settings));
  const { stdout, stderr } = await run(process.execPath, ["--conditions=@coffer/source", "first.ts"], {
    cwd: project,
  });
  expect([stdout, stderr]).toEqual(["etl false\n", ""]);
  await server.stop();
});

test("the tables of the README name every setting and tell the capabilities as they are", () => {
  for (const name of Object.keys(settingsSchema.shape)) expect(README).toMatch(new RegExp(`^\\| \`${name}\` \\|`, "m"));
  expect(README).toContain(`${DEFAULT_RETRIES} by default`);
  expect(README).toContain(`| \`maxInFlight\` | ${GCP_CAPABILITIES.maxInFlight} |`);
  expect(README).toContain(`| \`compareAndSwap\` | \`${GCP_CAPABILITIES.compareAndSwap}\` |`);
});
