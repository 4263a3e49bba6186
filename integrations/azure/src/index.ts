/**
 * Azure Key Vault as a secrets manager of Coffer, and the schema for Azure credentials.
 * Importing this module makes both known to the process; it loads neither the SDK nor zod, and reaches nothing.
 * @packageDocumentation
 */
import { registerIntegration } from "@coffer/core";
import integration from "./integration.ts";

registerIntegration(integration);

export { azure } from "./flavor.ts";
export { default, default as integration } from "./integration.ts";
export { type AzureCloud, type AzureCredentialKind, type AzureSettings, CLOUDS, CREDENTIAL_KINDS } from "./settings-types.ts";
