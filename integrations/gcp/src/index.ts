/**
 * The Google Secret Manager flavor of Coffer.
 * Importing this module makes the flavor and the schema known to the process; it loads neither the SDK nor zod, and opens nothing.
 * @packageDocumentation
 */
import { registerIntegration } from "@coffer/core";
import integration from "./integration.ts";

registerIntegration(integration);

export { gcp } from "./flavor.ts";
export { default, default as integration } from "./integration.ts";
export type { ExistingAuth, ExistingClient, GcpSettings } from "./settings-types.ts";
