import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Reader } from "@coffer/emulators/reader";
import { afterAll, expect, test } from "vitest";
import { AWS_CAPABILITIES } from "../src/capabilities.ts";
import { settingsSchema } from "../src/settings.ts";
import { DEFAULT_RECOVERY_WINDOW_DAYS } from "../src/settings-types.ts";
import { onEmulator } from "./laboratory.ts";

const packageFolder = join(import.meta.dirname, "..");
const reader = new Reader(packageFolder);
const { folder: project, programs, readme: README } = reader;
afterAll(() => reader.remove());
const run = promisify(execFile);

test("the programs of the README compile", async () => {
  expect(await reader.compile()).toBe("");
});

test("the programs of the README run and print what it says", { timeout: 60_000 }, () =>
  onEmulator(async ({ emulator }) => {
    // The reader's account: no other one, whatever this machine has.
    const env = {
      PATH: process.env["PATH"],
      HOME: project,
      AWS_ACCESS_KEY_ID: emulator.keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: emulator.keys.secretAccessKey,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: emulator.server.url,
    };
    for (const [index, text] of programs.entries()) {
      const said = [...text.matchAll(/^ *console\.log\(.*\); \/\/ (.*)$/gm)].map(([, line = ""]) => `${line}\n`);
      const ended = await run(process.execPath, ["--conditions=@coffer/source", `block-${index}.ts`], { cwd: project, env });
      expect(ended).toEqual({ stdout: said.join(""), stderr: "" });
    }
    expect(emulator.server.count()).toBeGreaterThan(8);
  }),
);

test("the README tells the settings, the limits and the permissions that there are", () => {
  const [, table = ""] = /^## Settings\n(.*?)^## /ms.exec(README) ?? [];
  expect([...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name)).toEqual(Object.keys(settingsSchema.shape));
  expect(README).toContain(`${AWS_CAPABILITIES.maxValueBytes?.toLocaleString("en")} bytes`);
  expect(README).toContain(`1 for every ${AWS_CAPABILITIES.batchSize}, at most ${AWS_CAPABILITIES.maxInFlight} at once`);
  expect(README).toContain(`7 to 30 | ${DEFAULT_RECOVERY_WINDOW_DAYS} |`);
  const policy = JSON.parse(reader.blocks("json").find((text) => text.includes("Statement")) ?? "{}") as {
    Statement: { Action: string[] }[];
  };
  const allowed = policy.Statement.flatMap(({ Action }) => Action.map((action) => action.replace("secretsmanager:", "")));
  const used = [...readFileSync(join(packageFolder, "src/client.ts"), "utf8").matchAll(/operation\((\w+)Command/g)].map(
    ([, name = ""]) => name,
  );
  expect(allowed.toSorted()).toEqual(used.toSorted());
  for (const name of used) expect(README.split("## Least permissions")[1]?.split("```json")[0]).toContain(`\`${name}\``);
});

test("T122 the README promises nothing that cannot be kept", () => {
  expect(README).not.toMatch(/\bzero|\bwipe|military|100 %|unbreakable|bulletproof/i);
});
