import { type Integration, type SecretSchema, SPEC_VERSION } from "../spec.ts";
import { createRegistryState, Registry, type RegistryState } from "./registry.ts";

const SLOT = Symbol.for(`@coffer/core/registry/${SPEC_VERSION}`);

/** The registry of this process. All copies of core that speak the same contract share it. */
export function globalRegistry(): Registry {
  const holder = globalThis as { [SLOT]?: RegistryState };
  return new Registry((holder[SLOT] ??= createRegistryState()));
}

/** A registry of its own, for tests and for hosts that want isolation: pass it as the option `registry`. */
export function createRegistry(): Registry {
  return new Registry();
}

/** Makes an integration known to this process: the one statement with an effect in the entry of every integration. */
export function registerIntegration(integration: Integration): void {
  globalRegistry().add(integration);
}

/** Makes a schema of the application known by its type. Registering a type again replaces it, with a warning. */
export function registerSecretSchema(schema: SecretSchema): void {
  globalRegistry().addSchema(schema);
}
