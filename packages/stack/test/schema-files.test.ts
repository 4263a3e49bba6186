// The published JSON Schemas are made from what the code checks, and held against it. `UPDATE_SCHEMAS=1` writes them anew.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import * as mini from "zod/mini";
import { about, configSchema, projectSchema } from "../src/document-schema.ts";
import { documentProblems, schemaUrl } from "../src/document.ts";
import type { JsonObject } from "../src/source-file.ts";

const folder = join(import.meta.dirname, "../schema");
const files = [
  ["config.schema.json", "config", configSchema],
  ["coffer.schema.json", "project", projectSchema],
] as const;

const component = {
  type: "secrets_manager",
  name: "team",
  id: "0b0f6c0e-6f3a-4b6c-9d53-0d9d8a1c2e11",
  flavor: "aws",
  scope: "namespace",
  namespace: "a",
  settings: { region: "eu" },
};
const right: readonly JsonObject[] = [
  { version: 1 },
  { version: 1, $schema: "x", components: [component], stacks: [{ name: "prod", secrets_manager: "team", orchestrator: "default" }] },
  { version: 1, components: [{ ...component, settings: undefined, note: "kept" }], later: { more: true } },
];
const wrong: readonly JsonObject[] = [
  {},
  { version: 2 },
  { version: "1" },
  { version: 1, components: {} },
  { version: 1, components: [{ ...component, name: "-x" }] },
  { version: 1, components: [{ ...component, id: "7" }] },
  { version: 1, components: [{ ...component, flavor: "../../evil" }] },
  { version: 1, components: [{ ...component, scope: "world" }] },
  { version: 1, components: [{ ...component, type: "artifact_store" }] },
  { version: 1, components: [{ ...component, settings: "region=eu" }] },
  { version: 1, stacks: [{ secrets_manager: "team" }] },
  { version: 1, stacks: [{ name: "prod", secrets_manager: 7 }] },
  { version: 1, modules: "./a.mjs" },
];

describe.each(files)("%s", (file, kind, schema) => {
  const made = {
    ...(mini.toJSONSchema(schema, { metadata: about, io: "input" }) as Record<string, unknown>),
    $id: schemaUrl(kind),
  };

  test("is what the code checks", () => {
    if (process.env["UPDATE_SCHEMAS"] === "1") writeFileSync(join(folder, file), `${JSON.stringify(made, null, 2)}\n`);
    expect(JSON.parse(readFileSync(join(folder, file), "utf8"))).toEqual(made);
  });

  test("takes what the code takes and refuses what it refuses", async () => {
    const { $id: _id, ...published } = JSON.parse(readFileSync(join(folder, file), "utf8")) as Record<string, unknown>;
    const validator = z.fromJSONSchema(published);
    for (const document of right.map((one) => JSON.parse(JSON.stringify(one)) as JsonObject)) {
      expect(await documentProblems(document, kind)).toEqual([]);
      expect(validator.safeParse(document).success, JSON.stringify(document)).toBe(true);
    }
    for (const document of wrong) {
      expect(await documentProblems(document, kind), JSON.stringify(document)).not.toEqual([]);
      expect(validator.safeParse(document).success, JSON.stringify(document)).toBe(false);
    }
  });
});

test("T101 a project's schema refuses modules outside of it", async () => {
  for (const name of [
    "../x.mjs",
    "/x.mjs",
    "./a/../../x.mjs",
    "file:///x.mjs",
    "https://x/y.mjs",
    "data:text/javascript,1",
    "evil",
    "./x.js",
  ])
    expect(await documentProblems({ version: 1, modules: [name] }, "project"), name).toHaveLength(1);
  expect(await documentProblems({ version: 1, modules: ["./coffer.schemas.mjs", "./tools/a.mts"] }, "project")).toEqual([]);
});

test("names and ids that are there twice are told", async () => {
  const twin = { ...component, id: component.id.toUpperCase() };
  const stacks = [{ name: "a" }, { name: "a" }];
  expect(await documentProblems({ version: 1, components: [component, twin], stacks }, "config")).toEqual([
    'components[1].name: there are two of type secrets_manager called "team"',
    "components[1].id: there are two components with this id",
    'stacks[1].name: there are two stacks called "a"',
  ]);
});
