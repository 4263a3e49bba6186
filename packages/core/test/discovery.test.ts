import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { announceDiscovered, discoverDependencies } from "../src/discovery.ts";
import { createRegistry } from "../src/index.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "coffer-discovery-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const manifest = {
  specVersion: 1,
  entry: "./dist/index.js",
  flavors: [{ type: "secrets_manager", name: "keeper", aliases: ["keep"] }],
  schemas: ["keeper"],
};

function install(name: string, coffer: unknown, code: string): void {
  const folder = join(root, "node_modules", name);
  mkdirSync(join(folder, "dist"), { recursive: true });
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({
      name,
      version: "1.2.0",
      type: "module",
      exports: { import: "./dist/index.js" },
      ...(coffer === undefined ? {} : { coffer }),
    }),
  );
  writeFileSync(join(folder, "dist/index.js"), code);
}
const application = (dependencies: Record<string, string>) => writeFileSync(join(root, "package.json"), JSON.stringify({ dependencies }));
const marker = () => join(root, "ran");
const integrationCode = () => `import { writeFileSync } from "node:fs";
  writeFileSync(${JSON.stringify(marker())}, "");
  export default { specVersion: 1, name: "acme", flavors: [{ type: "secrets_manager", name: "keeper", aliases: ["keep"] }], schemas: [] };`;

test("T100: only direct dependencies count, and finding them runs none of their code", async () => {
  application({ "@acme/keeper": "1", plain: "1" });
  install("@acme/keeper", manifest, integrationCode());
  install("@evil/keeper", manifest, integrationCode());
  install("plain", undefined, "throw new Error()");
  const found = await discoverDependencies(root);
  expect(found.integrations.map(({ package: name, version }) => [name, version])).toEqual([["@acme/keeper", "1.2.0"]]);
  const registry = createRegistry();
  announceDiscovered(registry, found.integrations);
  expect(registry.flavors()).toMatchObject([{ name: "keeper", package: "@acme/keeper", version: "1.2.0" }]);
  expect(existsSync(marker())).toBe(false);
  expect((await registry.flavor("secrets_manager", "keep")).name).toBe("keeper");
  expect(existsSync(marker())).toBe(true);
});

test("a dependency that is installed further up is found", async () => {
  install("@acme/keeper", manifest, integrationCode());
  const inner = join(root, "packages", "app");
  mkdirSync(inner, { recursive: true });
  writeFileSync(join(inner, "package.json"), JSON.stringify({ devDependencies: { "@acme/keeper": "1" } }));
  expect((await discoverDependencies(inner)).integrations).toHaveLength(1);
});

test.each([
  ["another version of the contract", { ...manifest, specVersion: 2 }, "specVersion"],
  ["an entry outside the package", { ...manifest, entry: "./../../evil.js" }, "entry"],
  ["an entry that is an address", { ...manifest, entry: "data:text/javascript,1" }, "entry"],
  ["a flavor that is no identifier", { ...manifest, flavors: [{ type: "secrets_manager", name: "../../evil" }] }, "flavors.0.name"],
  ["no object at all", "yes", "the top"],
])("T101: a manifest with %s is a problem that names the place, and nothing is imported", async (_what, coffer, place) => {
  application({ "@acme/keeper": "1" });
  install("@acme/keeper", coffer, integrationCode());
  const found = await discoverDependencies(root);
  expect(found.integrations).toEqual([]);
  expect(found.problems).toMatchObject([{ package: "@acme/keeper", reason: expect.stringContaining(place) }]);
});

test("a name that is no package name is not looked for", async () => {
  application({ "../../evil": "1", "/abs": "1" });
  expect(await discoverDependencies(root)).toEqual({ integrations: [], problems: [] });
});

test("a package whose code does not load, is no integration, or speaks another version says so when it is used", async () => {
  for (const [code, expected] of [
    ["throw new Error('canary')", { code: "unknown_flavor", message: expect.stringContaining("could not be loaded") }],
    ["export default 1", { code: "unknown_flavor" }],
    ["export default { specVersion: 2, name: 'acme', flavors: [], schemas: [] }", { code: "unsupported" }],
  ] as const) {
    rmSync(root, { recursive: true, force: true });
    root = mkdtempSync(join(tmpdir(), "coffer-discovery-"));
    application({ "@acme/keeper": "1" });
    install("@acme/keeper", manifest, code);
    const registry = createRegistry();
    announceDiscovered(registry, (await discoverDependencies(root)).integrations);
    await expect(registry.flavor("secrets_manager", "keeper")).rejects.toMatchObject(expected);
  }
});

test("a folder without a package.json, or with a broken one, has no integrations", async () => {
  expect(await discoverDependencies(root)).toEqual({ integrations: [], problems: [] });
  writeFileSync(join(root, "package.json"), "{");
  expect(await discoverDependencies(root)).toEqual({ integrations: [], problems: [] });
});
