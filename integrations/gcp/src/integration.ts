import { defineIntegration } from "@coffer/core";
import { gcp } from "./flavor.ts";
import { gcpSchema } from "./schemas.ts";

/** What this package brings: one flavor and one secret schema. */
export default defineIntegration({ specVersion: 1, name: "gcp", package: "@coffer/gcp", flavors: [gcp], schemas: [gcpSchema] });
