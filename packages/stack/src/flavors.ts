import {
  checkSettings,
  type ComponentFlavor,
  type OrchestratorFlavor,
  printable,
  type Registry,
  SecretsError,
  type SecretsManagerFlavor,
} from "@coffer/core";
import { commandOf, type ComponentSettings, type ComponentType, typeInWords } from "./model.ts";

/** A flavor that a stack can open. */
export type OpenableFlavor = SecretsManagerFlavor | OrchestratorFlavor;

/**
 * The flavor of a component. The local secrets manager is there without being registered, because the default stack is.
 * @throws SecretsError `unknown_flavor`, `flavor_ambiguous`
 */
export async function flavorOf(registry: Registry, type: ComponentType, name: string): Promise<OpenableFlavor> {
  let flavor: ComponentFlavor;
  try {
    flavor = await registry.flavor(type, name);
  } catch (error) {
    if (!SecretsError.isInstance(error) || error.code !== "unknown_flavor" || name !== "local") throw error;
    if (type === "orchestrator") throw missingOrchestrator();
    return (await import("@coffer/local")).local;
  }
  if (isOpenable(flavor, type)) return flavor;
  throw new SecretsError(
    "unknown_flavor",
    `The flavor "${printable(name)}" is not complete: its package is made for another version of Coffer.`,
  );
}

/** Whether a value is a flavor of this type. */
export function isOpenable(value: object, type: ComponentType): value is OpenableFlavor {
  return "type" in value && value.type === type && "settings" in value && "open" in value && typeof value.open === "function";
}

function missingOrchestrator(): SecretsError {
  return new SecretsError("unknown_flavor", "The local orchestrator is not installed.", {
    hint: "It comes with: npm install @coffer/pipelines",
  });
}

/**
 * Settings as the flavor opens them.
 * @throws SecretsError `invalid_settings` with everything that is wrong
 */
export async function checkedSettings(flavor: OpenableFlavor, settings: ComponentSettings, component: string): Promise<unknown> {
  const { value, problems } = await checkSettings(flavor, settings);
  if (problems === undefined) return value;
  const texts = problems.map(({ text }) => text).join("; ");
  throw new SecretsError(
    "invalid_settings",
    `The settings of the ${typeInWords(flavor.type)} "${printable(component)}" (flavor ${flavor.name}) are not valid: ${texts}.`,
    {
      flavor: flavor.name,
      keys: problems.flatMap(({ keys }) => keys),
      hint: `coffer ${commandOf(flavor.type)} describe ${printable(component)}`,
    },
  );
}
