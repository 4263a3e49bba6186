import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Reader } from "@coffer/emulators/reader";
import { AzureEmulator } from "@coffer/emulators/azure/server";
import { afterAll, expect, test } from "vitest";
import { AZURE_CAPABILITIES } from "../src/driver.ts";
import { CLOUDS, CREDENTIAL_KINDS } from "../src/index.ts";
import { azureSchema } from "../src/schemas.ts";
import { settingsSchema } from "../src/settings.ts";
import { settingsOf } from "./subject.ts";

const packageFolder = join(import.meta.dirname, "..");
const reader = new Reader(packageFolder);
const { folder: project, programs, readme: README } = reader;
afterAll(() => reader.remove());

async function run(parameters: readonly string[]): Promise<string> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:VITEST|TEST$|NODE_|FORCE_COLOR)/.test(name)));
  const ended = await promisify(execFile)(process.execPath, parameters, { cwd: project, env }).catch(
    (error: { readonly stdout?: string; readonly stderr?: string }) => error,
  );
  return `${ended.stdout}${ended.stderr}`;
}

test("the programs of the README compile", async () => {
  expect(await reader.compile()).toBe("");
});

test("the programs of the README do what they say, on a vault", async () => {
  const emulator = await AzureEmulator.start();
  const settings = JSON.stringify(settingsOf(emulator));
  const printed: string[] = [];
  for (const [index, text] of programs.entries()) {
    // The vault of the README is somebody else's; everything but its address stays.
    const here = text.replace(/(?:key_vault_name|vault_url): "[^"]*"/, `...${settings}`).replace("await using", "const");
    writeFileSync(join(project, `run-${index}.ts`), index === 2 ? `${here}await manager.close();\n` : here);
    printed.push(await run(["--conditions=@coffer/source", `run-${index}.ts`]));
  }
  expect(printed).toEqual(["etl\n", "", ""]);
  expect(emulator.vault.get("coffer-x2fnamespace-x2fteam-a-x2fwarehouse").version).toMatchObject({
    contentType: "application/json",
    value: '{"$type":"mysql","password":"correct horse","user":"etl"}',
  });
  expect(emulator.vault.get("coffer-x2fglobal-x2flake").version.tags).toMatchObject({ "coffer-schema": "azure" });
  await emulator.stop();
});

test("the README tells the settings, the kinds of credentials, the schema and the limits that there are", () => {
  const [, table = ""] = /^## Settings\n(.*?)^## /ms.exec(README) ?? [];
  expect([...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name)).toEqual(Object.keys(settingsSchema.shape));
  const [, kinds = ""] = /^## Signing in\n(.*?)^## /ms.exec(README) ?? [];
  expect([...kinds.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name).filter((name) => name !== "credential_kind")).toEqual([
    ...CREDENTIAL_KINDS,
  ]);
  for (const cloud of CLOUDS) expect(table).toContain(`\`${cloud}\``);
  expect(README).toContain(
    Object.keys(azureSchema.fields?._zod.def.shape ?? {})
      .map((key) => `\`${key}\``)
      .join(", "),
  );
  expect(README).toContain(`${AZURE_CAPABILITIES.maxValueBytes?.toLocaleString("en")} bytes`);
  expect(README).toContain(`${AZURE_CAPABILITIES.maxInFlight} requests at once`);
});

test("importing the package loads neither the SDK nor zod", async () => {
  writeFileSync(
    join(project, "import.ts"),
    `import * as module from "node:module";
    const loaded: string[] = [];
    module.registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    await import("@coffer/azure");
    console.log(loaded.filter((url) => /@azure|zod/.test(url)).length, loaded.length > 0);`,
  );
  expect(await run(["--conditions=@coffer/source", "import.ts"])).toBe("0 true\n");
});
