import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { defineIntegration, defineSecretSchema, type Integration, registerIntegration, type SecretSchema } from "@coffer/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { integrationCheck, memory } from "../src/index.ts";

let home = "";
let packages = 0;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "coffer-integration-"));
});
afterAll(() => rm(home, { recursive: true, force: true }));

type PackageJson = Readonly<Record<string, unknown>>;

/** The package.json of an integration as it should be, of a package of its own. */
function rightPackage(): PackageJson & { readonly name: string } {
  packages += 1;
  return {
    name: `acme-flavor-${packages}`,
    version: "1.2.3",
    type: "module",
    sideEffects: ["./dist/index.js"],
    peerDependencies: { "@coffer/core": "^1.0.0", zod: "^4.0.0" },
    coffer: {
      specVersion: 1,
      entry: "./dist/index.js",
      flavors: [{ type: "secrets_manager", name: "acme", aliases: ["acme_vault"] }],
      schemas: ["acme_token"],
    },
  };
}

const acmeToken = defineSecretSchema({ type: "acme_token", fields: z.object({ token: z.string(), verify: z.boolean().default(true) }) });

/** What the package brings, as it should be. */
function rightIntegration(name: string): Integration {
  return defineIntegration({
    specVersion: 1,
    name,
    package: name,
    flavors: [{ ...memory, name: "acme", aliases: ["acme_vault"] }],
    schemas: [acmeToken],
  });
}

/** Writes the package to a folder of its own. */
async function packageFolder(packageJson: PackageJson, files: Readonly<Record<string, string>> = {}): Promise<string> {
  const directory = await mkdtemp(join(home, "package-"));
  for (const [path, text] of Object.entries({ "package.json": JSON.stringify(packageJson), ...files })) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  return directory;
}

/** The problems of a package that is right but for what is changed here. */
async function problemsOf({
  packageJson = {},
  manifest = {},
  integration = {},
  register = true,
}: {
  readonly packageJson?: PackageJson;
  readonly manifest?: PackageJson;
  readonly integration?: Partial<Integration>;
  readonly register?: boolean;
}): Promise<string[]> {
  const right = rightPackage();
  const directory = await packageFolder({ ...right, coffer: { ...(right["coffer"] as PackageJson), ...manifest }, ...packageJson });
  const brought = { ...rightIntegration(right.name), ...integration };
  return integrationCheck(directory, {
    load: async () => {
      if (register) registerIntegration(brought);
      return { default: brought };
    },
  });
}

test("a right package has no problems", async () => {
  expect(await problemsOf({})).toEqual([]);
});

test("a right package that is built is imported by its manifest, and has none either", async () => {
  const packageJson = rightPackage();
  // What a bundler would leave of a tiny flavor: the registry of the process is shared through one symbol.
  const entry = `
    const flavor = { type: "secrets_manager", name: "acme", aliases: ["acme_vault"], settings: { _zod: { def: {} } }, locality: () => "remote", open: async () => { throw new Error("never"); } };
    const integration = { specVersion: 1, name: "acme", package: ${JSON.stringify(packageJson.name)}, flavors: [flavor], schemas: [] };
    const registry = globalThis[Symbol.for("@coffer/core/registry/1")];
    registry.flavors.push({ type: flavor.type, name: flavor.name, aliases: flavor.aliases, integration: "acme", package: integration.package, version: null, loaded: true, load: async () => flavor });
    export default integration;
  `;
  const manifest = { ...(packageJson["coffer"] as PackageJson), schemas: [] };
  expect(await integrationCheck(await packageFolder({ ...packageJson, coffer: manifest }, { "dist/index.js": entry }))).toEqual([]);
});

test("a package that is not built says what is missing", async () => {
  const [problem, ...others] = await integrationCheck(await packageFolder(rightPackage()));
  expect(others).toEqual([]);
  expect(problem).toMatch(
    /^The entry "\.\/dist\/index\.js" could not be used: The package acme-flavor-\d+ is installed, but its code could not be loaded\. .*index\.js/,
  );
});

test("a folder without a package.json is no package", async () => {
  await expect(integrationCheck(await mkdtemp(join(home, "empty-")))).rejects.toThrow("ENOENT");
});

test.each<[string, Parameters<typeof problemsOf>[0], string]>([
  [
    "is no ES module",
    { packageJson: { type: "commonjs" } },
    'package.json says no "type": "module": the entry would not be loaded as an ES module.',
  ],
  [
    "has no peer core",
    { packageJson: { peerDependencies: { zod: "^4.0.0" } } },
    "@coffer/core is missing in peerDependencies: the application's copy is the one to use.",
  ],
  [
    "has no peer zod",
    { packageJson: { peerDependencies: { "@coffer/core": "^1.0.0" } } },
    "zod is missing in peerDependencies: the application's copy is the one to use.",
  ],
  [
    "brings a core of its own",
    { packageJson: { dependencies: { "@coffer/core": "^1.0.0" } } },
    "@coffer/core stands in dependencies: every application would get a second copy.",
  ],
  [
    "runs code when it is installed",
    { packageJson: { scripts: { postinstall: "node build.js" } } },
    'The script "postinstall" runs on every machine that installs the package.',
  ],
  [
    "loses its registration in a bundle",
    { packageJson: { sideEffects: false } },
    '"sideEffects" does not list the entry "./dist/index.js": bundlers would drop the registration.',
  ],
  [
    "lists another file as its side effect",
    { packageJson: { sideEffects: ["./src/index.ts"] } },
    '"sideEffects" does not list the entry "./dist/index.js": bundlers would drop the registration.',
  ],
  ["has no manifest", { packageJson: { coffer: undefined } }, 'package.json has no field "coffer".'],
  [
    "has a manifest that leads out of the folder",
    { manifest: { entry: "../index.js" } },
    'package.json: the field "coffer" of its package.json is not valid at entry.',
  ],
  [
    "names a flavor that is not there",
    {
      manifest: {
        flavors: [
          { type: "secrets_manager", name: "acme", aliases: ["acme_vault"] },
          { type: "secrets_manager", name: "acme_two" },
        ],
      },
    },
    'The manifest names the flavor "secrets_manager acme_two", which the integration does not bring.',
  ],
  ["hides a schema", { manifest: { schemas: [] } }, 'The integration brings the schema "acme_token", which the manifest does not name.'],
  [
    "calls itself something else",
    { integration: { package: "acme-other" } },
    'The integration calls its package "acme-other", package.json "acme-flavor-',
  ],
])("a package that %s has a problem", async (_what, changes, problem) => {
  const problems = await problemsOf(changes);
  expect(problems).toEqual([expect.stringContaining(problem)]);
});

test("a package whose entry does not register it has a problem for each part", async () => {
  expect(await problemsOf({ register: false, integration: { name: "acme_unknown", package: "acme-unknown" } })).toEqual([
    expect.stringContaining("calls its package"),
    'Importing the entry does not register the flavor "acme": registerIntegration(integration) is missing.',
    'Importing the entry does not register the schema "acme_token": registerIntegration(integration) is missing.',
  ]);
});

test("a package without a default export has a problem, and so has one whose entry throws", async () => {
  const directory = await packageFolder(rightPackage());
  expect(await integrationCheck(directory, { load: async () => ({}) })).toEqual(["The entry has no integration as its default export."]);
  const failing = async (): Promise<never> => {
    throw new Error("The SDK is missing.");
  };
  expect(await integrationCheck(directory, { load: failing })).toEqual([
    'The entry "./dist/index.js" could not be used: The SDK is missing.',
  ]);
});

test("a package of another version of the contract has a problem", async () => {
  // As a package of the future would be; the types of today do not know it.
  const later = { specVersion: 2 as number as 1 };
  expect(await problemsOf({ integration: later, register: false })).toContain(
    "The manifest speaks version 1 of the contract, the integration version 2.",
  );
});

const settingsProblems = async (settings: unknown, more: object = {}): Promise<string[]> => {
  const flavor = { ...memory, name: "acme", aliases: ["acme_vault"], settings, ...more } as typeof memory;
  return problemsOf({ integration: { flavors: [flavor] } });
};

test("settings have problems when they cannot be loaded, are no schema, or take a name of ours", async () => {
  const failing = async (): Promise<never> => {
    throw new Error("no");
  };
  expect(await settingsProblems(failing)).toEqual(['The settings of the flavor "acme" cannot be loaded.']);
  expect(await settingsProblems({ url: "text" })).toEqual(['The settings of the flavor "acme" are no zod 4 schema.']);
  expect(await settingsProblems(z.object({ url: z.string(), namespace: z.string() }))).toEqual([
    'The flavor "acme" has a setting "namespace", which is the name of an option of every manager.',
  ]);
});

test("a plain check of settings has problems when it takes more than the schema, or makes something else of it", async () => {
  const settings = z.strictObject({ url: z.string().default("http://localhost") });
  expect(await settingsProblems(settings, { checkPlainly: () => undefined })).toEqual([]);
  const lax = await settingsProblems(settings, { checkPlainly: (given: unknown) => given });
  expect(lax).toContain("The flavor \"acme\" plainly takes settings that its schema refuses: { no_such_setting: 'x' }.");
  expect(lax).toContain('The flavor "acme" plainly takes settings that its schema refuses: { url: 1 }.');
  expect(lax).toContain('The flavor "acme" plainly makes something else of {} than its schema.');
});

test.each<[string, z.ZodType, readonly string[]]>([
  ["a plain boolean", z.boolean(), []],
  ["a plain number", z.number(), []],
  ["an optional text", z.string().optional(), []],
  ["a default", z.string().default("x"), []],
  [
    "text that becomes true by being there",
    z.string().transform(Boolean),
    [
      'takes "false" for true',
      'takes "0" for true',
      'takes "no" for true',
      'takes "off" for true',
      'takes "f" for true',
      'takes "n" for true',
      'takes "" for false',
      'takes " " for true',
      'takes "\\n" for true',
    ],
  ],
  ["text that becomes a number whatever it is", z.string().transform(Number), ['takes "" for 0', 'takes " " for 0', 'takes "\\n" for 0']],
  ["text that is made of anything", z.preprocess(String, z.string()), ["is required, and takes a missing value for one"]],
])("a schema with %s is probed", async (_what, field, problems) => {
  // Not through defineSecretSchema: an integration is plain data, and what it brings may come from anywhere.
  const schema = { type: "acme_token", fields: z.object({ field }) };
  expect(await problemsOf({ integration: { schemas: [schema] } })).toEqual(
    problems.map((problem) => `The key "field" of the schema "acme_token" ${problem}.`),
  );
});

test("a schema that calls a key public that it does not have has a problem", async () => {
  const schema = { ...acmeToken, publicKeys: ["user"] };
  expect(await problemsOf({ integration: { schemas: [schema] } })).toEqual([
    'The schema "acme_token" calls the key "user" public, and has no such key.',
  ]);
});

test("a schema that the package brings as something to load is loaded and probed like any other", async () => {
  const lax = { type: "acme_token", fields: z.object({ field: z.string().transform(Number) }) };
  const problemsOfLazy = (load: () => Promise<SecretSchema>) => problemsOf({ integration: { schemas: [{ type: "acme_token", load }] } });
  expect(await problemsOfLazy(async () => acmeToken)).toEqual([]);
  expect(await problemsOfLazy(async () => lax)).toContain('The key "field" of the schema "acme_token" takes "" for 0.');
  expect(await problemsOfLazy(async () => ({ ...acmeToken, type: "acme_other" }))).toEqual([
    expect.stringMatching(
      /^The package acme-flavor-\d+ announces the secret schema "acme_token", and loading it gives the schema "acme_other"\.$/,
    ),
  ]);
  const failing = async (): Promise<never> => {
    throw new Error("No such module.");
  };
  expect(await problemsOfLazy(failing)).toEqual([expect.stringMatching(/but it could not be loaded\. No such module\.$/)]);
});
