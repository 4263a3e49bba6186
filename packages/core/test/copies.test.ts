import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as esbuild from "esbuild";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const core = fileURLToPath(new URL("..", import.meta.url));
let folder = "";

// Two installed copies of core, as npm makes them when two packages ask for ranges that one version cannot satisfy.
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "coffer-copies-")));
  for (const copy of ["one", "two"]) {
    mkdirSync(join(folder, copy, "node_modules"), { recursive: true });
    cpSync(join(core, "src"), join(folder, copy, "core"), { recursive: true });
    symlinkSync(realpathSync(join(core, "node_modules/zod")), join(folder, copy, "node_modules/zod"));
    writeFileSync(join(folder, copy, "package.json"), '{ "type": "module" }');
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function evaluate(code: string, ...flags: string[]): Promise<unknown> {
  const script = join(folder, "script.mjs");
  writeFileSync(script, code);
  const { stdout } = await run(process.execPath, [...flags, script], { cwd: folder });
  return JSON.parse(stdout);
}

test("two copies of core: a driver of one works in the manager of the other, errors are recognised, the registry is shared", async () => {
  const result = await evaluate(`
    const one = await import("./one/core/index.ts");
    const two = await import("./two/core/index.ts");
    const { z } = await import("./two/node_modules/zod/index.js");
    const secrets = new Map();
    const flavor = two.defineFlavor({
      name: "keeper", settings: z.strictObject({}),
      open: async () => ({
        capabilities: { writable: true, compareAndSwap: "none", revisions: false, restore: false, marker: "none", maxValueBytes: null, maxInFlight: 1 },
        read: async (name) => secrets.has(name) ? { state: "value", record: secrets.get(name), managed: true } : undefined,
        create: async (name, record) => { if (secrets.has(name)) throw new two.DriverError("already_exists"); secrets.set(name, record); },
        classify: () => ({ code: "unknown", retryable: false, outcome: "unknown" }),
      }),
    });
    two.registerIntegration({ specVersion: 1, name: "acme", flavors: [flavor], schemas: [] });
    const manager = await one.openSecretsManager({ flavor: "keeper" });
    await manager.registerSecret({ name: "db", schema: "mysql", values: { user: "etl" } });
    const error = await manager.registerSecret({ name: "db", values: { a: "1" } }).catch((error) => error);
    const secret = await manager.getSecret("db");
    console.log(JSON.stringify({
      sameModule: one.SecretsManager === two.SecretsManager, user: secret.content.user, typed: secret.content.ssl_verify_server_cert,
      code: error.code, recognisedByOther: two.SecretsError.isInstance(error), instanceOfOther: error instanceof two.SecretsError,
    }));
  `);
  expect(result).toEqual({
    sameModule: false,
    user: "etl",
    typed: false,
    code: "already_exists",
    recognisedByOther: true,
    instanceOfOther: false,
  });
});

test("importing core loads no zod, no file system module of ours and no SDK; checking a schema does", async () => {
  const loaded = await evaluate(
    `
    import { registerHooks } from "node:module";
    const urls = [];
    registerHooks({ load(url, context, next) { urls.push(url); return next(url, context); } });
    const core = await import("./one/core/index.ts");
    const before = urls.filter((url) => /zod|discovery|schemas/.test(url)).length;
    await core.globalRegistry().requireSchema("mysql");
    console.log(JSON.stringify([before, urls.some((url) => /zod/.test(url))]));
  `,
  );
  expect(loaded).toEqual([0, true]);
});

describe("a bundle keeps the registration of an integration that is imported for its effect, and the schema that it loads later", () => {
  const entry = () => join(folder, "one", "program.ts");
  beforeAll(() => {
    const acme = join(folder, "one", "node_modules", "@acme", "keeper");
    mkdirSync(join(acme, "dist"), { recursive: true });
    writeFileSync(
      join(acme, "package.json"),
      JSON.stringify({
        name: "@acme/keeper",
        version: "1.0.0",
        type: "module",
        sideEffects: ["./dist/index.js"],
        exports: "./dist/index.js",
      }),
    );
    writeFileSync(
      join(acme, "dist/index.js"),
      `import { registerIntegration } from "../../../../core/index.ts";
       import integration from "./integration.js";
       registerIntegration(integration);
       export { integration };`,
    );
    writeFileSync(
      join(acme, "dist/integration.js"),
      `export default { specVersion: 1, name: "acme", flavors: [{ type: "secrets_manager", name: "keeper", locality: () => "remote", settings: undefined, open: undefined }], schemas: [{ type: "keeper", load: async () => (await import("./schemas.js")).keeper }] };`,
    );
    writeFileSync(join(acme, "dist/schemas.js"), `export const keeper = { type: "keeper", fields: undefined };`);
    writeFileSync(
      entry(),
      `import "@acme/keeper";
       import { globalRegistry } from "./core/index.ts";
       const schema = await globalRegistry().requireSchema("keeper");
       console.log(JSON.stringify([...globalRegistry().flavors().map((flavor) => flavor.name), schema.type]));`,
    );
  });

  test("esbuild", async () => {
    const outfile = join(folder, "esbuild.mjs");
    await esbuild.build({ entryPoints: [entry()], bundle: true, platform: "node", format: "esm", outfile, logLevel: "silent" });
    const { stdout } = await run(process.execPath, [outfile]);
    expect(JSON.parse(stdout)).toEqual(["keeper", "keeper"]);
  });

  test("rolldown", async () => {
    const file = join(folder, "rolldown.mjs");
    const bundle = await rolldown({ input: entry(), platform: "node", logLevel: "silent" });
    await bundle.write({ file, format: "esm", codeSplitting: false });
    const { stdout } = await run(process.execPath, [file]);
    expect(JSON.parse(stdout)).toEqual(["keeper", "keeper"]);
  });
});
