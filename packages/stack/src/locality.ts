import { checkSettings, type Locality, printable, type Registry, SecretsError } from "@coffer/core";
import { flavorOf } from "./flavors.ts";
import { type Component, typeInWords } from "./model.ts";

/** A component and where it lives. */
export interface PlacedComponent {
  readonly type: Component["type"];
  readonly name: string;
  readonly flavor: string;
  /** `undefined` when the flavor is not installed: then nobody can say. */
  readonly locality: Locality | undefined;
}

/** Where a component lives, by its flavor and settings. Of a flavor that is not installed nothing is known. */
export async function placeComponent(
  { type, name, flavor: flavorName, settings }: Component,
  registry: Registry,
): Promise<PlacedComponent> {
  const flavor = await flavorOf(registry, type, flavorName).catch((error: unknown) => {
    if (SecretsError.isInstance(error) && error.code === "unknown_flavor") return undefined;
    throw error;
  });
  const placed = { type, name, flavor: flavorName };
  if (flavor === undefined) return { ...placed, locality: undefined };
  // Settings with references do not pass as they are; where a component lives cannot hang on a secret.
  const { value = settings } = await checkSettings(flavor, settings);
  return { ...placed, locality: flavor.locality(value) };
}

/**
 * A remote orchestrator runs steps on other machines, which cannot reach what lives on this one.
 * @throws SecretsError `invalid_settings` naming component, type and flavor
 */
export function assertReachable(stack: string, orchestrator: PlacedComponent | undefined, others: readonly PlacedComponent[]): void {
  if (orchestrator?.locality !== "remote") return;
  const local = others.find(({ locality }) => locality === "local");
  if (local === undefined) return;
  const described = ({ type, name, flavor }: PlacedComponent): string => `${typeInWords(type)} "${printable(name)}" (flavor ${flavor})`;
  throw new SecretsError(
    "invalid_settings",
    `The stack "${printable(stack)}" cannot work: its ${described(orchestrator)} is remote and could not reach its ${described(local)}, which is local.`,
    { flavor: local.flavor, hint: `Use a remote ${typeInWords(local.type)}, or a local orchestrator.` },
  );
}

/** The rule for a stack that is defined in files. */
export async function assertStackReachable(
  { name, secretsManager, orchestrator }: { readonly name: string; readonly secretsManager?: Component; readonly orchestrator?: Component },
  registry: Registry,
): Promise<void> {
  if (secretsManager === undefined || orchestrator === undefined) return;
  const placed = await placeComponent(orchestrator, registry);
  // Most stacks end here: the flavor of the secrets manager need not be loaded.
  if (placed.locality === "remote") assertReachable(name, placed, [await placeComponent(secretsManager, registry)]);
}
