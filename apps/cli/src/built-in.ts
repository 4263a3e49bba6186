import type { AnnouncedIntegration } from "@coffer/core";
import localPackage from "@coffer/local/package.json" with { type: "json" };

/** The flavors that come with the CLI itself, announced like any other, so that listing them loads none. */
export const builtInFlavors: AnnouncedIntegration = {
  integration: "built-in",
  package: localPackage.name,
  version: localPackage.version,
  flavors: [{ type: "secrets_manager", name: "local" }],
  schemas: [],
  load: async () => (await import("@coffer/local")).integration,
};
