import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SecretsManagerDriver } from "@coffer/core";
import { AzureEmulator } from "@coffer/emulators/azure/server";
import type { ConformanceSubject, OpenedSubject } from "@coffer/testkit";
import { AZURE_CAPABILITIES, openAzureDriver } from "../src/driver.ts";
import { serviceName } from "../src/names.ts";
import type { AzureSettings } from "../src/settings-types.ts";

/** An emulator, a token that its vault takes, and the settings that lead there. */
export interface OpenedAzure extends OpenedSubject {
  readonly emulator: AzureEmulator;
  readonly token: string;
  readonly settings: AzureSettings;
}

const folder = mkdtempSync(join(tmpdir(), "coffer-azure-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** A file of this test run; taken away at its end. */
export function fileOf(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, 0o600);
  return path;
}

/** The settings that lead to an emulator, with a token that was asked for beforehand. */
export function settingsOf(emulator: AzureEmulator, token = emulator.entra.issue()): AzureSettings & { readonly access_token: string } {
  return {
    vault_url: emulator.url,
    access_token: token,
    ca_file: fileOf("ca.pem", emulator.ca),
    verify_challenge: false,
  };
}

/** An emulator and a driver on it. */
export async function openAzure(settings: Partial<AzureSettings> = {}): Promise<OpenedAzure> {
  const emulator = await AzureEmulator.start();
  const own = settingsOf(emulator);
  const all = { ...own, ...settings };
  const driver: SecretsManagerDriver = await openAzureDriver(all);
  return { emulator, token: own.access_token, settings: all, driver, dispose: () => emulator.stop() };
}

/** The flavor as the conformance suite needs it, on the emulator. */
export const azureSubject: ConformanceSubject<OpenedAzure> = {
  flavor: "azure_key_vault",
  capabilities: AZURE_CAPABILITIES,
  open: () => openAzure(),
  second: ({ settings }) => openAzureDriver(settings),
  credentials: ({ token }) => [token],
  listingSize: 60,
  faults: {
    deny: ({ emulator }) => emulator.server.faults.inject({ kind: "deny" }),
    refuse: ({ emulator }, name) => emulator.server.faults.inject({ kind: "deny", name: serviceName(name, "namespace") }),
    unauthenticated: ({ emulator }) => emulator.server.faults.inject({ kind: "unauthenticated" }),
    unreachable: ({ emulator }) => emulator.server.disconnect(),
    throttle: ({ emulator }, times) => emulator.server.faults.inject({ kind: "throttle", times }),
    hang: ({ emulator }) => emulator.server.faults.inject({ kind: "hang" }),
    failPage: ({ emulator }, page) => emulator.server.faults.inject({ kind: "fail_page", page }),
    loseAnswer: ({ emulator }) => emulator.server.faults.inject({ kind: "reset_after_write", times: 1 }),
    echo: ({ emulator }) => emulator.server.faults.inject({ kind: "echo" }),
    garble: ({ emulator }) => emulator.server.faults.inject({ kind: "html", status: 200 }),
  },
  outOfBand: {
    values: ({ emulator }, name, values) => void emulator.vault.set(name, { value: JSON.stringify(values) }),
    text: ({ emulator }, name, text) => void emulator.vault.set(name, { value: text }),
    within: ({ emulator }, name, values) => void emulator.vault.set(serviceName(name, "namespace"), { value: JSON.stringify(values) }),
    disable: ({ emulator }, name) => {
      const inVault = serviceName(name, "namespace");
      emulator.vault.update(inVault, emulator.vault.get(inVault).version.id, { enabled: false });
    },
  },
};
