import { defineFlavor } from "@coffer/core";
import { plainSettings } from "./settings-types.ts";

/**
 * Secrets in one encrypted file on this machine. It needs no account, no server and no settings:
 * `createSecretsManager(local, {})` keeps its store under the user's data directory.
 */
export const local = defineFlavor({
  name: "local",
  settings: async () => (await import("./settings.ts")).settingsSchema,
  checkPlainly: plainSettings,
  locality: () => "local",
  open: async (settings) => (await import("./driver.ts")).openLocalDriver(settings),
});
