import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { AccessToken, TokenCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";
import { createSecretsManager } from "@coffer/core";
import { principalCertificate } from "@coffer/emulators/azure/entra";
import { AzureEmulator } from "@coffer/emulators/azure/server";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { planCredential, vaultUrl } from "../src/credentials.ts";
import { azure } from "../src/index.ts";
import { settingsSchema } from "../src/settings.ts";
import { type AzureSettings, plainSettings } from "../src/settings-types.ts";
import { fileOf } from "./subject.ts";

let emulator: AzureEmulator;
let common: AzureSettings;
beforeAll(async () => {
  emulator = await AzureEmulator.start();
  common = { vault_url: emulator.url, ca_file: fileOf("settings-ca.pem", emulator.ca), verify_challenge: false };
});
afterAll(() => emulator.stop());
beforeEach(() => {
  for (const name of Object.keys(process.env)) if (/^(?:AZURE_|IDENTITY_|MSI_|IMDS_)/.test(name)) vi.stubEnv(name, undefined);
  emulator.entra.grants.length = 0;
  emulator.entra.identities.length = 0;
});
afterEach(() => vi.unstubAllEnvs());

/** Signs in with these settings, and answers how the token was asked for. */
async function grants(settings: AzureSettings): Promise<readonly string[]> {
  const manager = createSecretsManager(azure, { ...common, ...settings });
  expect(await manager.hasSecret("absent")).toBe(false);
  expect(await manager.hasSecret("absent-too")).toBe(false);
  await manager.close();
  return [...emulator.entra.grants];
}

const principal = (): { readonly tenant_id: string; readonly client_id: string; readonly authority_host: string } => ({
  tenant_id: emulator.entra.principal.tenantId,
  client_id: emulator.entra.principal.clientId,
  authority_host: emulator.url,
});

describe("signing in", () => {
  test("client_secret: a service principal by its secret, with one token for all calls", async () => {
    expect(await grants({ ...principal(), client_secret: emulator.entra.principal.clientSecret })).toEqual(["client_secret"]);
  });

  test("client_certificate_path, client_certificate_password: a service principal by its certificate", async () => {
    const client_certificate_path = fileOf("principal.pem", await principalCertificate());
    expect(await grants({ ...principal(), client_certificate_path })).toEqual(["client_certificate"]);
  });

  test("T96: a clock that is 20 minutes off does no harm but to what is signed here, and then the error names the clock", async () => {
    const client_certificate_path = fileOf("clock.pem", await principalCertificate());
    onTestFinished(() => {
      emulator.entra.skewMs = 0;
    });
    for (const minutes of [20, -20]) {
      emulator.entra.skewMs = minutes * 60_000;
      emulator.entra.grants.length = 0;
      expect(await grants({ ...principal(), client_secret: emulator.entra.principal.clientSecret })).toEqual(["client_secret"]);
      const manager = createSecretsManager(azure, { ...common, ...principal(), client_certificate_path });
      await expect(manager.hasSecret("a")).rejects.toMatchObject({ code: "unauthenticated", hint: expect.stringContaining("clock") });
      await manager.close();
    }
  });

  test("federated_token_file: a workload by the token of its platform", async () => {
    const federated_token_file = fileOf("federated", emulator.entra.principal.federatedToken);
    expect(await grants({ ...principal(), federated_token_file })).toEqual(["federated_token"]);
  });

  test("credential_kind managed_identity: the identity of the system, or the one of client_id", async () => {
    vi.stubEnv("IDENTITY_ENDPOINT", `${emulator.identity.url}/msi/token`);
    vi.stubEnv("IDENTITY_HEADER", emulator.identityHeader);
    const client_id = crypto.randomUUID();
    expect(await grants({ credential_kind: "managed_identity", client_id })).toEqual(["managed_identity"]);
    expect(emulator.entra.identities).toEqual([client_id]);
  });

  test("credential_kind cli: the Azure CLI is asked, for the tenant of tenant_id", async () => {
    const folder = mkdtempSync(join(tmpdir(), "coffer-az-"));
    const tenant_id = emulator.entra.principal.tenantId;
    const answer = JSON.stringify({
      accessToken: emulator.entra.issue(),
      expiresOn: "2099-01-01 00:00:00.000000",
      expires_on: 4_070_908_800,
      tenant: "t",
      tokenType: "Bearer",
    });
    writeFileSync(join(folder, "az"), `#!/bin/sh\necho "$@" >> ${folder}/asked\ncat <<'E'\n${answer}\nE\n`);
    chmodSync(join(folder, "az"), 0o700);
    vi.stubEnv("PATH", `${folder}${delimiter}${process.env["PATH"]}`);
    expect(await grants({ credential_kind: "cli", tenant_id })).toEqual([]);
    const { readFileSync } = await import("node:fs");
    const asked = readFileSync(join(folder, "asked"), "utf8").trim().split("\n");
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain(`--tenant ${tenant_id}`);
    expect(asked[0]).toContain("--resource https://vault.azure.net");
    rmSync(folder, { recursive: true });
  });

  test("without a word: what the AZURE_ variables say, in the chain as well as without it", async () => {
    const { tenantId, clientId, clientSecret } = emulator.entra.principal;
    vi.stubEnv("AZURE_TENANT_ID", tenantId);
    vi.stubEnv("AZURE_CLIENT_ID", clientId);
    vi.stubEnv("AZURE_CLIENT_SECRET", clientSecret);
    vi.stubEnv("AZURE_AUTHORITY_HOST", emulator.url);
    expect(await grants({})).toEqual(["client_secret"]);
    vi.stubEnv("AZURE_TOKEN_CREDENTIALS", "prod");
    expect(await grants({})).toEqual(["client_secret", "client_secret"]);
  });

  test("AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, AZURE_AUTHORITY_HOST: also for a kind that is named", async () => {
    const { tenantId, clientId, clientSecret } = emulator.entra.principal;
    vi.stubEnv("AZURE_TENANT_ID", tenantId);
    vi.stubEnv("AZURE_CLIENT_ID", clientId);
    vi.stubEnv("AZURE_CLIENT_SECRET", clientSecret);
    vi.stubEnv("AZURE_AUTHORITY_HOST", emulator.url);
    expect(await grants({ credential_kind: "client_secret" })).toEqual(["client_secret"]);
  });

  test("AZURE_CLIENT_CERTIFICATE_PATH, AZURE_FEDERATED_TOKEN_FILE", async () => {
    vi.stubEnv("AZURE_CLIENT_CERTIFICATE_PATH", fileOf("principal.pem", await principalCertificate()));
    vi.stubEnv("AZURE_FEDERATED_TOKEN_FILE", fileOf("federated", emulator.entra.principal.federatedToken));
    await grants({ ...principal(), credential_kind: "client_certificate" });
    await grants({ ...principal(), credential_kind: "workload_identity" });
    expect(emulator.entra.grants).toEqual(["client_certificate", "federated_token"]);
  });

  test("credential: any credential of the SDK, asked for the vault's own scope", async () => {
    const scopes: (string | string[])[] = [];
    const credential: TokenCredential = {
      getToken: async (asked): Promise<AccessToken> => {
        scopes.push(asked);
        return { token: emulator.entra.issue(), expiresOnTimestamp: Date.now() + 3_600_000 };
      },
    };
    expect(await grants({ credential })).toEqual([]);
    expect(scopes.flat()).toEqual(["https://vault.azure.net/.default"]);
  });

  test("access_token: the token that the caller has", async () => {
    expect(await grants({ access_token: emulator.entra.issue() })).toEqual([]);
  });

  test("client: a client of the SDK as it is", async () => {
    const credential: TokenCredential = {
      getToken: async () => ({ token: emulator.entra.issue(), expiresOnTimestamp: Date.now() + 3_600_000 }),
    };
    const client = new SecretClient(emulator.url, credential, {
      disableChallengeResourceVerification: true,
      tlsOptions: { ca: emulator.ca },
      retryOptions: { maxRetries: 0 },
    });
    const manager = createSecretsManager(azure, { client });
    await manager.registerSecret({ name: "through-a-client", values: { a: "b" } });
    for (let index = 0; index < 30; index += 1) await manager.upsertSecret({ name: `n${index}`, values: { a: "b" } });
    expect((await Array.fromAsync(manager.listSecrets())).length).toBe(31);
    await manager.deleteSecret("through-a-client");
    await manager.restoreSecret("through-a-client");
    emulator.server.faults.inject({ kind: "reset_after_write", times: 1 });
    await manager.updateSecret("through-a-client", { values: { a: "c" } });
    expect((await manager.getSecret("through-a-client")).text["a"]).toBe("c");
    await manager.deleteAllSecrets({ immediate: true });
    await manager.close();
  });

  test("a refused secret is unauthenticated and shown nowhere; a token endpoint that cannot be reached is unavailable", async () => {
    const wrong = `wrong-${crypto.randomUUID()}`;
    const refused = createSecretsManager(azure, { ...common, ...principal(), client_secret: wrong });
    const error: unknown = await refused.registerSecret({ name: "a", values: { a: "b" } }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "unauthenticated", outcome: "not_applied" });
    expect(JSON.stringify(error) + String(error)).not.toContain(wrong);
    const away = createSecretsManager(azure, { ...common, ...principal(), authority_host: "https://127.0.0.1:9", client_secret: wrong });
    await expect(away.getSecret("a")).rejects.toMatchObject({ code: "unavailable", retryable: true, outcome: "not_applied" });
    const untrusted = createSecretsManager(azure, {
      ...common,
      ...principal(),
      authority_host: "https://no-such-host.invalid",
      client_secret: wrong,
    });
    await expect(untrusted.getSecret("a")).rejects.toMatchObject({ code: "unavailable" });
    for (const manager of [refused, away, untrusted]) await manager.close();
  });

  test("the newer challenge, with a scope, is understood as well", async () => {
    emulator.challenge = "scope";
    expect(await grants({ access_token: emulator.entra.issue() })).toEqual([]);
    emulator.challenge = "resource";
  });
});

describe("the vault", () => {
  test("66: key_vault_name and cloud make its address; vault_url wins; one of them has to be set", () => {
    expect(vaultUrl({ key_vault_name: "team" })).toBe("https://team.vault.azure.net");
    expect(vaultUrl({ key_vault_name: "team", cloud: "us_government" })).toBe("https://team.vault.usgovcloudapi.net");
    expect(vaultUrl({ key_vault_name: "team", cloud: "china" })).toBe("https://team.vault.azure.cn");
    expect(vaultUrl({ key_vault_name: "team", vault_url: "https://other.vault.azure.net/" })).toBe("https://other.vault.azure.net");
    const hint = expect.stringContaining("key_vault_name");
    expect(() => vaultUrl({})).toThrow(expect.objectContaining({ info: expect.objectContaining({ code: "invalid_settings", hint }) }));
  });

  test("cloud: tokens come from the authority of the cloud, unless another one is named", () => {
    expect(planCredential({}, {}).authorityHost).toBeUndefined();
    expect(planCredential({ cloud: "us_government" }, {})).toMatchObject({
      authorityHost: "https://login.microsoftonline.us",
      foreignAuthority: false,
    });
    expect(planCredential({ cloud: "china" }, {}).authorityHost).toBe("https://login.chinacloudapi.cn");
    expect(planCredential({ cloud: "china" }, { AZURE_AUTHORITY_HOST: "https://login.microsoftonline.com" }).authorityHost).toBe(
      "https://login.microsoftonline.com",
    );
    expect(planCredential({ authority_host: "https://login.example" }, {}).foreignAuthority).toBe(true);
  });

  test("a principal in the environment is taken without the chain, unless something else there or in the settings changes what the chain does", () => {
    const principal = { AZURE_TENANT_ID: "t", AZURE_CLIENT_ID: "c", AZURE_CLIENT_SECRET: "s" };
    const kindOf = (settings: AzureSettings, environment: Record<string, string> = {}): string =>
      planCredential(settings, { ...principal, ...environment }).kind;
    expect(kindOf({})).toBe("client_secret");
    expect(kindOf({ credential_kind: "default" })).toBe("client_secret");
    for (const name of Object.keys(principal)) expect(kindOf({}, { [name]: "" })).toBe("default");
    expect(kindOf({}, { AZURE_TOKEN_CREDENTIALS: "dev" })).toBe("default");
    expect(kindOf({}, { AZURE_ADDITIONALLY_ALLOWED_TENANTS: "*" })).toBe("default");
    expect(kindOf({ tenant_id: "other" })).toBe("default");
    expect(kindOf({ client_id: "identity" })).toBe("default");
    expect(kindOf({ credential_kind: "cli" })).toBe("cli");
  });

  test("AZURE_CLIENT_CERTIFICATE_PASSWORD and client_certificate_password open the key of the certificate", () => {
    expect(planCredential({}, { AZURE_CLIENT_CERTIFICATE_PASSWORD: "from-env" }).certificatePassword).toBe("from-env");
    expect(
      planCredential({ client_certificate_password: "set" }, { AZURE_CLIENT_CERTIFICATE_PASSWORD: "from-env" }).certificatePassword,
    ).toBe("set");
  });

  test("what a kind needs and lacks is named, with its variable", async () => {
    const manager = createSecretsManager(azure, { ...common, credential_kind: "client_secret" });
    await expect(manager.getSecret("a")).rejects.toMatchObject({
      code: "invalid_settings",
      message: expect.stringContaining(
        "tenant_id (AZURE_TENANT_ID), client_id (AZURE_CLIENT_ID), client_secret (AZURE_CLIENT_SECRET)",
      ) as unknown,
    });
    await expect(createSecretsManager(azure, {}).getSecret("a")).rejects.toMatchObject({
      code: "invalid_settings",
      hint: expect.stringContaining("key_vault_name") as unknown,
    });
    await expect(createSecretsManager(azure, { ...common, ca_file: "/no/such/file" }).getSecret("a")).rejects.toMatchObject({
      code: "invalid_settings",
    });
  });

  test("api_version: the version of the interface that is asked for", async () => {
    await grants({ access_token: emulator.entra.issue(), api_version: "7.6" });
    expect([...emulator.apiVersions]).toContain("7.6");
  });

  test.each([
    { vault_url: "http://team.vault.azure.net" },
    { vault_url: "https://user:password@team.vault.azure.net" },
    { vault_url: "https://team.vault.azure.net/secrets" },
    { vault_url: "https://team.vault.azure.net\n.evil.example" },
    { vault_url: "https://team.vault.azure.net?x=y" },
    { authority_host: "http://login.example" },
    { key_vault_name: "a" },
    { key_vault_name: "team.evil.example/" },
    { key_vault_name: "team_secrets" },
    { cloud: "moon" },
    { credential_kind: "password" },
    { access_token: "two\nlines" },
    { credential: {} },
    { client: "https://x" },
    { no_such_setting: 1 },
  ])("T49: %j is refused before any request", async (settings) => {
    expect(settingsSchema.safeParse(settings).success).toBe(false);
    expect(plainSettings(settings)).toBeUndefined();
    await expect(createSecretsManager(azure, settings as AzureSettings).getSecret("a")).rejects.toMatchObject({ code: "invalid_settings" });
  });

  test.each<AzureSettings>([
    {},
    { key_vault_name: "team-secrets", cloud: "china" },
    { vault_url: "https://team.vault.azure.net/", credential_kind: "cli", verify_challenge: false, api_version: "7.6", ca_file: "a b" },
    { tenant_id: "t", client_id: "c", client_secret: " two\nlines ", authority_host: "https://login.example:8443" },
    { client_certificate_path: "/c.pem", client_certificate_password: " ", federated_token_file: "/t", access_token: "eyJ" },
  ])("%j is right, plainly or not", (settings) => {
    expect(settingsSchema.safeParse(settings)).toEqual({ success: true, data: settings });
    expect(plainSettings(settings)).toEqual(settings);
  });

  test("the schema takes exactly the settings that are described", () => {
    const described: Record<keyof AzureSettings, true> = {
      key_vault_name: true,
      vault_url: true,
      cloud: true,
      credential_kind: true,
      tenant_id: true,
      client_id: true,
      client_secret: true,
      client_certificate_path: true,
      client_certificate_password: true,
      federated_token_file: true,
      authority_host: true,
      access_token: true,
      credential: true,
      client: true,
      ca_file: true,
      api_version: true,
      verify_challenge: true,
    };
    expect(Object.keys(settingsSchema.shape)).toEqual(Object.keys(described));
  });
});
