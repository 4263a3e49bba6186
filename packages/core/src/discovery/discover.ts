import { readFileSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import type { Manifest } from "./manifest.ts";
import { plainManifest } from "./plain-manifest.ts";

/** An integration that was found by its manifest. No code of it has run. */
export interface DiscoveredIntegration {
  readonly package: string;
  readonly version: string;
  /** The folder of the package. */
  readonly directory: string;
  readonly manifest: Manifest;
}

/** A package that says it is an integration and cannot be used as one. */
export interface DiscoveryProblem {
  readonly package: string;
  readonly directory: string;
  readonly reason: string;
}

export interface Discovery {
  readonly integrations: readonly DiscoveredIntegration[];
  readonly problems: readonly DiscoveryProblem[];
}

interface PackageJson {
  readonly name?: unknown;
  readonly version?: unknown;
  readonly coffer?: unknown;
  readonly dependencies?: unknown;
  readonly devDependencies?: unknown;
  readonly optionalDependencies?: unknown;
}

const PACKAGE_NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;

/**
 * Finds the integrations among the direct dependencies of an application: reads its package.json, then the package.json of each dependency, walking
 * `node_modules` upward. Never resolves like an import (hidden exports would hide a package) and runs nothing.
 * @param root the folder of the application's package.json
 */
export async function discoverDependencies(root: string): Promise<Discovery> {
  const own = readPackage(root);
  if (own === undefined) return { integrations: [], problems: [] };
  const names = new Set(
    [own.dependencies, own.devDependencies, own.optionalDependencies].flatMap((section) =>
      typeof section === "object" && section !== null ? Object.keys(section) : [],
    ),
  );
  return discoverPackages([...names].filter((name) => PACKAGE_NAME.test(name)).flatMap((name) => findPackage(root, name) ?? []));
}

/** Reads the manifests of these package folders; folders without one are no integrations and left out. */
export async function discoverPackages(directories: Iterable<string>): Promise<Discovery> {
  const integrations: DiscoveredIntegration[] = [];
  const problems: DiscoveryProblem[] = [];
  for (const directory of directories) {
    const json = readPackage(directory);
    if (json?.coffer === undefined || typeof json.name !== "string") continue;
    const checked = await checkedManifest(json.coffer);
    if (typeof checked === "string") problems.push({ package: json.name, directory, reason: checked });
    else
      integrations.push({
        package: json.name,
        version: typeof json.version === "string" ? json.version : "0.0.0",
        directory,
        manifest: checked,
      });
  }
  return { integrations, problems };
}

/** The manifest, or what is wrong with it. zod is loaded to tell what is wrong, so that commands stay without it. */
async function checkedManifest(declared: unknown): Promise<Manifest | string> {
  const plain = plainManifest(declared);
  if (plain !== undefined) return plain;
  const { manifestSchema } = await import("./manifest.ts");
  const { data, error } = manifestSchema.safeParse(declared);
  if (error === undefined) return data;
  const places = new Set(error.issues.map(({ path }) => path.join(".") || "the top"));
  return `the field "coffer" of its package.json is not valid at ${[...places].join(", ")}`;
}

function findPackage(root: string, name: string): string | undefined {
  for (let folder = root; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (readPackage(candidate) !== undefined) return realpathSync(candidate);
    if (dirname(folder) === folder || !isAbsolute(folder)) return undefined;
  }
}

function readPackage(directory: string): PackageJson | undefined {
  try {
    const json: unknown = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
    return typeof json === "object" && json !== null ? json : undefined;
  } catch {
    // A folder without a readable package.json is no package; what else is wrong with it is not for discovery to say.
    return undefined;
  }
}
