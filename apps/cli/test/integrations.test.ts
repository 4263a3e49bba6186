import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startLoopbackRegistry } from "@coffer/emulators/npm-registry";
import { Home } from "./support/home.ts";

const PACKAGE = "@acme/coffer-flavor";

/** A registry on loopback that has one package: an integration of somebody else's. */
async function registryWithFlavor(home: Home): Promise<string> {
  const folder = join(home.path, "source");
  const tarballs = join(home.path, "tarballs");
  mkdirSync(folder);
  mkdirSync(tarballs);
  const coffer = { specVersion: 1, entry: "./index.js", flavors: [{ type: "secrets_manager", name: "acme" }], schemas: [] };
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: PACKAGE, version: "1.2.3", type: "module", exports: "./index.js", coffer }),
  );
  writeFileSync(join(folder, "index.js"), "export default {};\n");
  execFileSync("npm", ["pack", "--silent", "--pack-destination", tarballs], { cwd: folder, env: { ...process.env, ...home.env } });
  // Everything else is asked for where nobody answers: an installation that needs more than the package would fail.
  const registry = await startLoopbackRegistry(tarballs, "http://127.0.0.1:9");
  onTestFinished(() => registry.close());
  return registry.url;
}

test("105: an integration is installed after showing what will run, is listed, and is uninstalled", { timeout: 120_000 }, async () => {
  const home = new Home();
  const env = {
    npm_config_registry: await registryWithFlavor(home),
    npm_config_audit: "false",
    npm_config_fetch_retries: "0",
    npm_config_fund: "false",
    npm_config_update_notifier: "false",
  };
  const refused = await home.run(["integration", "install", PACKAGE], { env });
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain(`In ~/.config/coffer/integrations this will run: npm install ${PACKAGE}\n`);
  expect(existsSync(join(home.path, ".config/coffer/integrations"))).toBe(false);

  const installed = await home.succeed(["integration", "install", PACKAGE, "--yes", "--output=json"], { env });
  // What npm says goes to stderr: stdout is JSON alone.
  expect(JSON.parse(installed.stdout)).toMatchObject({ packages: [PACKAGE] });
  const listed = await home.succeed(["integration", "list", "--output=json"]);
  expect(JSON.parse(listed.stdout)).toMatchObject([{ package: PACKAGE, version: "1.2.3", flavors: ["acme"], schemas: [] }]);
  expect((await home.succeed(["secrets-manager", "flavor", "list"])).stdout).toContain(`acme    ${PACKAGE}`);
  expect((await home.succeed(["integration", "install", PACKAGE, "--yes"], { env })).stderr).toContain("is installed already");

  await home.succeed(["integration", "uninstall", PACKAGE, "--yes"], { env });
  expect((await home.succeed(["integration", "list"])).stderr).toContain("No integration is installed.");
  const unknown = await home.run(["integration", "install", "@acme/none", "--yes"], { env });
  expect(unknown.status).toBe(7);
  expect(unknown.stderr).toMatch(/error: npm ended with 1; what it said stands above\.\nhint: Install the package by hand/);
});

test.each(["../evil", "/abs", "file:x", "http://x", "a b", "-g", "@a", "git+ssh://x"])(
  "T101: %j is no name of an integration, and reaches no package manager",
  async (name) => {
    const home = new Home();
    const { status, stderr } = await home.run(["integration", "install", "--yes", "--", name]);
    expect(status).toBe(2);
    expect(stderr).toContain("is not the name of an integration");
  },
);
