import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { SecretsError } from "../errors/secrets-error.ts";
import type { Registry } from "../registry/registry.ts";
import { type Integration, SPEC_VERSION } from "../spec.ts";
import type { DiscoveredIntegration } from "./discover.ts";

const SPOKEN = String(SPEC_VERSION);

/** Makes discovered integrations known to a registry. Their code runs when one of their flavors or schemas is first used. */
export function announceDiscovered(registry: Registry, discovered: Iterable<DiscoveredIntegration>): void {
  for (const found of discovered) {
    const { manifest } = found;
    registry.announce({
      integration: found.package,
      package: found.package,
      version: found.version,
      flavors: manifest.flavors,
      schemas: manifest.schemas,
      load: () => loadIntegration(found),
    });
  }
}

/**
 * Imports an integration by the path of its entry and checks that it is one.
 * @throws SecretsError `unknown_flavor` when the package cannot be used, `unsupported` when it speaks another version of the contract
 */
export async function loadIntegration(found: DiscoveredIntegration): Promise<Integration> {
  let module: { readonly default?: unknown };
  try {
    module = await import(pathToFileURL(join(found.directory, found.manifest.entry)).href);
  } catch (error) {
    throw new SecretsError("unknown_flavor", `The package ${found.package} is installed, but its code could not be loaded.`, {
      hint: `Install it again: npm install ${found.package}`,
      cause: error instanceof Error ? { name: error.name } : undefined,
      raw: error,
    });
  }
  const integration = module.default;
  if (!isIntegration(integration))
    throw new SecretsError("unknown_flavor", `The package ${found.package} has no integration as its default export.`, {
      hint: "Tell the author of the package.",
    });
  if (integration.specVersion !== SPEC_VERSION) {
    throw new SecretsError(
      "unsupported",
      `The package ${found.package} speaks another version of the contract than this program, which speaks version ${SPOKEN}.`,
      { hint: "Update whichever of the two is older." },
    );
  }
  return integration;
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
