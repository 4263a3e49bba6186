import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { createSecretsManager } from "@coffer/core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { aws } from "../src/flavor.ts";
import { plainSettings } from "../src/settings-check.ts";
import { settingsSchema } from "../src/settings.ts";
import type { AwsSettings } from "../src/settings-types.ts";
import { failure, type Laboratory, onEmulator } from "./laboratory.ts";

// One after the other: they change the environment of this process. None of this machine's own settings counts.
let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "coffer-aws-"));
  for (const name of Object.keys(process.env).filter((each) => each.startsWith("AWS_"))) vi.stubEnv(name, undefined);
  vi.stubEnv("AWS_CONFIG_FILE", join(home, "config"));
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(home, "credentials"));
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

/** How many secrets the emulator, which checks region and keys of every signature, has of a manager with exactly these settings: one. */
async function registered({ emulator }: Laboratory, settings: AwsSettings): Promise<number> {
  const manager = createSecretsManager(aws, settings);
  await manager.registerSecret({ name: `works-${crypto.randomUUID()}`, values: { a: "b" } });
  await manager.close();
  return emulator.secrets.all().length;
}

describe("where the region comes from", () => {
  for (const [what, prepare] of [
    ["the setting, before all else", () => (vi.stubEnv("AWS_REGION", "us-east-1"), { region: "eu-central-1" })],
    [
      "AWS_REGION, before AWS_DEFAULT_REGION",
      () => (vi.stubEnv("AWS_REGION", "eu-central-1"), vi.stubEnv("AWS_DEFAULT_REGION", "us-east-1"), {}),
    ],
    ["AWS_DEFAULT_REGION", () => (vi.stubEnv("AWS_DEFAULT_REGION", "eu-central-1"), {})],
    ["the default profile", () => (writeFileSync(join(home, "config"), "[default]\nregion = eu-central-1\n"), {})],
    [
      "the profile of the setting",
      () => (writeFileSync(join(home, "config"), "[profile team]\nregion = eu-central-1\n"), { profile: "team" }),
    ],
    [
      "the profile of AWS_PROFILE",
      () => (writeFileSync(join(home, "config"), "[profile team]\nregion = eu-central-1\n"), vi.stubEnv("AWS_PROFILE", "team"), {}),
    ],
  ] as readonly (readonly [string, () => AwsSettings])[])
    test(`54 ${what}`, () =>
      onEmulator(async (laboratory) => {
        const { endpoint, credentials } = laboratory.settings;
        expect(await registered(laboratory, { endpoint, credentials, ...prepare() })).toBe(1);
      }));

  test("54 none: invalid_settings before any request, with what to do", () =>
    onEmulator(async ({ settings: { endpoint, credentials }, emulator }) => {
      const error = await failure(createSecretsManager(aws, { endpoint, credentials }).getSecret("db"));
      expect(error.code).toBe("invalid_settings");
      expect(error.message).toContain("No region");
      expect(error.hint).toContain("AWS_DEFAULT_REGION");
      expect(emulator.server.count()).toBe(0);
    }));

  test("T49 one that is none never becomes part of a host name", () =>
    onEmulator(async ({ settings: { credentials } }) => {
      for (const region of ["evil.example/", "eu-central-1\r\nHost: evil", "EU", "a b", ""]) {
        expect((await failure(createSecretsManager(aws, { credentials, region }).getSecret("db"))).code).toBe("invalid_settings");
        if (region === "") continue;
        vi.stubEnv("AWS_REGION", region);
        const error = await failure(createSecretsManager(aws, { credentials }).getSecret("db"));
        expect(error.code).toBe("invalid_settings");
        expect(error.message).not.toContain("evil");
        vi.stubEnv("AWS_REGION", undefined);
      }
    }));
});

describe("where the credentials come from", () => {
  test("the environment", () =>
    onEmulator(async (laboratory) => {
      const { accessKeyId, secretAccessKey } = laboratory.emulator.keys;
      vi.stubEnv("AWS_ACCESS_KEY_ID", accessKeyId);
      vi.stubEnv("AWS_SECRET_ACCESS_KEY", secretAccessKey);
      expect(await registered(laboratory, { region: "eu-central-1", endpoint: laboratory.emulator.server.url })).toBe(1);
    }));

  test("a session token of the environment travels along", () =>
    onEmulator(
      async (laboratory) => {
        vi.stubEnv("AWS_ACCESS_KEY_ID", "ASIACOFFERSESSION001");
        vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
        vi.stubEnv("AWS_SESSION_TOKEN", "the token");
        expect(await registered(laboratory, { region: "eu-central-1", endpoint: laboratory.emulator.server.url })).toBe(1);
      },
      { keys: { accessKeyId: "ASIACOFFERSESSION001", secretAccessKey: "secret", sessionToken: "the token" } },
    ));

  for (const [what, prepare] of [
    ["the default profile", () => ({})],
    ["the profile of the setting", () => ({ profile: "team" })],
    ["the profile of AWS_PROFILE", () => (vi.stubEnv("AWS_PROFILE", "team"), {})],
  ] as readonly (readonly [string, () => AwsSettings])[])
    test(`${what} of the shared file`, () =>
      onEmulator(async (laboratory) => {
        const settings = prepare();
        const { accessKeyId, secretAccessKey } = laboratory.emulator.keys;
        const section = what.startsWith("the default") ? "default" : "team";
        writeFileSync(
          join(home, "credentials"),
          `[${section}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
        );
        expect(await registered(laboratory, { region: "eu-central-1", endpoint: laboratory.emulator.server.url, ...settings })).toBe(1);
      }));

  test("none anywhere: unauthenticated, and what to do", () =>
    onEmulator(async ({ emulator }) => {
      const error = await failure(createSecretsManager(aws, { region: "eu-central-1", endpoint: emulator.server.url }).getSecret("db"));
      expect(error.code).toBe("unauthenticated");
      expect(error.hint).toContain("aws sso login");
      expect(emulator.server.count()).toBe(0);
    }));

  test("a function", () =>
    onEmulator(async (laboratory) =>
      expect(await registered(laboratory, { ...laboratory.settings, credentials: async () => laboratory.emulator.keys })).toBe(1),
    ));
});

describe("where the service is", () => {
  for (const name of ["AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL"])
    test(`the variable ${name}`, () =>
      onEmulator(async (laboratory) => {
        vi.stubEnv(name, laboratory.emulator.server.url);
        expect(await registered(laboratory, { region: "eu-central-1", credentials: laboratory.emulator.keys })).toBe(1);
      }));

  test("the profile", () =>
    onEmulator(async (laboratory) => {
      writeFileSync(join(home, "config"), `[default]\nregion = eu-central-1\nendpoint_url = ${laboratory.emulator.server.url}\n`);
      expect(await registered(laboratory, { credentials: laboratory.emulator.keys })).toBe(1);
    }));

  test("T93 plain http to another machine counts as little from the environment", async () => {
    vi.stubEnv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://secrets.example.invalid");
    const keys = { accessKeyId: "AKIACOFFERSETTINGS01", secretAccessKey: "any" };
    const error = await failure(createSecretsManager(aws, { region: "eu-central-1", credentials: keys }).getSecret("db"));
    expect(error.code).toBe("invalid_settings");
    expect(error.hint).toContain("allow_http");
  });
});

test("a client of the program is used as it is, and not closed", () =>
  onEmulator(async ({ emulator }) => {
    const client = new SecretsManagerClient({ region: "eu-central-1", endpoint: emulator.server.url, credentials: emulator.keys });
    const manager = createSecretsManager(aws, { client });
    await manager.registerSecret({ name: "db", values: { a: "b" } });
    emulator.server.faults.inject({ kind: "reset_after_write", times: 100 });
    expect(await failure(manager.replaceSecret({ name: "db", schema: "arbitrary", values: {} }))).toMatchObject({ outcome: "unknown" });
    emulator.server.faults.heal();
    emulator.server.faults.inject({ kind: "hang" });
    expect(await failure(manager.registerSecret({ name: "new", values: {} }, { timeoutMs: 200 }))).toMatchObject({
      code: "timeout",
      outcome: "unknown",
    });
    emulator.server.faults.heal();
    await manager.close();
    expect((await client.send(new GetSecretValueCommand({ SecretId: "coffer/global/db" }))).Name).toBe("coffer/global/db");
    client.destroy();
  }));

test("AWS_MAX_ATTEMPTS, and the setting before it", () =>
  onEmulator(async ({ settings, emulator }) => {
    emulator.server.faults.inject({ kind: "broken", times: 1000 });
    vi.stubEnv("AWS_MAX_ATTEMPTS", "2");
    await failure(createSecretsManager(aws, settings).getSecret("db"));
    expect(emulator.server.count()).toBe(2);
    await failure(createSecretsManager(aws, { ...settings, max_attempts: 1 }).getSecret("db"));
    expect(emulator.server.count()).toBe(3);
  }));

describe("settings that are refused", () => {
  const REFUSED: readonly Readonly<Record<string, unknown>>[] = [
    { region: "" },
    { region: "EU-CENTRAL-1" },
    { endpoint: "127.0.0.1:4566" },
    { endpoint: "ftp://host" },
    { endpoint: "https://user:password@host" },
    { endpoint: "https://host/?query" },
    { endpoint: "https://host\r\nx" },
    { profile: "" },
    { profile: "a\nb" },
    { kms_key: "" },
    { recovery_window_days: 6 },
    { recovery_window_days: 31 },
    { recovery_window_days: 7.5 },
    { max_attempts: 0 },
    { max_attempts: 11 },
    { tags: { "managed-by": "me" } },
    { tags: { "aws:x": "me" } },
    { tags: { team: "a\u0000b" } },
    { credentials: "AKIA" },
    { credentials: { accessKeyId: "x" } },
    { client: {} },
    { unknown: 1 },
  ];
  test("all of them, by the schema and by the shortcut", async () => {
    for (const settings of REFUSED) {
      expect(settingsSchema.safeParse(settings).success, JSON.stringify(settings)).toBe(false);
      expect(plainSettings(settings), JSON.stringify(settings)).toBeUndefined();
      expect((await failure(createSecretsManager(aws, settings as AwsSettings).getSecret("db"))).code).toBe("invalid_settings");
    }
  });
});
