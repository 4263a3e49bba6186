import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkSettings, createSecretsManager, type SecretsManager } from "@coffer/core";
import { VaultEmulator, type VaultEmulatorOptions } from "@coffer/emulators/vault/server";
import nodeVault from "node-vault";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { vault } from "../src/index.ts";
import { plainSettings } from "../src/settings-check.ts";
import { settingsSchema } from "../src/settings.ts";
import type { VaultSettings } from "../src/settings-types.ts";
import { fileOf } from "./subject.ts";

const opened: (VaultEmulator | SecretsManager)[] = [];
let home = "";
beforeEach(() => {
  for (const name of Object.keys(process.env)) if (/^(?:VAULT|BAO)_/.test(name)) vi.stubEnv(name, undefined);
  // Whoever runs the tests may be signed in somewhere.
  home = mkdtempSync(join(tmpdir(), "coffer-vault-home-"));
  vi.stubEnv("HOME", home);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
  for (const one of opened.splice(0)) await (one instanceof VaultEmulator ? one.stop() : one.close());
});

async function start(options: VaultEmulatorOptions = {}): Promise<VaultEmulator> {
  const emulator = await VaultEmulator.start(options);
  opened.push(emulator);
  return emulator;
}

function open(settings: VaultSettings): SecretsManager {
  const manager = createSecretsManager(vault, settings);
  opened.push(manager);
  return manager;
}

/** Opens a manager that must reach the emulator, and answers what it sent. */
async function seen(emulator: VaultEmulator, settings: VaultSettings): Promise<VaultEmulator["seen"]> {
  emulator.seen.length = 0;
  expect(await open(settings).hasSecret("absent")).toBe(false);
  return [...emulator.seen];
}

async function failure(settings: VaultSettings): Promise<{ readonly code: string; readonly text: string }> {
  const error = (await open(settings)
    .hasSecret("absent")
    .then(
      () => new Error("it succeeded"),
      (reason: unknown) => reason,
    )) as Error & { readonly code: string; readonly hint?: string };
  return { code: error.code, text: `${error.message} ${error.hint ?? ""}` };
}

describe("the server", () => {
  test("70: address, or VAULT_ADDR, or BAO_ADDR before it", async () => {
    const emulator = await start();
    const token = emulator.auth.issue();
    expect(await seen(emulator, { address: `${emulator.url}/`, token })).toHaveLength(2);
    vi.stubEnv("VAULT_ADDR", emulator.url);
    expect(await seen(emulator, { token })).toHaveLength(2);
    vi.stubEnv("VAULT_ADDR", "http://127.0.0.1:1");
    vi.stubEnv("BAO_ADDR", emulator.url);
    expect(await seen(emulator, { token })).toHaveLength(2);
  });

  test("without an address the error names the setting and the variable; T49: one with a newline is refused", async () => {
    const none = await failure({ token: "t" });
    expect(none.code).toBe("invalid_settings");
    expect(none.text).toMatch(/address.*VAULT_ADDR/);
    for (const address of [
      "https://vault.example/?",
      "https://vault.example/#",
      "http://127.0.0.1:1\n",
      "http://127.0.0.1:1\r\nX-Vault-Token: x",
      "ftp://127.0.0.1",
      "https://user:pw@host",
      "host:8200",
    ]) {
      vi.stubEnv("VAULT_ADDR", address);
      const { code, text } = await failure({ token: "t" });
      expect({ address, code }).toEqual({ address, code: "invalid_settings" });
      expect(text).not.toContain("pw@");
      expect((await checkSettings(vault, { address })).problems).toHaveLength(1);
    }
  });

  test("T93: plain http to another machine is refused unless allow_http is set", async () => {
    const settings = { address: "http://vault.invalid:8200", token: "t", max_retries: 0 };
    expect(await failure(settings)).toMatchObject({ code: "invalid_settings" });
    expect(await failure({ ...settings, allow_http: true })).toMatchObject({ code: "unavailable" });
  });

  test("T93: however the scheme of the address is written, plain http is plain http and https is https", async () => {
    const settings = { address: "HTTP://vault.example.invalid:8200", token: "hvs.t", kv_version: 2, max_retries: 0 } as const;
    expect(await failure(settings)).toMatchObject({ code: "invalid_settings" });
    expect(await failure({ ...settings, address: "HTTPS://127.0.0.1:1", ca_file: join(home, "absent") })).toMatchObject({
      code: "invalid_settings",
    });
  });

  test("vault_namespace, or VAULT_NAMESPACE, stands in every request; without either none does, whatever the SDK would find", async () => {
    const emulator = await start();
    emulator.mount("secret", 2, { namespace: "admin/team-a" });
    const settings = { address: emulator.url, token: emulator.auth.issue() };
    const namespaces = async (more: VaultSettings): Promise<string[]> =>
      (await seen(emulator, { ...settings, ...more })).map(({ namespace }) => namespace);
    expect(await namespaces({ vault_namespace: "admin/team-a" })).toEqual(["admin/team-a", "admin/team-a"]);
    vi.stubEnv("VAULT_NAMESPACE", "/admin/team-a/");
    expect(await namespaces({})).toEqual(["admin/team-a", "admin/team-a"]);
    vi.stubEnv("VAULT_NAMESPACE", undefined);
    vi.stubEnv("VAULT_PREFIX", "/elsewhere");
    expect(await namespaces({})).toEqual(["", ""]);
  });

  test("mount and kv_version: an engine at a path of its own, of either version", async () => {
    const emulator = await start();
    emulator.mount("team/kv", 2);
    const settings = { address: emulator.url, token: emulator.auth.issue() };
    expect((await seen(emulator, { ...settings, mount: "team/kv" })).map(({ path }) => path)).toEqual([
      "/v1/sys/internal/ui/mounts/team/kv",
      "/v1/team/kv/data/coffer/global/absent",
    ]);
    expect((await seen(emulator, { ...settings, mount: "kv1", kv_version: 1 })).map(({ path }) => path)).toEqual([
      "/v1/kv1/coffer/global/absent",
    ]);
    for (const wish of [{ soft_delete: true }, { custom_metadata: true }])
      expect(await failure({ ...settings, mount: "kv1", ...wish })).toMatchObject({ code: "invalid_settings" });
  });

  test("T93: a certificate that nobody vouches for is refused; ca_file, VAULT_CACERT, a folder of ca_path or an explicit flag let it in", async () => {
    const emulator = await start({ tls: true });
    const settings = { address: emulator.url, token: emulator.auth.issue(), max_retries: 0 };
    expect(await failure(settings)).toMatchObject({ code: "unavailable" });
    expect((await failure(settings)).text).toMatch(/certificate.*ca_file/);
    expect(emulator.seen).toEqual([]);
    const ca_file = fileOf("settings-ca.pem", emulator.ca ?? "");
    expect(await seen(emulator, { ...settings, ca_file })).toHaveLength(2);
    vi.stubEnv("VAULT_CACERT", ca_file);
    expect(await seen(emulator, settings)).toHaveLength(2);
    vi.stubEnv("VAULT_CACERT", undefined);
    mkdirSync(join(home, "ca"));
    writeFileSync(join(home, "ca/one.pem"), emulator.ca ?? "");
    writeFileSync(join(home, "ca/README"), "no certificate");
    expect(await seen(emulator, { ...settings, ca_path: join(home, "ca") })).toHaveLength(2);
    expect(await seen(emulator, { ...settings, tls_skip_verify: true })).toHaveLength(2);
  });

  test("VAULT_SKIP_VERIFY is read as Vault reads it: false means false", async () => {
    const emulator = await start({ tls: true });
    const settings = { address: emulator.url, token: emulator.auth.issue(), max_retries: 0 };
    for (const no of ["false", "0", "F"]) {
      vi.stubEnv("VAULT_SKIP_VERIFY", no);
      expect(await failure(settings)).toMatchObject({ code: "unavailable" });
    }
    vi.stubEnv("VAULT_SKIP_VERIFY", "perhaps");
    expect(await failure(settings)).toMatchObject({ code: "invalid_settings" });
    vi.stubEnv("VAULT_SKIP_VERIFY", "true");
    expect(await seen(emulator, settings)).toHaveLength(2);
    // What the settings say wins.
    expect(await failure({ ...settings, tls_skip_verify: false })).toMatchObject({ code: "unavailable" });
  });

  test("T93: NODE_TLS_REJECT_UNAUTHORIZED=0 does not switch the check off", async () => {
    const emulator = await start({ tls: true });
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    expect(await failure({ address: emulator.url, token: emulator.auth.issue(), max_retries: 0 })).toMatchObject({ code: "unavailable" });
  });

  test("tls_server_name: the name that the certificate has to carry", async () => {
    const emulator = await start({ tls: true });
    const settings = {
      address: emulator.url,
      token: emulator.auth.issue(),
      ca_file: fileOf("name-ca.pem", emulator.ca ?? ""),
      max_retries: 0,
    };
    expect(await seen(emulator, { ...settings, tls_server_name: "localhost" })).toHaveLength(2);
    expect(await failure({ ...settings, tls_server_name: "vault.example" })).toMatchObject({ code: "unavailable" });
    expect(await failure({ ...settings, tls_server_name: "127.0.0.1" })).toMatchObject({ code: "invalid_settings" });
    vi.stubEnv("VAULT_TLS_SERVER_NAME", "127.0.0.1");
    expect(await failure(settings)).toMatchObject({ code: "invalid_settings" });
  });

  test("client_cert_file and client_key_file: a client that proves itself", async () => {
    const emulator = await start({ clientCertificates: true });
    const settings = {
      address: emulator.url,
      token: emulator.auth.issue(),
      ca_file: fileOf("client-ca.pem", emulator.ca ?? ""),
      max_retries: 0,
    };
    const without = await failure(settings);
    expect(without.code).toBe("unavailable");
    const write = open(settings).registerSecret({ name: "db", values: { a: "b" } });
    await expect(write).rejects.toMatchObject({ code: "unavailable", outcome: "not_applied" });
    expect(emulator.seen).toEqual([]);
    const client_cert_file = fileOf("client.pem", emulator.clientCertificate?.cert ?? "");
    const client_key_file = fileOf("client.key", emulator.clientCertificate?.key ?? "");
    expect(await seen(emulator, { ...settings, client_cert_file, client_key_file })).toHaveLength(2);
    vi.stubEnv("BAO_CLIENT_CERT", client_cert_file);
    vi.stubEnv("VAULT_CLIENT_KEY", client_key_file);
    expect(await seen(emulator, settings)).toHaveLength(2);
    vi.stubEnv("VAULT_CLIENT_KEY", undefined);
    expect(await failure(settings)).toMatchObject({ code: "invalid_settings" });
  });

  test("max_retries, or VAULT_MAX_RETRIES: how often a request is sent again", async () => {
    const emulator = await start();
    const settings = { address: emulator.url, token: emulator.auth.issue(), kv_version: 2 as const };
    const attempts = async (more: VaultSettings): Promise<number> => {
      emulator.server.resetCounts();
      emulator.server.faults.inject({ kind: "throttle", times: 100, retryAfterSeconds: 0 });
      expect(await failure({ ...settings, ...more })).toMatchObject({ code: "throttled" });
      emulator.server.faults.heal();
      return emulator.server.count();
    };
    expect(await attempts({})).toBe(3);
    expect(await attempts({ max_retries: 0 })).toBe(1);
    vi.stubEnv("VAULT_MAX_RETRIES", "4");
    expect(await attempts({})).toBe(5);
    vi.stubEnv("VAULT_MAX_RETRIES", "many");
    expect(await failure(settings)).toMatchObject({ code: "invalid_settings" });
  });

  test("client: a client of the SDK is used as it is, with its own token, and tells its failures apart", async () => {
    const emulator = await start();
    const client = (token: string) => nodeVault({ endpoint: emulator.url, token, noCustomHTTPVerbs: true });
    const manager = open({ client: client(emulator.auth.issue()) });
    await manager.registerSecret({ name: "db", values: { user: "etl" } });
    expect((await manager.getSecret("db")).text["user"]).toBe("etl");
    expect((await Array.fromAsync(manager.listSecrets())).map(({ name }) => name)).toEqual(["db"]);
    await expect(manager.getSecret("absent")).rejects.toMatchObject({ code: "not_found" });
    expect(await failure({ client: client("hvs.wrong") })).toMatchObject({ code: "unauthenticated" });
    expect(await failure({ client: client(emulator.auth.issue({ policy: "deny" })), kv_version: 2 })).toMatchObject({
      code: "permission_denied",
    });
    await emulator.server.disconnect();
    await expect(manager.getSecret("db")).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("the check of settings", () => {
  test("what is plainly right is what the schema takes, and nothing else is", () => {
    const right = { address: "https://vault.example:8200", mount: "team/kv", kv_version: 2, token: "hvs.abc", vault_namespace: "admin" };
    expect(plainSettings(right)).toEqual(settingsSchema.parse(right));
    for (const wrong of [
      { address: "vault.example" },
      { mount: "a/../b" },
      { mount: "/secret" },
      { mount: "a?b" },
      { kv_version: 3 },
      { token: "two words" },
      { token: "line\n" },
      { vault_namespace: "a\nb" },
      { unknown: "x" },
      { max_retries: 11 },
      { auth_method: "ldap" },
      { client: {} },
      [],
    ]) {
      expect({ wrong, plain: plainSettings(wrong) }).toEqual({ wrong, plain: undefined });
      expect({ wrong, ok: settingsSchema.safeParse(wrong).success }).toEqual({ wrong, ok: false });
    }
  });

  test("a wrong setting is named, with the rule, before anything is sent", async () => {
    const { problems = [] } = await checkSettings(vault, { address: "vault.example", max_retries: 99, tokn: "x" });
    for (const name of ["address", "max_retries", "tokn"]) expect(JSON.stringify(problems)).toContain(name);
  });
});
