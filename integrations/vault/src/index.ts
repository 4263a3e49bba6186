/**
 * HashiCorp Vault and OpenBao as a secrets manager of Coffer.
 * Importing this module makes the flavor known to the process; it loads no SDK and reaches nothing.
 * @packageDocumentation
 */
import { registerIntegration } from "@coffer/core";
import integration from "./integration.ts";

registerIntegration(integration);

export { vault } from "./flavor.ts";
export { default, default as integration } from "./integration.ts";
export { AUTH_METHODS, type ExistingClient, type VaultAuthMethod, type VaultSettings } from "./settings-types.ts";
