// The part that a program pays for when it starts for one secret.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import * as everything from "../src/index.ts";
import * as reading from "../src/read.ts";
import { currentStack, findComponent, managerOpening, readConfiguration, trustProject } from "../src/index.ts";
import { account, runProgram, sourceUrl } from "./laboratory.ts";

const source = join(import.meta.dirname, "../src");

/** Everything that a module imports for its value, at once or through others. */
function importsOf(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = readFileSync(file, "utf8").replaceAll(/(?:import|export) type [^;]+;/g, "");
  for (const [, specifier = ""] of text.matchAll(/(?:from|import) "([^"]+)"/g)) {
    if (specifier.startsWith(".")) importsOf(join(dirname(file), specifier), seen);
    else seen.add(specifier);
  }
  return seen;
}

test("needs core, files and paths, and no more", () => {
  const imports = [...importsOf(join(source, "read.ts"))].map((name) => name.replace(`${source}/`, "")).toSorted();
  expect(imports).toEqual([
    "@coffer/core",
    "configuration.ts",
    "damage.ts",
    "directories.ts",
    "model.ts",
    "node:fs",
    "node:path",
    "opening.ts",
    "project.ts",
    "read.ts",
    "source-file.ts",
  ]);
});

test("what it exports is the same that the whole package exports", () => {
  for (const [name, value] of Object.entries(reading)) expect((everything as Record<string, unknown>)[name], name).toBe(value);
});

test("loads neither zod nor node:crypto where there is no project", async () => {
  const { home, project, config, write } = account();
  write(config, { version: 1, components: [], stacks: [{ name: "work", secrets_manager: "default" }] });
  const program = `import { registerHooks } from "node:module";
    const before = new Set(process.moduleLoadList);
    const files = [];
    registerHooks({ load(url, context, next) { files.push(url); return next(url, context); } });
    const { readConfiguration, currentStack, managerOpening } = await import(${JSON.stringify(sourceUrl("read.ts"))});
    const { secretsManager } = currentStack(readConfiguration(), "work");
    console.log(JSON.stringify({ opening: managerOpening(secretsManager), zod: files.some((url) => /zod/.test(url)), crypto: process.moduleLoadList.some((name) => name === "NativeModule crypto" && !before.has(name)) }));`;
  const { stdout, stderr } = await runProgram(program, { HOME: home }, project);
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({
    opening: { flavor: "local", settings: {}, options: { scope: "global", componentId: "00000000-0000-4000-8000-000000000001" } },
    zod: false,
    crypto: false,
  });
});

test("answers the same as after the full check, for all that the full check takes", async () => {
  const { where, project, config, write } = account();
  const id = "0b0f6c0e-6f3a-4b6c-9d53-0d9d8a1c2e11";
  const components = [
    { type: "secrets_manager", name: "a", id, flavor: "aws" },
    {
      type: "secrets_manager",
      name: "b",
      id: id.replace("0b", "1b").toUpperCase(),
      flavor: "x_1",
      scope: "none",
      namespace: "",
      settings: { deep: { list: [1] } },
      more: 1,
    },
    { type: "orchestrator", name: "a", id: id.replace("0b", "2b"), flavor: "pgboss", settings: {} },
  ];
  write(config, { version: 1, components });
  write(join(project, "coffer.json"), {
    version: 1,
    components,
    stacks: [{ name: "s", secrets_manager: "b", orchestrator: "a", more: true }],
  });
  await trustProject(where);
  const configuration = readConfiguration(where);
  expect(currentStack(configuration, "s")).toMatchObject({
    secretsManager: { name: "b", scope: "none", settings: { deep: { list: [1] } } },
    orchestrator: { flavor: "pgboss" },
  });
  expect(managerOpening(findComponent(configuration, "secrets_manager", "a"), where.env)).toMatchObject({
    flavor: "aws",
    settings: {},
    options: { scope: "global" },
  });
});

test("T45, T106 nothing here runs another program or opens a connection", () => {
  const builtIn = [...importsOf(join(source, "index.ts"))].filter((name) => name.startsWith("node:")).toSorted();
  expect(builtIn).toEqual(["node:buffer", "node:crypto", "node:fs", "node:module", "node:os", "node:path", "node:url", "node:util"]);
});
