import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { AzureEmulator } from "@coffer/emulators/azure/server";
import { rolldown } from "rolldown";
import { expect, onTestFinished, test } from "vitest";
import { fileOf } from "./subject.ts";

const packageFolder = join(import.meta.dirname, "..");

test("a bundled program brings the SDK along, and needs no packages beside it", { timeout: 60_000 }, async () => {
  const emulator = await AzureEmulator.start();
  const folder = mkdtempSync(join(tmpdir(), "coffer-bundle-"));
  onTestFinished(async () => {
    rmSync(folder, { recursive: true, force: true });
    await emulator.stop();
  });
  const { tenantId: tenant_id, clientId: client_id, clientSecret: client_secret } = emulator.entra.principal;
  const settings = {
    vault_url: emulator.url,
    authority_host: emulator.url,
    ca_file: fileOf("bundle.pem", emulator.ca),
    verify_challenge: false,
  };
  const program = `import { createSecretsManager } from "@coffer/core";
    import { azure } from ${JSON.stringify(join(packageFolder, "src/index.ts"))};
    const manager = createSecretsManager(azure, ${JSON.stringify({ ...settings, tenant_id, client_id, client_secret })});
    await manager.registerSecret({ name: "db", values: { user: "etl" } });
    console.log((await manager.getSecret("db")).content.user);
    await manager.close();`;
  writeFileSync(join(folder, "program.ts"), program);
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
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["program.mjs"], { cwd: folder });
  expect({ stdout, stderr }).toEqual({ stdout: "etl\n", stderr: "" });
  expect(emulator.entra.grants).toEqual(["client_secret"]);
});
