import { defineIntegration } from "@coffer/core";
import { gcp } from "./flavor.ts";

/** What this package brings: one flavor and one secret schema. */
export default defineIntegration({
  specVersion: 1,
  name: "gcp",
  package: "@coffer/gcp",
  flavors: [gcp],
  schemas: [{ type: "gcp", load: async () => (await import("./schemas.ts")).gcpSchema }],
});
