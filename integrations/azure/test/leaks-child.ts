// Uses a vault in every way that goes wrong, as a program with all debugging on would. Its parent searches what it prints.
import { createSecretsManager } from "@coffer/core";
import { inspect } from "node:util";
import { azure } from "../src/index.ts";
import type { AzureSettings } from "../src/settings-types.ts";

const { settings, canary } = JSON.parse(process.env["COFFER_TEST_INPUT"] ?? "") as {
  readonly settings: AzureSettings;
  readonly canary: string;
};
delete process.env["COFFER_TEST_INPUT"];
const manager = createSecretsManager(azure, settings);
const values = { password: canary, lines: `${canary}\n${canary}` };
for (const act of [
  () => manager.registerSecret({ name: "child", values }),
  () => manager.registerSecret({ name: "child", values }),
  () => manager.getSecret("child"),
  () => manager.replaceSecret({ name: "child", schema: "arbitrary", values }),
  () => Array.fromAsync(manager.listSecrets()),
  () => manager.deleteSecret("child"),
  () => manager.registerSecret({ name: "child", values }),
  () => manager.restoreSecret("child"),
  () => manager.getSecret("child"),
]) {
  try {
    console.log(await act());
  } catch (error) {
    console.error(error, inspect(error, { depth: 12, showHidden: true }), JSON.stringify(error), (error as Error).cause);
  }
}
await manager.close();
