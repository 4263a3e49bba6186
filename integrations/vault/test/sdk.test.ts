import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { VaultEmulator } from "@coffer/emulators/vault/server";
import { rolldown } from "rolldown";
import { afterEach, beforeEach, expect, test } from "vitest";

const packageFolder = join(import.meta.dirname, "..");
const entry = JSON.stringify(join(packageFolder, "src/index.ts"));
const run = promisify(execFile);

let emulator: VaultEmulator;
let folder = "";
beforeEach(async () => {
  emulator = await VaultEmulator.start();
  folder = mkdtempSync(join(tmpdir(), "coffer-vault-sdk-"));
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await emulator.stop();
});

/** A program that stores a secret and reads it, with more before and after that. */
function program(before = "", after = ""): string {
  const settings = JSON.stringify({ address: emulator.url, token: emulator.auth.rootToken });
  return `${before}
    import { createSecretsManager } from "@coffer/core";
    import { vault } from ${entry};
    const manager = createSecretsManager(vault, ${settings});
    await manager.registerSecret({ name: "db", values: { user: "etl" } });
    console.log((await manager.getSecret("db")).content.user);
    await manager.close();
    ${after}`;
}

async function runFromSources(text: string): Promise<{ readonly stdout: string; readonly stderr: string }> {
  for (const [name, target] of [
    ["@coffer/core", join(packageFolder, "../../packages/core")],
    ["node-vault", join(packageFolder, "node_modules/node-vault")],
  ] as const) {
    mkdirSync(join(folder, "node_modules", name, ".."), { recursive: true });
    symlinkSync(target, join(folder, "node_modules", name));
  }
  writeFileSync(join(folder, "program.mts"), text);
  return run(process.execPath, ["--conditions=@coffer/source", "program.mts"], { cwd: folder });
}

const OWN_CLIENT = (): string =>
  `const own = nodeVault({ endpoint: ${JSON.stringify(emulator.url)}, token: ${JSON.stringify(emulator.auth.rootToken)} });
    console.log((await own.read("secret/data/coffer/global/db")).data.data.user);`;

test("the SDK's own client of HTTP is not loaded", async () => {
  const loaded = "console.log(Object.keys(createRequire(import.meta.url).cache).filter((path) => /axios/.test(path)).length);";
  expect(await runFromSources(program('import { createRequire } from "node:module";', loaded))).toEqual({ stdout: "etl\n0\n", stderr: "" });
});

test("a program that uses the SDK for itself, before or afterwards, has it whole", async () => {
  const after = `const { default: nodeVault } = await import("node-vault");\n${OWN_CLIENT()}`;
  expect(await runFromSources(program("", after))).toEqual({ stdout: "etl\netl\n", stderr: "" });
  await emulator.stop();
  emulator = await VaultEmulator.start();
  rmSync(join(folder, "node_modules"), { recursive: true });
  expect(await runFromSources(program('import nodeVault from "node-vault";', OWN_CLIENT()))).toEqual({ stdout: "etl\netl\n", stderr: "" });
});

test("a bundled program brings the SDK along, and needs no packages beside it", { timeout: 60_000 }, async () => {
  writeFileSync(join(folder, "program.ts"), program());
  const build = await rolldown({
    cwd: packageFolder,
    input: join(folder, "program.ts"),
    platform: "node",
    resolve: {
      conditionNames: ["@coffer/source", "node", "import", "default"],
      alias: { "@coffer/core": join(packageFolder, "../../packages/core/src/index.ts") },
    },
    logLevel: "silent",
  });
  await build.write({ file: join(folder, "program.mjs"), format: "esm", codeSplitting: false });
  expect(await run(process.execPath, ["program.mjs"], { cwd: folder })).toEqual({ stdout: "etl\n", stderr: "" });
});
