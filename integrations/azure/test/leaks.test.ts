import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { inspect, promisify } from "node:util";
import { createSecretsManager } from "@coffer/core";
import { AzureEmulator } from "@coffer/emulators/azure/server";
import { leakScan } from "@coffer/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { azure } from "../src/index.ts";
import type { AzureSettings } from "../src/settings-types.ts";
import { settingsOf } from "./subject.ts";

let emulator: AzureEmulator;
beforeAll(async () => void (emulator = await AzureEmulator.start()));
afterAll(() => emulator.stop());

/** Runs the program of leaks-child.ts with everything switched on that makes Node and the SDK talkative. */
async function outputOf(settings: AzureSettings, canary: string): Promise<string> {
  const talkative = { DEBUG: "*", NODE_DEBUG: "http,https,net,tls,fetch,undici", AZURE_LOG_LEVEL: "verbose" };
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:VITEST|TEST$|NODE_|AZURE_)/.test(name)));
  const ended = await promisify(execFile)(process.execPath, ["--conditions=@coffer/source", join(import.meta.dirname, "leaks-child.ts")], {
    env: { ...env, ...talkative, COFFER_TEST_INPUT: JSON.stringify({ settings, canary }) },
    maxBuffer: 2 ** 27,
  });
  return ended.stdout + ended.stderr;
}

const principal = (): AzureSettings => ({
  ...settingsOf(emulator),
  access_token: undefined,
  tenant_id: emulator.entra.principal.tenantId,
  client_id: emulator.entra.principal.clientId,
  client_secret: emulator.entra.principal.clientSecret,
  authority_host: emulator.url,
});

describe("no leak", () => {
  test.each([
    ["all is well", undefined],
    ["the call is forbidden", { kind: "deny" }],
    ["the credential is refused", { kind: "unauthenticated" }],
    ["the request is repeated in the error", { kind: "echo" }],
    ["something else answers", { kind: "html", status: 502 }],
    ["the answer is lost", { kind: "reset_after_write", times: 9 }],
  ] as const)("T25, T28: with DEBUG, NODE_DEBUG and the SDK's log on, when %s", { timeout: 60_000 }, async (_when, fault) => {
    emulator.server.faults.heal();
    if (fault !== undefined) emulator.server.faults.inject(fault);
    const canary = `${randomUUID()}"ü ${randomUUID()}`;
    const output = await outputOf(principal(), canary);
    expect(output).toMatch(/HTTP \d+|TLS \d+|NET \d+/);
    expect(output).toContain("azure:");
    const tokens = [...emulator.entra.tokens];
    const secrets = [canary, emulator.entra.principal.clientSecret, ...tokens];
    expect(await leakScan({ canary: secrets, texts: { output } })).toEqual([]);
  });

  test("T26, T27: what a program can print of an error, of a manager and of a secret", async () => {
    const canary = `${randomUUID()}${randomUUID()}`;
    const settings = settingsOf(emulator);
    const manager = createSecretsManager(azure, settings);
    emulator.server.faults.heal();
    await manager.registerSecret({ name: "shown", values: { password: canary } });
    const secret = await manager.getSecret("shown");
    const texts: Record<string, string> = {};
    const print = (what: string, value: unknown): void => {
      texts[`${what}: text`] = String(value);
      texts[`${what}: inspect`] = inspect(value, { depth: 12, showHidden: true, maxStringLength: null });
      texts[`${what}: JSON`] = JSON.stringify(value) ?? "";
      texts[`${what}: cause`] = inspect((value as { readonly cause?: unknown }).cause, { depth: 12, showHidden: true });
    };
    print("secret", secret);
    print("manager", manager);
    for (const fault of [
      { kind: "deny" },
      { kind: "unauthenticated" },
      { kind: "echo" },
      { kind: "broken", times: 99 },
      { kind: "cut_json" },
    ] as const) {
      emulator.server.faults.heal();
      emulator.server.faults.inject(fault);
      for (const call of [
        () => manager.replaceSecret({ name: "shown", schema: "arbitrary", values: { password: canary } }),
        () => manager.registerSecret({ name: "other", values: { password: canary } }),
      ])
        print(fault.kind, await call().catch((reason: unknown) => reason));
    }
    emulator.server.faults.heal();
    await emulator.server.disconnect();
    print("unreachable", await manager.registerSecret({ name: "other", values: { password: canary } }).catch((reason: unknown) => reason));
    await emulator.server.reconnect();
    expect(await leakScan({ canary: [canary, settings.access_token.slice(5)], texts })).toEqual([]);
    await manager.close();
  });
});
