/**
 * AWS Secrets Manager for Coffer.
 * Importing this module makes the flavor known to the process; it loads neither the SDK nor zod, and connects to nothing.
 * @packageDocumentation
 */
import { registerIntegration } from "@coffer/core";
import integration from "./integration.ts";

registerIntegration(integration);

export { aws } from "./flavor.ts";
export { default, default as integration } from "./integration.ts";
export type { AwsCredentials, AwsKeyPair, AwsSettings, ExistingClient } from "./settings-types.ts";
