import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  initProject,
  isTrusted,
  ModuleRegistry,
  modulesOf,
  openStack,
  readConfiguration,
  registerComponent,
  registerModule,
  registerStack,
  trustProject,
} from "../src/index.ts";
import { account, type Account, failure, runProgram, sourceUrl } from "./laboratory.ts";

const core = new URL("../../core/src/index.ts", import.meta.url).href;
const zod = import.meta.resolve("zod");

function schemaModule(type: string): string {
  return `import { defineSecretSchema } from ${JSON.stringify(core)};\nimport * as z from ${JSON.stringify(zod)};\n`.concat(
    `export const schema = defineSecretSchema({ type: "${type}", fields: z.object({ size: z.number() }) });\n`,
  );
}

/** Without a single import: what a module may import is another matter. */
function plainModule(type: string, marker?: string): string {
  const mark = marker === undefined ? "" : `process.getBuiltinModule("node:fs").appendFileSync(${JSON.stringify(marker)}, "ran ");\n`;
  return `${mark}export const schema = { type: "${type}", fields: undefined };\n`;
}

const flavorModule = `
export const flavor = {
  type: "secrets_manager", name: "shelf",
  settings: { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } },
  locality: () => "remote",
  open: async () => { throw new Error("closed"); },
};
export const ignored = { type: "secrets_manager", name: "half" };
export function helper() {}
`;

async function projectWith(modules: Record<string, string>, named = Object.keys(modules)): Promise<Account> {
  const lab = account();
  for (const [name, text] of Object.entries(modules)) lab.write(join(lab.project, name), text);
  lab.write(join(lab.project, "coffer.json"), { version: 1, modules: named.map((name) => `./${name}`) });
  await trustProject(lab.where);
  return lab;
}

function registryOf({ where, registry }: Account): ModuleRegistry {
  return new ModuleRegistry(registry, modulesOf(readConfiguration(where)));
}

/** Asks for a schema in a process of its own: the runner of these tests loads modules in its own way, past the rules for them. */
async function askFor({ project, home }: Account, type: string, meanwhile = ""): Promise<string> {
  const program = `import { createRegistry } from ${JSON.stringify(core)};
    import { ModuleRegistry, modulesOf, readConfiguration } from ${JSON.stringify(sourceUrl("index.ts"))};
    const registry = new ModuleRegistry(createRegistry(), modulesOf(readConfiguration()));
    ${meanwhile}
    try {
      console.log("found", (await registry.requireSchema(${JSON.stringify(type)})).type);
    } catch (error) {
      console.log(error.code, error.message);
    }`;
  const { stdout, stderr } = await runProgram(program, { HOME: home }, project);
  expect(stderr).toBe("");
  return stdout.trim();
}

describe("a project's modules", () => {
  test("run when something is asked for that is known nowhere else, once, and not before", async () => {
    const lab = account();
    const marker = join(lab.home, "marker");
    lab.write(join(lab.project, "a.mjs"), plainModule("label_api", marker));
    lab.write(join(lab.project, "coffer.json"), { version: 1, modules: ["./a.mjs"] });
    await trustProject(lab.where);
    await using stack = await openStack(lab.where);
    expect(stack.secretsManager.flavor).toBe("local");
    const registry = registryOf(lab);
    expect(await registry.schema("mysql")).toBeDefined();
    expect(await registry.flavor("secrets_manager", "cloud")).toBeDefined();
    expect(registry.schemas().map(({ type }) => type)).toEqual(["arbitrary", "basic_auth", "mysql"]);
    expect(existsSync(marker)).toBe(false);
    expect(await registry.requireSchema("label_api")).toMatchObject({ type: "label_api" });
    expect(await registry.schema("label_api")).toBeDefined();
    expect(readFileSync(marker, "utf8")).toBe("ran ");
    expect(registry.schemas().map(({ type }) => type)).toContain("label_api");
    expect(await failure(() => registry.requireSchema("label_pai"))).toMatchObject({ code: "unknown_schema" });
    expect(await failure(() => registry.flavor("secrets_manager", "nope"))).toMatchObject({ code: "unknown_flavor" });
  });

  test("T104 a module that changes between the reading and the running does not run", async () => {
    const lab = await projectWith({ "late.mjs": plainModule("late") });
    const marker = join(lab.home, "marker");
    const change = `process.getBuiltinModule("node:fs").appendFileSync("late.mjs", ${JSON.stringify(plainModule("x", marker).split("\n")[0])});`;
    expect(await askFor(lab, "late", change)).toBe("untrusted A module of the project has changed since it was trusted.");
    expect(existsSync(marker)).toBe(false);
    expect(isTrusted(lab.where)).toBe(false);
  });

  test("T101 a module may import what is named beside it, and no other file of the project, however it is written", async () => {
    const good = await projectWith({ "sub/a.mjs": `export { schema } from "../b.mjs";\n`, "b.mjs": plainModule("b") });
    expect(await askFor(good, "b")).toBe("found b");
    for (const specifier of ["./hidden.mjs", "FILE", "#hidden", "/hidden.mjs"]) {
      const lab = account();
      const marker = join(lab.home, "marker");
      lab.write(join(lab.project, "hidden.mjs"), plainModule("hidden", marker));
      lab.write(join(lab.project, "package.json"), { name: "shop", imports: { "#hidden": "./hidden.mjs" } });
      const written = specifier === "FILE" ? `file://${lab.project}/hidden.mjs` : specifier.replace(/^\//, `${lab.project}/`);
      for (const text of [
        `export { schema } from ${JSON.stringify(written)};\n`,
        `export const { schema } = await import(${JSON.stringify(written)});\n`,
      ]) {
        lab.write(join(lab.project, "a.mjs"), text);
        lab.write(join(lab.project, "coffer.json"), { version: 1, modules: ["./a.mjs"] });
        await trustProject(lab.where);
        expect(await askFor(lab, "hidden"), text).toContain("untrusted A module of the project imports ");
        expect(existsSync(marker)).toBe(false);
      }
    }
  });

  test("may export an integration that brings a schema as something to load", async () => {
    const integration = `export default { specVersion: 1, name: "labels", flavors: [],
      schemas: [{ type: "label_api", load: async () => ({ type: "label_api", fields: undefined }) }] };`;
    expect(await askFor(await projectWith({ "a.mjs": integration }), "label_api")).toBe("found label_api");
  });

  test("may import installed packages and those of Node", async () => {
    const lab = account();
    mkdirSync(join(lab.project, "node_modules"), { recursive: true });
    symlinkSync(join(import.meta.dirname, "../node_modules/zod"), join(lab.project, "node_modules/zod"));
    const text = `import { join } from "node:path";\nimport * as z from "zod";\nexport const schema = { type: join("packaged"), fields: z.object({}) };\n`;
    lab.write(join(lab.project, "a.mts"), text);
    lab.write(join(lab.project, "coffer.json"), { version: 1, modules: ["./a.mts"] });
    await trustProject(lab.where);
    expect(await askFor(lab, "packaged")).toBe("found packaged");
  });

  test("one that cannot be loaded says so, without what it threw", async () => {
    const lab = await projectWith({ "broken.mjs": `throw new Error("canary");\n` });
    const error = await failure(() => registryOf(lab).requireSchema("x"));
    expect(error).toMatchObject({ code: "invalid_settings" });
    expect(`${error.message}${error.hint}${JSON.stringify(error)}`).not.toContain("canary");
  });

  test("type a secret by a schema of the project", async () => {
    const lab = account();
    lab.write(join(lab.home, "schemas.mjs"), schemaModule("label_api"));
    await registerModule(join(lab.home, "schemas.mjs"), lab.where);
    await registerComponent({ type: "secrets_manager", name: "team", flavor: "cloud", settings: { region: "eu" } }, lab.where);
    await registerStack({ name: "prod", secretsManager: "team" }, lab.where);
    await using stack = await openStack({ ...lab.where, name: "prod" });
    await stack.secretsManager.registerSecret({ name: "label", schema: "label_api", values: { size: "3" } });
    expect((await stack.secretsManager.getSecret("label")).content).toEqual({ size: 3 });
  });
});

describe("119: registering a module", () => {
  test("makes its flavors listable and usable", async () => {
    const { where, home, write, config, json, registry } = account();
    write(join(home, "my/shelf.mjs"), flavorModule);
    expect(await registerModule("../../my/shelf.mjs", where)).toEqual({
      module: join(home, "my/shelf.mjs"),
      flavors: [{ type: "secrets_manager", name: "shelf" }],
      schemas: [],
    });
    expect(json(config)["modules"]).toEqual([join(home, "my/shelf.mjs")]);
    const modules = new ModuleRegistry(registry, modulesOf(readConfiguration(where)));
    await modules.load();
    expect(modules.flavors().map(({ name }) => name)).toContain("shelf");
    expect((await registerComponent({ type: "secrets_manager", name: "mine", flavor: "shelf" }, where)).component.flavor).toBe("shelf");
  });

  test("in a project it is named by its path inside, and the project stays trusted", async () => {
    const { where, project, write, json } = account();
    await initProject(where);
    write(join(project, "tools/shelf.mjs"), flavorModule);
    const report = await registerModule("tools/shelf.mjs", { ...where, in: "project" });
    expect(report.module).toBe("./tools/shelf.mjs");
    expect(json(join(project, "coffer.json"))["modules"]).toEqual(["./tools/shelf.mjs"]);
    expect(isTrusted(where)).toBe(true);
    await registerComponent({ type: "secrets_manager", name: "mine", flavor: "shelf" }, { ...where, in: "project" });
  });

  test("T104 what changes while it is registered is not trusted by that", async () => {
    const { where, project, write } = account();
    await initProject(where);
    const path = join(project, "shifty.mjs");
    write(path, `process.getBuiltinModule("node:fs").appendFileSync(${JSON.stringify(path)}, "// more");\n${plainModule("shifty")}`);
    await registerModule("shifty.mjs", { ...where, in: "project" });
    expect(isTrusted(where)).toBe(false);
  });

  test("a bad source, nothing in it, the wrong type and a duplicate are errors, and nothing is written", async () => {
    const { where, home, write, config } = account();
    expect(await failure(() => registerModule("acme.flavors.Shelf", where))).toMatchObject({ code: "not_found" });
    for (const [text, code] of [
      ["export {};", "invalid_settings"],
      ["export const flavor = { type: 'artifact_store', name: 'x', settings: {}, open() {} };", "invalid_settings"],
      ["this is no program", "invalid_settings"],
      [flavorModule.replace('"shelf"', '"cloud"'), "already_exists"],
      [plainModule("mysql"), "already_exists"],
    ] as const) {
      const path = join(home, `${Math.random()}.mjs`);
      write(path, text);
      expect(await failure(() => registerModule(path, where)), text).toMatchObject({ code });
    }
    expect(existsSync(config)).toBe(false);
    write(join(home, "shelf.mjs"), flavorModule);
    await registerModule(join(home, "shelf.mjs"), where);
    expect(await failure(() => registerModule(join(home, "shelf.mjs"), where))).toMatchObject({ code: "already_exists" });
    await initProject(where);
    expect(await failure(() => registerModule(join(home, "shelf.mjs"), { ...where, in: "project" }))).toMatchObject({ code: "untrusted" });
  });
});
