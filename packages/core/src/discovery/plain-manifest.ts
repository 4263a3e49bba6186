import { SPEC_VERSION } from "../spec.ts";
import type { Manifest } from "./manifest.ts";

/** What flavors and schemas of a manifest may be called. */
export const IDENTIFIER = /^[a-z][a-z0-9_]*$/;
/** A path inside the package: never a name to resolve, never a way out of the folder. */
export const ENTRY = /^\.\/(?!.*(?:^|\/)\.\.(?:\/|$))[\w./-]+\.[cm]?js$/;
/** The kinds of flavors that a manifest may announce. */
export const FLAVOR_TYPES = ["secrets_manager", "orchestrator"] as const;

type Flavor = Manifest["flavors"][number];

/**
 * The manifest when it is plainly right, so that looking for integrations loads no zod; `undefined` when the schema has to look. Takes nothing that the
 * schema refuses, and makes nothing else of it.
 */
export function plainManifest(value: unknown): Manifest | undefined {
  if (!isObject(value)) return undefined;
  const { specVersion, entry, flavors, schemas } = value;
  if (specVersion !== SPEC_VERSION || typeof entry !== "string" || !ENTRY.test(entry)) return undefined;
  if (!Array.isArray(flavors) || !isIdentifiers(schemas)) return undefined;
  const plain = flavors.map(plainFlavor);
  return plain.every((flavor) => flavor !== undefined) ? { specVersion, entry, flavors: plain, schemas } : undefined;
}

function plainFlavor(value: unknown): Flavor | undefined {
  if (!isObject(value)) return undefined;
  const { name, aliases = [] } = value;
  const type = FLAVOR_TYPES.find((known) => known === value["type"]);
  return type !== undefined && isIdentifier(name) && isIdentifiers(aliases) ? { type, name, aliases } : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isIdentifier(value: unknown): value is string {
  return typeof value === "string" && IDENTIFIER.test(value);
}

function isIdentifiers(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isIdentifier);
}
