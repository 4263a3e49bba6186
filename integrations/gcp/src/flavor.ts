import { defineFlavor } from "@coffer/core";
import { isLoopbackEndpoint } from "./endpoint.ts";
import { plainSettings } from "./settings-types.ts";

/**
 * Secrets in Google Secret Manager: `createSecretsManager(gcp, { project: "my-project" })`. Credentials come from where every Google tool takes them
 * (Application Default Credentials).
 */
export const gcp = defineFlavor({
  name: "gcp_secrets_manager",
  aliases: ["gcp"],
  settings: async () => (await import("./settings.ts")).settingsSchema,
  checkPlainly: plainSettings,
  locality: ({ endpoint }) => (endpoint !== undefined && isLoopbackEndpoint(endpoint) ? "local" : "remote"),
  open: async (settings) => (await import("./driver.ts")).openGcpDriver(settings),
});
