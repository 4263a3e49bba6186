import { inspect } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { defineFlavor, defineIntegration } from "../define.ts";
import { defineSecretSchema } from "../schema/define.ts";
import type { Integration, LazySecretSchema, SecretSchema } from "../spec.ts";
import { createRegistry } from "./global.ts";

const flavor = (name: string, aliases: string[] = []) =>
  defineFlavor({ name, aliases, settings: z.strictObject({}), open: async () => Promise.reject(new Error("not opened here")) });
const schema = (type: string) => defineSecretSchema({ type, fields: z.object({ a: z.string() }) });
const integration = (name: string, more: Partial<Integration> = {}) =>
  defineIntegration({ specVersion: 1, name, flavors: [flavor("keeper", ["keep"])], schemas: [schema("keeper")], ...more });

test("checklist 36 37: what an integration brings is found by name, alias and type; built-in schemas are there", async () => {
  const registry = createRegistry();
  registry.add(integration("acme"));
  expect((await registry.flavor("secrets_manager", "keep")).name).toBe("keeper");
  expect((await registry.schema("keeper"))?.type).toBe("keeper");
  expect(registry.schemas().map((entry) => entry.type)).toEqual(["arbitrary", "basic_auth", "keeper", "mysql"]);
});

test("the same package twice is one; another package with the same name fails when it is used, naming both", async () => {
  const registry = createRegistry();
  registry.add(integration("acme", { package: "@acme/keeper" }));
  registry.add(integration("acme", { package: "@acme/keeper" }));
  expect(registry.flavors()).toHaveLength(1);
  expect(() => registry.add(integration("other", { package: "@other/keeper" }))).not.toThrow();
  await expect(registry.flavor("secrets_manager", "keeper")).rejects.toMatchObject({
    code: "flavor_ambiguous",
    message: expect.stringMatching(/@acme\/keeper and @other\/keeper/),
  });
  await expect(registry.schema("keeper")).rejects.toMatchObject({ code: "flavor_ambiguous" });
});

test("an announced integration is imported only when it is used, once, and an import of the program takes its place", async () => {
  const registry = createRegistry();
  const load = vi.fn<() => Promise<Integration>>(async () => integration("acme", { package: "@acme/keeper" }));
  registry.announce({
    integration: "acme",
    package: "@acme/keeper",
    version: "1.2.0",
    flavors: [{ type: "secrets_manager", name: "keeper", aliases: ["keep"] }],
    schemas: ["keeper"],
    load,
  });
  expect(registry.flavors()).toEqual([
    { type: "secrets_manager", name: "keeper", aliases: ["keep"], integration: "acme", package: "@acme/keeper", version: "1.2.0" },
  ]);
  expect(load).not.toHaveBeenCalled();
  await registry.flavor("secrets_manager", "keeper");
  await registry.schema("keeper");
  expect(load).toHaveBeenCalledTimes(1);
  registry.add(integration("acme"));
  expect(registry.flavors()).toHaveLength(1);
});

describe("a schema that an integration brings as something to load", () => {
  type Load = LazySecretSchema["load"];
  /** Two registries: one in which the program has added the integration, one that knows it by its manifest. */
  const registries = (load: Load) => {
    const lazy = integration("acme", { package: "@acme/keeper", schemas: [{ type: "keeper", load }] });
    const [added, announced] = [createRegistry(), createRegistry()];
    added.add(lazy);
    announced.announce({
      integration: "acme",
      package: "@acme/keeper",
      version: "1.2.0",
      flavors: [],
      schemas: ["keeper"],
      load: async () => lazy,
    });
    return [added, announced] as const;
  };

  test("is loaded when it is used, not when it is listed", async () => {
    const keeper = schema("keeper");
    const load = vi.fn<Load>(async () => keeper);
    for (const [index, registry] of registries(load).entries()) {
      expect(registry.schemas().map((entry) => entry.type)).toContain("keeper");
      expect(load).toHaveBeenCalledTimes(index);
      expect(await registry.requireSchema("keeper")).toBe(keeper);
    }
  });

  // What a package without types may give.
  const nothing = async () => undefined as unknown as SecretSchema;
  const noSchema = async () => ({ type: "keeper" }) as unknown as SecretSchema;
  test.each<[string, Load, string]>([
    ["another type", async () => schema("other"), 'and loading it gives the schema "other".'],
    ["nothing", nothing, "and loading it gives no schema."],
    ["something else", noSchema, "and loading it gives no schema."],
  ])("is an error when %s comes", async (_what, load, problem) => {
    for (const registry of registries(load))
      await expect(registry.schema("keeper")).rejects.toMatchObject({
        code: "unknown_schema",
        message: `The package @acme/keeper announces the secret schema "keeper", ${problem}`,
      });
  });

  test("is an error when it cannot be loaded, without the text of what was thrown, and is loaded at the next use", async () => {
    const load = vi.fn<Load>(async () => schema("keeper"));
    for (const registry of registries(load)) {
      load.mockRejectedValueOnce(new RangeError("s3cret"));
      const error: unknown = await registry.schema("keeper").catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: "unknown_schema",
        message: expect.stringContaining("could not be loaded"),
        cause: { name: "RangeError" },
      });
      expect(inspect(error)).not.toContain("s3cret");
      expect((await registry.schema("keeper"))?.type).toBe("keeper");
    }
  });

  test("is named after its integration when no package is known", async () => {
    const registry = createRegistry();
    registry.add(integration("acme", { schemas: [{ type: "keeper", load: nothing }] }));
    await expect(registry.schema("keeper")).rejects.toMatchObject({ message: expect.stringMatching(/^The integration "acme" announces/) });
  });
});

test("T107: a flavor that is not installed fails with the install command and the known names", async () => {
  const registry = createRegistry();
  registry.add(integration("acme"));
  await expect(registry.flavor("secrets_manager", "gcp_secrets_manager")).rejects.toMatchObject({
    code: "unknown_flavor",
    hint: expect.stringMatching(/Known: keeper\..*npm install @coffer\/gcp$/),
  });
  await expect(registry.flavor("secrets_manager", "x; rm -rf ~")).rejects.toMatchObject({ code: "unknown_flavor", hint: "Known: keeper." });
});

test("checklist 38: an unknown schema lists the known ones and says what to install", async () => {
  await expect(createRegistry().requireSchema("aws")).rejects.toMatchObject({
    code: "unknown_schema",
    hint: expect.stringMatching(/arbitrary, basic_auth, mysql.*npm install @coffer\/aws/),
  });
});

test.each([
  ["keepr", "Did you mean keeper? Known: keeper."],
  ["Keeper", "Did you mean keeper? Known: keeper."],
  ["kepe", "Did you mean keep? Known: keeper."],
  ["gcp", "Known: keeper."],
])("the flavor %s, which is not known, is compared to the names and aliases that are", async (name, hint) => {
  const registry = createRegistry();
  registry.add(integration("acme"));
  await expect(registry.flavor("secrets_manager", name)).rejects.toMatchObject({
    code: "unknown_flavor",
    hint: expect.stringMatching(new RegExp(`^${hint.replaceAll(/[?.]/g, String.raw`\$&`)}`)),
  });
});

test("a flavor that a manifest announces and the package does not bring is not called uninstalled", async () => {
  const registry = createRegistry();
  const flavors = [{ type: "secrets_manager", name: "vanished" } as const];
  const announced = { integration: "acme", package: "@acme/keeper", version: "1.0.0", flavors, schemas: [] };
  registry.announce({ ...announced, load: async () => integration("acme") });
  await expect(registry.flavor("secrets_manager", "vanished")).rejects.toMatchObject({
    code: "unknown_flavor",
    message: 'The package @acme/keeper announces the flavor "vanished" and does not bring it.',
  });
});

test("a schema that is nearly known is named", async () => {
  await expect(createRegistry().requireSchema("mysq")).rejects.toMatchObject({
    hint: expect.stringMatching(/^Did you mean mysql\? Known:/),
  });
});

test("checklist 44: a program that registers a type again replaces it, with a warning", async () => {
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
  const registry = createRegistry();
  const [first, second] = [schema("mine"), schema("mine")];
  registry.addSchema(first);
  registry.addSchema(second);
  expect(await registry.schema("mine")).toBe(second);
  expect(warn).toHaveBeenCalledOnce();
});

test("an integration for another version of the contract is refused", () => {
  // A package that is newer than this program: its types say 2, which is why this cannot be written without a cast.
  const newer = { ...integration("acme"), specVersion: 2 } as unknown as Integration;
  expect(() => createRegistry().add(newer)).toThrow(expect.objectContaining({ code: "unsupported" }));
});
