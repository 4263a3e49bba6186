import { defineIntegration } from "@coffer/core";
import { vault } from "./flavor.ts";

/** What this package brings: the flavor `vault`. */
export default defineIntegration({
  specVersion: 1,
  name: "vault",
  package: "@coffer/vault",
  flavors: [vault],
  schemas: [],
});
