import { defineFlavor } from "@coffer/core";
import { plainSettings } from "./settings-types.ts";

/**
 * Secrets in an Azure Key Vault: `createSecretsManager(azure, { key_vault_name: "team-secrets" })` signs in as the Azure tools on this machine do.
 * The SDK is loaded when the first secret is asked for.
 */
export const azure = defineFlavor({
  name: "azure_key_vault",
  aliases: ["azure"],
  settings: async () => (await import("./settings.ts")).settingsSchema,
  checkPlainly: plainSettings,
  open: async (settings) => (await import("./driver.ts")).openAzureDriver(settings),
});
