// Uses a Vault in every way that goes wrong, as a program with all debugging on would. Its parent searches what it prints.
import { inspect } from "node:util";
import { createSecretsManager } from "@coffer/core";
import { vault } from "../src/index.ts";
import type { VaultSettings } from "../src/settings-types.ts";

const { settings, canary } = JSON.parse(process.env["COFFER_TEST_INPUT"] ?? "") as {
  readonly settings: VaultSettings;
  readonly canary: string;
};
delete process.env["COFFER_TEST_INPUT"];
const manager = createSecretsManager(vault, settings, { timeoutMs: 5_000 });
const values = { password: canary, lines: `${canary}\n${canary}` };
for (const act of [
  () => manager.registerSecret({ name: "child", values }),
  () => manager.registerSecret({ name: "child", values }),
  () => manager.getSecret("child"),
  () => manager.updateSecret("child", { values: { more: canary } }),
  () => manager.replaceSecret({ name: "child", schema: "arbitrary", values }),
  () => Array.fromAsync(manager.listSecrets()),
  () => Array.fromAsync(manager.getSecrets(["child", "absent"])),
  () => manager.deleteSecret("child"),
  () => manager.getSecret("child"),
]) {
  try {
    console.log(await act());
  } catch (error) {
    console.error(error, inspect(error, { depth: 12, showHidden: true }), JSON.stringify(error), (error as Error).cause);
  }
}
console.log(inspect(manager, { depth: 12, showHidden: true }));
await manager.close();
