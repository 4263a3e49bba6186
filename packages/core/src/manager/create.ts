import { SecretsError } from "../errors/secrets-error.ts";
import { globalRegistry } from "../registry/global.ts";
import type { SecretsManagerFlavor } from "../spec.ts";
import { SecretsManager } from "./secrets-manager.ts";
import type { SecretsManagerOptions } from "./types.ts";

/**
 * Makes a manager of a flavor that the program imports itself; no registry is involved. The settings are checked, and the service is opened,
 * when the manager is first used.
 * @throws SecretsError `invalid_settings` when the scope and what it needs do not fit
 */
export function createSecretsManager<Settings, SettingsInput>(
  flavor: SecretsManagerFlavor<Settings, SettingsInput>,
  settings: SettingsInput,
  options: SecretsManagerOptions = {},
): SecretsManager {
  // The manager hands the flavor what its own schema made of the settings; only the flavor knows their type.
  return new SecretsManager(flavor, settings, options);
}

/**
 * Makes a manager of the flavor that the settings name, looked up in the registry: what was imported for its side effect, or announced by discovery.
 * @throws SecretsError `unknown_flavor` with the install command, `flavor_ambiguous`, `invalid_settings`
 */
export async function openSecretsManager(
  settings: Readonly<Record<string, unknown>> & { readonly flavor: string },
  options: SecretsManagerOptions = {},
): Promise<SecretsManager> {
  const { flavor: name, ...rest } = settings;
  const flavor = await (options.registry ?? globalRegistry()).flavor("secrets_manager", name);
  if (!isSecretsManagerFlavor(flavor)) throw new SecretsError("unknown_flavor", `"${name}" is no flavor of a secrets manager.`);
  return new SecretsManager(flavor, rest, options);
}

function isSecretsManagerFlavor(flavor: { readonly type: string }): flavor is SecretsManagerFlavor {
  return flavor.type === "secrets_manager" && "open" in flavor && typeof flavor.open === "function";
}
