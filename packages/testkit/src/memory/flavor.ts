import { defineFlavor, defineIntegration } from "@coffer/core";
import { createMemoryService, type MemoryService } from "./service.ts";

/** The settings of the memory flavor. */
export interface MemorySettings {
  /** The service to open; without one, a manager gets a service of its own that dies with it. */
  readonly service?: MemoryService | undefined;
}

/**
 * Secrets in the memory of this process, for tests: `createSecretsManager(memory, {})`. Pass the same `service` to several managers and they
 * share it; make it with `createMemoryService` to switch capabilities off or to inject faults.
 */
export const memory = defineFlavor({
  name: "memory",
  settings: async () => (await import("./settings.ts")).memorySettings,
  locality: () => "local",
  open: async (settings: MemorySettings) => (settings.service ?? createMemoryService()).open(),
});

/** Brings the memory flavor. Registers nothing by itself: `registerIntegration(memoryIntegration)` does. */
export const memoryIntegration = defineIntegration({
  specVersion: 1,
  name: "memory",
  package: "@coffer/testkit",
  flavors: [memory],
  schemas: [],
});
