import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Reader } from "@coffer/emulators/reader";
import { afterAll, expect, test } from "vitest";
import { GCP_CAPABILITIES } from "../src/driver.ts";
import { DEFAULT_RETRIES } from "../src/settings-types.ts";
import { settingsSchema } from "../src/settings.ts";
import { settingsFor, startServer } from "./laboratory.ts";

const packageFolder = join(import.meta.dirname, "..");
const reader = new Reader(packageFolder);
const { folder: project, programs, readme: README } = reader;
afterAll(() => reader.remove());
const run = promisify(execFile);

test("the programs of the README compile", async () => {
  expect(await reader.compile()).toBe("");
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
