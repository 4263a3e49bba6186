import { createSecretsManager, type SecretsManagerOptions, type SecretsManager } from "@coffer/core";
import { afterEach } from "vitest";
import { vault } from "../src/flavor.ts";
import type { VaultSettings } from "../src/settings-types.ts";
import type { RealServer } from "./real-server.ts";

/** The server once it runs. Throws before. */
export type Running = () => RealServer;

/** Opens a manager on the server; in a namespace of its own, unless the options say otherwise. */
export type OpenManager = (settings: VaultSettings, options?: SecretsManagerOptions) => SecretsManager;

/** Opens managers for the tests of the group that calls it, and closes them after each. */
export function managersOn(running: Running): OpenManager {
  const open: SecretsManager[] = [];
  afterEach(async () => {
    for (const manager of open.splice(0)) await manager.close();
  });
  return (settings, options = { scope: "namespace", namespace: crypto.randomUUID() }) => {
    const manager = createSecretsManager(vault, { address: running().url, max_retries: 1, ...settings }, options);
    open.push(manager);
    return manager;
  };
}
