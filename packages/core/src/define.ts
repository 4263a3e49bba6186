import type { $ZodType, input as ZodInput, output as ZodOutput } from "zod/v4/core";
import { assertIdentifier } from "./identifier.ts";
import type { Integration, Locality, SecretsManagerDriver, SecretsManagerFlavor } from "./spec.ts";

/**
 * Describes a kind of secrets manager. `settings` is a zod object or a function that imports one; `open` gets its output, typed.
 * @throws TypeError when the name is not lower-case letters, digits and `_`
 */
export function defineFlavor<Schema extends $ZodType, const Place extends Locality = "remote">(flavor: {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly settings: Schema | (() => Promise<Schema>);
  checkPlainly?(settings: unknown): ZodOutput<Schema> | undefined;
  locality?(settings: ZodOutput<Schema>): Place;
  open(settings: ZodOutput<Schema>): Promise<SecretsManagerDriver>;
}): SecretsManagerFlavor<ZodOutput<Schema>, ZodInput<Schema>, Place> {
  for (const name of [flavor.name, ...(flavor.aliases ?? [])]) assertIdentifier("flavor", name);
  return {
    type: "secrets_manager",
    name: flavor.name,
    ...(flavor.aliases === undefined ? {} : { aliases: flavor.aliases }),
    // The union of both forms is the same at run time; only the output of the schema is known to callers.
    settings: flavor.settings as SecretsManagerFlavor<ZodOutput<Schema>>["settings"],
    // The settings were checked by the schema before anybody asks where the component lives. Without an answer of its own the flavor is remote, which is
    // what its type says then.
    locality: (settings) => flavor.locality?.(settings as ZodOutput<Schema>) ?? ("remote" as Place),
    ...(flavor.checkPlainly === undefined ? {} : { checkPlainly: (settings: unknown) => flavor.checkPlainly?.(settings) }),
    open: (settings) => flavor.open(settings),
  };
}

/** Describes what a package brings. The object does nothing by itself: `registerIntegration` or the manifest makes it known. */
export function defineIntegration(integration: Integration): Integration {
  return integration;
}
