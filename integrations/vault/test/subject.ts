import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VaultEmulator, type VaultEmulatorOptions } from "@coffer/emulators/vault/server";
import type { KvMount } from "@coffer/emulators/vault/kv";
import type { ConformanceSubject, OpenedSubject } from "@coffer/testkit";
import { capabilitiesOf } from "../src/capabilities.ts";
import { openVaultDriver } from "../src/driver.ts";
import type { VaultSettings } from "../src/settings-types.ts";

/** An emulator, a token that it takes, and the settings that lead there. */
export interface OpenedVault extends OpenedSubject {
  readonly emulator: VaultEmulator;
  readonly mount: KvMount;
  readonly token: string;
  readonly settings: VaultSettings;
}

const folder = mkdtempSync(join(tmpdir(), "coffer-vault-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** A file of this test run; taken away at its end. */
export function fileOf(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, 0o600);
  return path;
}

/** An emulator and a driver on it. */
export async function openVault(settings: VaultSettings = {}, options: VaultEmulatorOptions = {}): Promise<OpenedVault> {
  const emulator = await VaultEmulator.start(options);
  const token = emulator.auth.issue();
  const mount = emulator.kv(settings.mount);
  // One retry shows as much as two, and waits less.
  const all = { address: emulator.url, token, max_retries: 1, ...settings };
  return { emulator, mount, token, settings: all, driver: await openVaultDriver(all), dispose: () => emulator.stop() };
}

/** The flavor as the conformance suite needs it, on the emulator: one engine, and what the settings ask of it. */
export function vaultSubject(
  version: 1 | 2,
  settings: VaultSettings = {},
  options: VaultEmulatorOptions = {},
): ConformanceSubject<OpenedVault> {
  return {
    flavor: "vault",
    capabilities: capabilitiesOf(version, settings),
    open: () => openVault(settings, options),
    second: (opened) => openVaultDriver(opened.settings),
    credentials: ({ token }) => [token],
    listingSize: 60,
    faults: {
      deny: ({ emulator }) => emulator.server.faults.inject({ kind: "deny" }),
      refuse: ({ emulator }, name) => emulator.server.faults.inject({ kind: "deny", name }),
      unauthenticated: ({ emulator }) => emulator.server.faults.inject({ kind: "unauthenticated" }),
      unreachable: ({ emulator }) => emulator.server.disconnect(),
      throttle: ({ emulator }, times) => emulator.server.faults.inject({ kind: "throttle", times }),
      hang: ({ emulator }) => emulator.server.faults.inject({ kind: "hang" }),
      // The engine lists a folder whole, so the folder is the page; errors.test.ts has folders that fail after others.
      failPage: ({ emulator }) => emulator.server.faults.inject({ kind: "fail_page", page: 1 }),
      loseAnswer: ({ emulator }) => emulator.server.faults.inject({ kind: "reset_after_write", times: 1 }),
      echo: ({ emulator }) => emulator.server.faults.inject({ kind: "echo" }),
      garble: ({ emulator }) => emulator.server.faults.inject({ kind: "html", status: 200 }),
    },
    outOfBand: {
      values: ({ mount }, name, values) => void mount.write(name, { ...values }),
      within: ({ mount }, name, values) => void mount.write(name, { ...values }),
    },
  };
}
