import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { inspect, promisify } from "node:util";
import type { SecretsError, SecretsManager } from "@coffer/core";
import type { VaultEmulator } from "@coffer/emulators/vault/server";
import { leakScan } from "@coffer/testkit";
import nodeVault from "node-vault";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { VaultSettings } from "../src/settings-types.ts";
import { failure, frontOf, type Laboratory, laboratory } from "./laboratory.ts";
import { fileOf } from "./subject.ts";

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (/^(?:VAULT|BAO)_/.test(name)) vi.stubEnv(name, undefined);
});
afterEach(() => void vi.unstubAllEnvs());

const newCanary = (): string => `${randomUUID()}"ü ${randomUUID()}`;

/** Every way to sign in, on an emulator. */
const METHODS: Readonly<Record<string, (emulator: VaultEmulator) => VaultSettings>> = {
  token: ({ auth }) => ({ token: auth.issue() }),
  approle: ({ auth }) => ({ token: undefined, role_id: auth.approle.roleId, secret_id: auth.approle.secretId }),
  "approle, wrapped": ({ auth }) => ({
    token: undefined,
    role_id: auth.approle.roleId,
    secret_id: auth.wrapSecretId(),
    secret_id_wrapped: true,
  }),
  jwt: ({ auth }) => ({ token: undefined, auth_method: "jwt", role: auth.jwt.role, jwt: auth.jwt.jwt }),
  kubernetes: ({ auth }) => ({ token: undefined, auth_method: "kubernetes", role: auth.kubernetes.role, jwt: auth.kubernetes.jwt }),
  userpass: ({ auth }) => ({ token: undefined, username: auth.userpass.username, password: auth.userpass.password }),
};

/** Everything that nobody may see, as far as it is known by now. */
function secretsOf({ emulator, token }: Laboratory, settings: VaultSettings, canary: string): string[] {
  const { approle, jwt, kubernetes, userpass, logins } = emulator.auth;
  const told = [settings.token, settings.secret_id, settings.jwt, settings.password].filter((each) => each !== undefined);
  const known = [token, ...told, approle.secretId, jwt.jwt, kubernetes.jwt, userpass.password, ...logins.map((login) => login.token)];
  // What those of the emulator begin with are words that stand in messages anyway.
  return [canary, ...known.map((each) => each.replace(/^(?:hvs\.wrapping\.|kubernetes\.|federated\.|password~)/, ""))];
}

/** Runs the program of leaks-child.ts with everything switched on that makes Node and the SDK talkative. */
async function outputOf(settings: VaultSettings, canary: string): Promise<string> {
  const talkative = { DEBUG: "*", NODE_DEBUG: "http,https,net,tls,fetch,undici" };
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:VITEST|TEST$|NODE_|VAULT_|BAO_)/.test(name)));
  const ended = await promisify(execFile)(process.execPath, ["--conditions=@coffer/source", join(import.meta.dirname, "leaks-child.ts")], {
    env: { ...env, ...talkative, COFFER_TEST_INPUT: JSON.stringify({ settings, canary }) },
    maxBuffer: 2 ** 27,
  });
  return ended.stdout + ended.stderr;
}

/** An error, or anything else, in every way in which a program might print it. */
function printed(what: string, value: unknown): Record<string, string> {
  const { message, stack, cause, hint } = value as Partial<SecretsError>;
  const everything = { depth: 12, showHidden: true, maxStringLength: null, maxArrayLength: null };
  return Object.fromEntries(
    Object.entries({
      message,
      text: String(value),
      stack,
      hint,
      JSON: JSON.stringify(value),
      inspect: inspect(value, everything),
      plainly: inspect(value, { ...everything, customInspect: false }),
      cause: inspect(cause, everything),
      fields: JSON.stringify({ ...(value as object) }),
    }).map(([way, text]) => [`${what}: ${way}`, text ?? ""]),
  );
}

/** The errors of every kind of call that fails, printed. */
async function errorsOf(manager: SecretsManager, canary: string): Promise<Record<string, string>> {
  const values = { password: canary };
  const texts: Record<string, string> = {};
  for (const [what, act] of Object.entries({
    register: () => manager.registerSecret({ name: "new", values }),
    replace: () => manager.replaceSecret({ name: "there", schema: "arbitrary", values }),
    update: () => manager.updateSecret("there", { values: { more: canary } }),
    upsert: () => manager.upsertSecret({ name: "there", values }),
    get: () => manager.getSecret("there"),
    list: () => Array.fromAsync(manager.listSecrets()),
    history: () => Array.fromAsync(manager.history("there")),
    rename: () => manager.renameSecret("there", "elsewhere"),
    delete: () => manager.deleteSecret("there"),
  })) {
    const result = await act().catch((reason: unknown) => reason);
    Object.assign(texts, printed(what, result));
  }
  return texts;
}

describe("T25: whatever is switched on to find a fault", () => {
  const faults = [
    ["all is well", undefined],
    ["the call is forbidden", { kind: "deny" }],
    ["the credential is refused", { kind: "unauthenticated" }],
    ["the request is repeated in the error", { kind: "echo" }],
    ["something else answers", { kind: "html", status: 502 }],
    ["the answer is lost", { kind: "reset_after_write", times: 9 }],
  ] as const;

  for (const [when, fault] of faults) {
    test(`T25, T28: with DEBUG and NODE_DEBUG on, nothing is printed when ${when}`, { timeout: 60_000 }, async () => {
      const one = await laboratory();
      const settings: VaultSettings = { ...one.settings, ...METHODS["approle"]?.(one.emulator) };
      if (fault !== undefined) one.emulator.server.faults.inject(fault);
      const canary = newCanary();
      const output = await outputOf(settings, canary);
      expect(output).toMatch(/^(?:HTTP|NET) \d+:/m);
      expect(one.emulator.server.count()).toBeGreaterThan(0);
      expect(await leakScan({ canary: secretsOf(one, settings, canary), texts: { output } })).toEqual([]);
    });
  }

  test("T25: over TLS neither the token nor the client's own key is printed", { timeout: 60_000 }, async () => {
    const one = await laboratory({ tls_skip_verify: true, kv_version: 2 }, { clientCertificates: true });
    const { ca = "", clientCertificate } = one.emulator;
    const settings: VaultSettings = {
      ...one.settings,
      tls_skip_verify: undefined,
      kv_version: undefined,
      ca_file: fileOf("leaks-ca.pem", ca),
      client_cert_file: fileOf("leaks-client.pem", clientCertificate?.cert ?? ""),
      client_key_file: fileOf("leaks-client-key.pem", clientCertificate?.key ?? ""),
    };
    const canary = newCanary();
    const output = await outputOf(settings, canary);
    expect(output).toMatch(/^(?:HTTP|NET|TLS) \d+:/m);
    expect(one.emulator.server.count("POST data")).toBeGreaterThan(0);
    const keyLines = (clientCertificate?.key ?? "").split(/\r?\n/).filter((line) => line.length > 30 && !line.startsWith("-"));
    expect(keyLines.length).toBeGreaterThan(0);
    expect(await leakScan({ canary: [...secretsOf(one, settings, canary), ...keyLines], texts: { output } })).toEqual([]);
  });
});

const FAULTS = [
  { kind: "deny" },
  { kind: "unauthenticated" },
  { kind: "throttle", times: 1_000 },
  { kind: "broken", times: 1_000 },
  { kind: "reset_before", times: 1_000 },
  { kind: "reset_after_write", times: 1_000 },
  { kind: "html", status: 200 },
  { kind: "html", status: 502 },
  { kind: "cut_json" },
  { kind: "redirect", to: "http://127.0.0.1:9/", status: 307 },
  { kind: "echo" },
  { kind: "hang" },
  { kind: "fail_page", page: 1 },
] as const;

describe("T27, T28: no error shows a value, a token or what one signs in with", () => {
  for (const [method, settingsFor] of Object.entries(METHODS)) {
    test(`T27, T28: signed in with ${method}, whatever the fault, before the login and after it`, async () => {
      const one = await laboratory({ max_retries: 0 });
      for (const [mount, kv_version] of [
        ["secret", undefined],
        ["secret", 2],
        ["kv1", 1],
      ] as const) {
        for (const fault of FAULTS) {
          for (const signedIn of [true, false]) {
            const canary = newCanary();
            one.emulator.server.faults.heal();
            one.emulator.kv(mount).write(one.stored("there"), { password: canary });
            const settings = { ...settingsFor(one.emulator), mount, kv_version };
            const manager = one.manager(settings, { timeoutMs: 1_000 });
            if (signedIn) await manager.hasSecret("absent");
            one.emulator.server.faults.inject(fault);
            const texts =
              fault.kind === "hang"
                ? printed("hang", await failure(manager.registerSecret({ name: "new", values: { password: canary } }, { timeoutMs: 40 })))
                : await errorsOf(manager, canary);
            Object.assign(texts, printed("manager", manager));
            const canaries = secretsOf(one, settings, canary);
            expect(await leakScan({ canary: canaries, texts }), `${fault.kind} ${mount} ${kv_version}`).toEqual([]);
            one.emulator.server.faults.heal();
            one.emulator.kv(mount).deleteMetadata(one.stored("new"));
            one.emulator.kv(mount).deleteMetadata(one.stored("elsewhere"));
          }
        }
      }
    });
  }

  test("T28: a server that repeats headers, paths and bodies in whatever it refuses, reads too", async () => {
    for (const status of [400, 403, 404, 405, 412, 413, 429, 500, 503]) {
      const one = await laboratory({ max_retries: 0 });
      for (const [method, settingsFor] of Object.entries(METHODS)) {
        const canary = newCanary();
        const settings: VaultSettings = { ...settingsFor(one.emulator), kv_version: 2 };
        one.mount.write(one.stored("there"), { password: canary });
        const front = await frontOf(one.emulator, ({ path, headers, body }) =>
          path.includes("/login") && status !== 403
            ? undefined
            : {
                status,
                headers: { "content-type": "application/json" },
                body: JSON.stringify({
                  errors: [`${JSON.stringify(headers)} ${path} ${body.toString()}`],
                  warnings: [body.toString()],
                  request_id: headers["x-vault-token"],
                }),
              },
        );
        const manager = one.manager({ ...settings, address: front.url });
        const texts = await errorsOf(manager, canary);
        expect(texts["get: text"], method).toMatch(/^SecretsError/);
        expect(await leakScan({ canary: secretsOf(one, settings, canary), texts }), `${status} ${method}`).toEqual([]);
        one.mount.deleteMetadata(one.stored("there"));
      }
    }
  });

  test("T27: unreachable, by every way to sign in", async () => {
    const one = await laboratory({ max_retries: 0 });
    const canary = newCanary();
    const opened = Object.values(METHODS).map((settingsFor) => one.manager(settingsFor(one.emulator)));
    for (const manager of opened) await manager.hasSecret("absent");
    const closed = Object.values(METHODS).map((settingsFor) => ({ ...settingsFor(one.emulator), kv_version: 2 }) as const);
    await one.emulator.server.disconnect();
    for (const manager of opened)
      expect(await leakScan({ canary: secretsOf(one, {}, canary), texts: await errorsOf(manager, canary) })).toEqual([]);
    for (const settings of closed)
      expect(await leakScan({ canary: secretsOf(one, settings, canary), texts: await errorsOf(one.manager(settings), canary) })).toEqual(
        [],
      );
  });

  test("T27: a key or a certificate that is none is named, and not shown", async () => {
    const one = await laboratory({ tls_skip_verify: true, kv_version: 2 }, { clientCertificates: true });
    const { key = "", cert = "" } = one.emulator.clientCertificate ?? {};
    const canary = randomUUID() + randomUUID();
    for (const [name, wrong] of [
      ["text", canary],
      ["broken", key.replace(/(?<=\n).{8}/, "AAAAAAAA") + canary],
      ["of no certificate", one.emulator.ca ?? ""],
    ] as const) {
      const settings = { client_cert_file: fileOf("leaks-good.pem", cert), client_key_file: fileOf("leaks-wrong.pem", wrong) };
      const error = await failure(one.manager(settings).getSecret("a"));
      expect(error, name).toMatchObject({ code: "invalid_settings" });
      expect(error.hint).toContain("client_key_file");
      expect(await leakScan({ canary, texts: printed("error", error) }), name).toEqual([]);
    }
    expect(one.emulator.server.count()).toBe(0);
  });

  test("T27: settings that are wrong are named, and not shown", async () => {
    const one = await laboratory();
    const canary = randomUUID() + randomUUID();
    for (const settings of [
      { token: `${canary}\n` },
      { token: undefined, token_file: fileOf("leaks-token", `${canary} ${canary}`) },
      { token: undefined, token_provider: async () => `${canary}\r\nx: y` },
      { token: undefined, token_provider: () => Promise.reject(new Error(canary)) },
      { token: undefined, username: "etl", password: `${canary}\0` },
      { token: undefined, role_id: one.emulator.auth.approle.roleId, secret_id: canary },
      { token: undefined, role_id: "r", secret_id: canary, secret_id_wrapped: true },
      { token: undefined, auth_method: "jwt", role: "coffer", jwt: canary },
      { token: undefined, auth_method: "userpass", password: canary },
      { address: `http://user:${canary}@127.0.0.1:1` },
    ] as readonly VaultSettings[]) {
      const error = await failure(one.manager(settings).getSecret("a"));
      expect(await leakScan({ canary, texts: printed("error", error) }), Object.keys(settings).join()).toEqual([]);
    }
  });
});

describe("a client of the SDK that was passed in", () => {
  test("T27: its errors carry the token and the body, and ours do not", async () => {
    for (const fault of FAULTS) {
      const one = await laboratory();
      const canary = newCanary();
      one.mount.write(one.stored("there"), { password: canary });
      const client = nodeVault({ endpoint: one.emulator.url, token: one.token, requestOptions: {} });
      const manager = one.manager(
        { address: undefined, token: undefined, client, max_retries: undefined },
        { timeoutMs: fault.kind === "hang" ? 60 : 5_000 },
      );
      await manager.hasSecret("absent");
      one.emulator.server.faults.inject(fault);
      expect(await leakScan({ canary: [canary, one.token], texts: await errorsOf(manager, canary) }), fault.kind).toEqual([]);
    }
  });

  test("T27: unreachable: the error of its transport shows everything, and ours nothing", async () => {
    const one = await laboratory();
    const canary = newCanary();
    const client = nodeVault({ endpoint: one.emulator.url, token: one.token });
    const manager = one.manager({ address: undefined, token: undefined, client, kv_version: 2 });
    await one.emulator.server.disconnect();
    const raw: unknown = await client.write("secret/data/a", { data: { password: canary } }).catch((reason: unknown) => reason);
    const leaked = await leakScan({ canary: [canary, one.token], texts: { raw: inspect(raw, { depth: 12 }) + JSON.stringify(raw) } });
    expect(leaked.length).toBeGreaterThan(1);
    const error = await failure(manager.registerSecret({ name: "a", values: { password: canary } }));
    expect(error).toMatchObject({ code: "unavailable", outcome: "not_applied", cause: { code: "ECONNREFUSED" } });
    expect(await leakScan({ canary: [canary, one.token], texts: await errorsOf(manager, canary) })).toEqual([]);
    expect(await leakScan({ canary: [canary, one.token], texts: printed("manager", manager) })).toEqual([]);
  });
});

test("T26: what a program can print of a manager, of a driver and of a secret", async () => {
  const one = await laboratory();
  const canary = newCanary();
  const settings: VaultSettings = METHODS["approle"]?.(one.emulator) ?? {};
  const manager = one.manager(settings);
  await manager.registerSecret({ name: "shown", values: { password: canary } });
  const secret = await manager.getSecret("shown");
  const texts = { ...printed("manager", manager), ...printed("secret", secret), ...printed("driver", one.driver) };
  expect(await leakScan({ canary: secretsOf(one, settings, canary), texts })).toEqual([]);
});
