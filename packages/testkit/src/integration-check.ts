import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Integration, LazySecretSchema, SecretSchema } from "@coffer/core";
import { globalRegistry, loadSecretSchema, SecretsError } from "@coffer/core";
import { type DiscoveredIntegration, discoverPackages, loadIntegration } from "@coffer/core/discovery";
import { flavorProblems, schemaProblems } from "./integration-probes.ts";

/** How to look at an integration that is not built yet. */
export interface IntegrationCheckOptions {
  /** Imports the entry of the package; by default the file that its manifest names. Pass `() => import("../src/index.ts")` in a test that runs on sources. */
  readonly load?: () => Promise<{ readonly default?: unknown }>;
}

const INSTALL_SCRIPTS = ["preinstall", "install", "postinstall"];

/**
 * Holds a package against what an integration promises: that its manifest tells the same as its exports, that bundlers keep its registration,
 * that it installs without running code, and that its schemas convert text exactly.
 * @param packageDirectory the folder of its package.json
 * @returns one sentence per problem; nothing when all is well
 */
export async function integrationCheck(packageDirectory: string, options: IntegrationCheckOptions = {}): Promise<string[]> {
  const packageJson = JSON.parse(await readFile(join(packageDirectory, "package.json"), "utf8")) as PackageJson;
  const problems = packageProblems(packageJson);
  const { integrations, problems: invalid } = await discoverPackages([packageDirectory]);
  const [found] = integrations;
  if (found === undefined)
    return [...problems, invalid[0] === undefined ? 'package.json has no field "coffer".' : `package.json: ${invalid[0].reason}.`];
  problems.push(...entryProblems(packageJson, found));
  const loaded = await loadEntry(found, options);
  if (typeof loaded === "string") return [...problems, loaded];
  problems.push(...manifestProblems(packageJson, found, loaded));
  for (const flavor of loaded.flavors) problems.push(...(await flavorProblems(flavor)));
  for (const schema of loaded.schemas) problems.push(...(await broughtSchemaProblems(schema, found)));
  return problems;
}

async function broughtSchemaProblems(brought: SecretSchema | LazySecretSchema, found: DiscoveredIntegration): Promise<string[]> {
  try {
    return await schemaProblems(await loadSecretSchema(brought, `The package ${found.package}`));
  } catch (error) {
    return [textOf(error)];
  }
}

interface PackageJson {
  readonly name?: string;
  readonly type?: string;
  readonly sideEffects?: boolean | readonly string[];
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

function packageProblems({ type, scripts = {}, dependencies = {}, peerDependencies = {} }: PackageJson): string[] {
  const problems: string[] = [];
  if (type !== "module") problems.push('package.json says no "type": "module": the entry would not be loaded as an ES module.');
  for (const name of ["@coffer/core", "zod"]) {
    if (peerDependencies[name] === undefined)
      problems.push(`${name} is missing in peerDependencies: the application's copy is the one to use.`);
    if (dependencies[name] !== undefined) problems.push(`${name} stands in dependencies: every application would get a second copy.`);
  }
  for (const script of INSTALL_SCRIPTS) {
    if (scripts[script] !== undefined) problems.push(`The script "${script}" runs on every machine that installs the package.`);
  }
  return problems;
}

function entryProblems({ sideEffects }: PackageJson, { manifest }: DiscoveredIntegration): string[] {
  if (Array.isArray(sideEffects) && sideEffects.includes(manifest.entry)) return [];
  return [`"sideEffects" does not list the entry "${manifest.entry}": bundlers would drop the registration.`];
}

async function loadEntry(found: DiscoveredIntegration, options: IntegrationCheckOptions): Promise<Integration | string> {
  try {
    if (options.load === undefined) return await loadIntegration(found);
    // What the loader of core would find is looked at in the same way, below.
    const { default: integration } = await options.load();
    return isIntegration(integration) ? integration : "The entry has no integration as its default export.";
  } catch (error) {
    return `The entry "${found.manifest.entry}" could not be used: ${textOf(error)}`;
  }
}

/** What went wrong, with what the loader itself said: here the reader is the author. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return "it threw something that is no error.";
  const raw = SecretsError.isInstance(error) ? error.unsafeRaw() : undefined;
  return raw instanceof Error ? `${error.message} ${raw.message}` : error.message;
}

function isIntegration(value: unknown): value is Integration {
  return (
    typeof value === "object" &&
    value !== null &&
    "specVersion" in value &&
    "flavors" in value &&
    Array.isArray(value.flavors) &&
    "schemas" in value &&
    Array.isArray(value.schemas)
  );
}

function manifestProblems(packageJson: PackageJson, { manifest }: DiscoveredIntegration, integration: Integration): string[] {
  const problems: string[] = [];
  // Both types say 1; what was loaded may be of any time.
  const [told, spoken]: readonly number[] = [manifest.specVersion, integration.specVersion];
  if (spoken !== told) problems.push(`The manifest speaks version ${told} of the contract, the integration version ${spoken}.`);
  if (integration.package !== packageJson.name)
    problems.push(`The integration calls its package ${quoted(integration.package)}, package.json ${quoted(packageJson.name)}.`);
  const named = manifest.flavors.map(({ type, name, aliases }) => flavorLine(type, name, aliases));
  const brought = integration.flavors.map(({ type, name, aliases = [] }) => flavorLine(type, name, aliases));
  problems.push(...difference("flavor", named, brought));
  problems.push(
    ...difference(
      "schema",
      manifest.schemas,
      integration.schemas.map(({ type }) => type),
    ),
  );
  const registry = globalRegistry();
  const ours = (entry: { readonly package: string | null; readonly integration: string }): boolean =>
    entry.package === packageJson.name || entry.integration === integration.name;
  const flavors = new Set(
    registry
      .flavors()
      .filter(ours)
      .map(({ name }) => name),
  );
  const schemas = new Set(
    registry
      .schemas()
      .filter(ours)
      .map(({ type }) => type),
  );
  const missing = [
    ...integration.flavors.filter(({ name }) => !flavors.has(name)).map(({ name }) => `flavor "${name}"`),
    ...integration.schemas.filter(({ type }) => !schemas.has(type)).map(({ type }) => `schema "${type}"`),
  ];
  for (const what of missing)
    problems.push(`Importing the entry does not register the ${what}: registerIntegration(integration) is missing.`);
  return problems;
}

function flavorLine(type: string, name: string, aliases: readonly string[]): string {
  return `${type} ${name}${aliases.length === 0 ? "" : ` (aliases ${aliases.toSorted().join(", ")})`}`;
}

function difference(what: string, told: readonly string[], brought: readonly string[]): string[] {
  return [
    ...told
      .filter((item) => !brought.includes(item))
      .map((item) => `The manifest names the ${what} "${item}", which the integration does not bring.`),
    ...brought
      .filter((item) => !told.includes(item))
      .map((item) => `The integration brings the ${what} "${item}", which the manifest does not name.`),
  ];
}

function quoted(text: string | undefined): string {
  return text === undefined ? "nothing" : `"${text}"`;
}
