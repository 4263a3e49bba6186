import { defineIntegration } from "@coffer/core";
import { azure } from "./flavor.ts";

/** What this package brings: the flavor `azure_key_vault` and the schema `azure`. */
export default defineIntegration({
  specVersion: 1,
  name: "azure",
  package: "@coffer/azure",
  flavors: [azure],
  schemas: [{ type: "azure", load: async () => (await import("./schemas.ts")).azureSchema }],
});
