import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { createSecretsManager } from "@coffer/core";
import { Reader } from "@coffer/emulators/reader";
import { VaultEmulator } from "@coffer/emulators/vault/server";
import { afterAll, expect, test } from "vitest";
import { capabilitiesOf } from "../src/capabilities.ts";
import { AUTH_METHODS, vault } from "../src/index.ts";
import { settingsSchema } from "../src/settings.ts";

const packageFolder = join(import.meta.dirname, "..");
const reader = new Reader(packageFolder);
const { folder: project, programs, readme: README } = reader;
afterAll(() => reader.remove());

async function run(
  parameters: readonly string[],
  env: Record<string, string | undefined> = {},
): Promise<{ stdout: string; stderr: string }> {
  const all = { PATH: process.env["PATH"], HOME: project, ...env };
  return promisify(execFile)(process.execPath, parameters, { cwd: project, env: all });
}

test("the programs of the README compile", async () => {
  expect(await reader.compile()).toBe("");
});

test("the programs of the README run and print what it says", async () => {
  const emulator = await VaultEmulator.start();
  const { roleId: ROLE_ID, secretId: SECRET_ID } = emulator.auth.approle;
  const env = { VAULT_ADDR: emulator.url, VAULT_TOKEN: emulator.auth.issue(), ROLE_ID, SECRET_ID };
  for (const [index, text] of programs.entries()) {
    // The server of the README is somebody else's; everything but its address stays.
    writeFileSync(join(project, `run-${index}.ts`), text.replace(/address: "[^"]*"/, `address: "${emulator.url}"`));
    const said = [...text.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, line = ""]) => `${line}\n`);
    expect(await run(["--conditions=@coffer/source", `run-${index}.ts`], env)).toEqual({ stdout: said.join(""), stderr: "" });
  }
  expect(emulator.kv().read("coffer/namespace/team-a/warehouse")?.data).toEqual({
    $type: "mysql",
    user: "etl",
    password: "battery staple",
  });
  await emulator.stop();
});

test("the README tells the settings, the ways to sign in and the limits that there are", () => {
  const [, table = ""] = /^## Settings\n(.*?)^## /ms.exec(README) ?? [];
  expect([...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name)).toEqual(Object.keys(settingsSchema.shape));
  const [, methods = ""] = /^## Signing in\n(.*?)^## /ms.exec(README) ?? [];
  expect([...methods.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name).filter((name) => name !== "auth_method")).toEqual([
    ...AUTH_METHODS,
  ]);
  const { maxValueBytes, maxInFlight } = capabilitiesOf(2, {});
  expect(README).toContain(`${maxValueBytes?.toLocaleString("en")} bytes`);
  expect(README).toContain(`${maxInFlight} requests at once`);
});

test("the policy of the README is enough for every operation, path by path", async () => {
  const [, policy = ""] = /^```hcl\n(.*?)^```$/ms.exec(README) ?? [];
  const granted = [...policy.matchAll(/path "([^"]+)\*" \{\s+capabilities = \[([^\]]*)\]/g)].map(([, path = "", list = ""]) => ({
    path: `/v1/${path}`,
    capabilities: [...list.matchAll(/"(\w+)"/g)].map(([, name = ""]) => name),
  }));
  const emulator = await VaultEmulator.start();
  const settings = {
    address: emulator.url,
    token: emulator.auth.issue(),
    kv_version: 2,
    soft_delete: true,
    custom_metadata: true,
  } as const;
  const manager = createSecretsManager(vault, settings, { scope: "namespace", namespace: "team-a" });
  await manager.registerSecret({ name: "db", values: { a: "b" } });
  await manager.updateSecret("db", { values: { a: "c" } });
  await Array.fromAsync(manager.listSecrets());
  await Array.fromAsync(manager.history("db"));
  await manager.deleteSecret("db");
  await manager.restoreSecret("db");
  await manager.deleteSecret("db", { immediate: true });
  await manager.close();
  await emulator.stop();
  const capability: Record<string, string> = { GET: "read", POST: "update", DELETE: "delete" };
  for (const { method, path } of emulator.seen) {
    const grant = granted.find((each) => path.startsWith(each.path));
    const needed = path.endsWith("/") ? "list" : (capability[method] ?? method);
    expect({ method, path, granted: grant?.capabilities }).toMatchObject({ granted: expect.arrayContaining([needed]) as unknown });
  }
  expect(new Set(emulator.seen.map(({ path }) => path.split("/")[3]))).toEqual(new Set(["data", "metadata", "undelete"]));
});

test("importing the package loads neither SDK nor zod", async () => {
  writeFileSync(
    join(project, "import.ts"),
    `import * as module from "node:module";
    const loaded: string[] = [];
    module.registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    await import("@coffer/vault");
    console.log(loaded.filter((url) => /node-vault|axios|\\/zod\\//.test(url)).length, loaded.length > 0);`,
  );
  expect(await run(["--conditions=@coffer/source", "import.ts"])).toEqual({ stdout: "0 true\n", stderr: "" });
});

test("T122 the README promises nothing that cannot be kept", () => {
  expect(README).not.toMatch(/\bzero|\bwipe|military|100 %|unbreakable|bulletproof/i);
});
