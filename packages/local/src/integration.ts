import { defineIntegration } from "@coffer/core";
import { local } from "./flavor.ts";

/** What this package brings: one flavor, no schemas. */
export default defineIntegration({ specVersion: 1, name: "local", package: "@coffer/local", flavors: [local], schemas: [] });
