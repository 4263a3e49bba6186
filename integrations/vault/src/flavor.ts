import { defineFlavor } from "@coffer/core";
import { plainSettings } from "./settings-check.ts";

/**
 * Secrets in the KV engine of HashiCorp Vault or OpenBao: `createSecretsManager(vault, { address: "https://vault.example:8200" })` signs in as the `vault`
 * command on this machine does. The SDK is loaded when the first secret is asked for.
 */
export const vault = defineFlavor({
  name: "vault",
  settings: async () => (await import("./settings.ts")).settingsSchema,
  checkPlainly: plainSettings,
  open: async (settings) => (await import("./driver.ts")).openVaultDriver(settings),
});
