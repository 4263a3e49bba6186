import { defineFlavor } from "@coffer/core";
import { plainSettings } from "./settings-check.ts";

/**
 * Secrets in AWS Secrets Manager: `createSecretsManager(aws, { region: "eu-central-1" })`. Credentials come from where every AWS tool takes them:
 * the environment, the shared files, the role of the machine.
 */
export const aws = defineFlavor({
  name: "aws",
  settings: async () => (await import("./settings.ts")).settingsSchema,
  checkPlainly: plainSettings,
  open: async (settings) => (await import("./driver.ts")).openAwsDriver(settings),
});
