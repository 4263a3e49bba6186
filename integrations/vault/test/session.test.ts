import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecretsManager, type SecretsManager } from "@coffer/core";
import { VaultEmulator } from "@coffer/emulators/vault/server";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { vault } from "../src/index.ts";
import type { VaultSettings } from "../src/settings-types.ts";
import { serverFor } from "./laboratory.ts";
import { fileOf } from "./subject.ts";

let emulator: VaultEmulator;
let home = "";
const managers: SecretsManager[] = [];
beforeEach(async () => {
  for (const name of Object.keys(process.env)) if (/^(?:VAULT|BAO)_/.test(name)) vi.stubEnv(name, undefined);
  home = mkdtempSync(join(tmpdir(), "coffer-vault-home-"));
  vi.stubEnv("HOME", home);
  emulator = await VaultEmulator.start();
});
afterEach(async () => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  for (const manager of managers.splice(0)) await manager.close();
  await emulator.stop();
  rmSync(home, { recursive: true, force: true });
});

function open(settings: VaultSettings): SecretsManager {
  const manager = createSecretsManager(vault, { address: emulator.url, kv_version: 2, max_retries: 0, ...settings });
  managers.push(manager);
  return manager;
}

/** Makes many calls at once, and answers how many logins it took. */
async function logins(manager: SecretsManager): Promise<number> {
  const before = emulator.auth.logins.length;
  await Promise.all(Array.from({ length: 20 }, (_, index) => manager.hasSecret(`absent-${index}`)));
  return emulator.auth.logins.length - before;
}

const approle = (): VaultSettings => ({ role_id: emulator.auth.approle.roleId, secret_id: emulator.auth.approle.secretId });

describe("a token that is there already", () => {
  test("token, then token_file, then BAO_TOKEN, VAULT_TOKEN, then what `vault login` has left", async () => {
    const [setting, file, bao, variable, left] = Array.from({ length: 5 }, () => emulator.auth.issue());
    const used = async (settings: VaultSettings): Promise<string | undefined> => {
      emulator.seen.length = 0;
      await open(settings).hasSecret("absent");
      return emulator.seen[0]?.token;
    };
    writeFileSync(join(home, ".vault-token"), left ?? "");
    expect(await used({})).toBe(left);
    vi.stubEnv("VAULT_TOKEN", variable);
    expect(await used({})).toBe(variable);
    vi.stubEnv("BAO_TOKEN", bao);
    expect(await used({})).toBe(bao);
    const token_file = fileOf("token", `${file}\n`);
    expect(await used({ token_file })).toBe(file);
    expect(await used({ token_file, ...(setting === undefined ? {} : { token: setting }) })).toBe(setting);
  });

  test("71: without any the error says how to get one, and nothing is sent", async () => {
    const error = await open({})
      .getSecret("db")
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "unauthenticated" });
    expect(String((error as { readonly hint?: string }).hint)).toMatch(/vault login.*VAULT_TOKEN.*auth_method/);
    expect(emulator.seen).toEqual([]);
    await expect(open({ token_file: join(home, "absent") }).getSecret("db")).rejects.toMatchObject({ code: "invalid_settings" });
    await expect(open({ token_file: fileOf("spaces", "not a token\n") }).getSecret("db")).rejects.toMatchObject({
      code: "invalid_settings",
    });
  });

  test("a token file that an agent has renewed is read again when the old token is no longer taken", async () => {
    const first = emulator.auth.issue();
    const token_file = fileOf("agent", first);
    const manager = open({ token_file });
    expect(await manager.hasSecret("absent")).toBe(false);
    emulator.auth.revoke(first);
    await expect(manager.hasSecret("absent")).rejects.toMatchObject({ code: "unauthenticated" });
    fileOf("agent", emulator.auth.issue());
    expect(await manager.hasSecret("absent")).toBe(false);
  });

  test("token_provider is asked once, and again when its token is no longer taken", async () => {
    const given: string[] = [];
    const token_provider = async (): Promise<string> => {
      given.push(emulator.auth.issue());
      return given.at(-1) ?? "";
    };
    const manager = open({ token_provider });
    await Promise.all(Array.from({ length: 20 }, () => manager.hasSecret("absent")));
    expect(given).toHaveLength(1);
    emulator.auth.revoke(given[0] ?? "");
    await Promise.all(Array.from({ length: 20 }, () => manager.hasSecret("absent")));
    expect(given).toHaveLength(2);
  });

  test("token_provider that fails is unauthenticated, whatever its error looks like: no secret is absent, and no write was sent", async () => {
    for (const told of [{ response: { statusCode: 404, body: { errors: [] } } }, { code: "ECONNRESET" }]) {
      const manager = open({ token_provider: () => Promise.reject(Object.assign(new Error("no token"), told)) });
      await expect(manager.hasSecret("absent")).rejects.toMatchObject({ code: "unauthenticated" });
      await expect(manager.registerSecret({ name: "db", values: { a: "b" } })).rejects.toMatchObject({
        code: "unauthenticated",
        outcome: "not_applied",
      });
    }
    expect(emulator.seen).toEqual([]);
  });

  test("renew_token: the token is looked at once, and renewed when two thirds of its time are over", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const token = emulator.auth.issue({ ttlSeconds: 600 });
    const manager = open({ token, renew_token: true });
    await manager.hasSecret("absent");
    expect(emulator.server.count("GET lookup-self")).toBe(1);
    vi.advanceTimersByTime(395_000);
    expect(emulator.server.count("POST renew-self")).toBe(0);
    vi.advanceTimersByTime(10_000);
    await vi.waitFor(() => expect(emulator.server.count("POST renew-self")).toBe(1));
  });

  test("renew_token: what fails because the server is away for a moment is done again, and what is refused is not", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { faults } = emulator.server;
    const manager = open({ token: emulator.auth.issue({ ttlSeconds: 600 }), renew_token: true });
    faults.inject({ kind: "reset_before", times: 1 });
    for (let call = 0; call < 3; call += 1) await manager.hasSecret("absent");
    expect(emulator.server.count("GET lookup-self")).toBe(2);
    faults.inject({ kind: "reset_before", times: 1 });
    vi.advanceTimersByTime(401_000);
    await vi.waitFor(() => expect(faults.get("reset_before")?.times).toBe(0));
    emulator.server.resetCounts();
    await vi.waitFor(() => {
      vi.advanceTimersByTime(401_000);
      expect(emulator.server.count("POST renew-self")).toBe(1);
    });
    let lookups = 0;
    const strict = await serverFor(({ path }) => {
      if (!path.endsWith("/lookup-self")) return { status: 404, headers: { "content-type": "application/json" }, body: '{"errors":[]}' };
      lookups += 1;
      return { status: 403, headers: { "content-type": "application/json" }, body: '{"errors":["permission denied"]}' };
    });
    const refused = open({ address: strict.url, token: "hvs.token", renew_token: true });
    for (let call = 0; call < 3; call += 1) await refused.hasSecret("absent");
    expect(lookups).toBe(1);
  });
});

describe("logins", () => {
  test("approle: by role_id and secret_id, from a file too, at a mount of its own; one login for all calls", async () => {
    expect(await logins(open(approle()))).toBe(1);
    const { roleId: role_id, secretId } = emulator.auth.approle;
    expect(await logins(open({ role_id, secret_id_file: fileOf("secret-id", `${secretId}\n`) }))).toBe(1);
    emulator.auth.enable("approle", "team/approle");
    expect(await logins(open({ ...approle(), auth_mount: "team/approle" }))).toBe(1);
    expect(emulator.auth.logins.at(-1)).toMatchObject({ method: "approle", mount: "team/approle" });
  });

  test("approle with a wrapped secret_id: unwrapped once, and kept for the login after", async () => {
    const { roleId: role_id } = emulator.auth.approle;
    const manager = open({ role_id, secret_id: emulator.auth.wrapSecretId(), secret_id_wrapped: true });
    expect(await logins(manager)).toBe(1);
    emulator.auth.revoke(emulator.auth.logins.at(-1)?.token ?? "");
    expect(await logins(manager)).toBe(1);
    expect(emulator.server.count("POST unwrap")).toBe(1);
    const used = open({ role_id, secret_id: "hvs.used-up", secret_id_wrapped: true });
    await expect(used.hasSecret("absent")).rejects.toMatchObject({ code: "unauthenticated" });
  });

  test("userpass, jwt and kubernetes", async () => {
    const { userpass, jwt, kubernetes } = emulator.auth;
    expect(await logins(open({ username: userpass.username, password: userpass.password }))).toBe(1);
    expect(await logins(open({ username: userpass.username, password_file: fileOf("password", userpass.password) }))).toBe(1);
    expect(await logins(open({ role: jwt.role, jwt: jwt.jwt }))).toBe(1);
    expect(await logins(open({ auth_method: "jwt", role: jwt.role, jwt_file: fileOf("jwt", `${jwt.jwt}\n`) }))).toBe(1);
    expect(
      await logins(open({ auth_method: "kubernetes", role: kubernetes.role, jwt_file: fileOf("service-account", kubernetes.jwt) })),
    ).toBe(1);
    expect(emulator.auth.logins.map(({ method }) => method)).toEqual(["userpass", "userpass", "jwt", "jwt", "kubernetes"]);
    // Outside a pod there is no token of a service account.
    await expect(open({ role: kubernetes.role }).hasSecret("absent")).rejects.toMatchObject({ code: "invalid_settings" });
  });

  test("what a method needs and is missing is named, and nothing is sent", async () => {
    for (const [settings, missing] of [
      [{ auth_method: "approle" }, "role_id"],
      [{ auth_method: "kubernetes" }, "role"],
      [{ auth_method: "jwt" }, "jwt or jwt_file"],
      [{ auth_method: "userpass" }, "username and password or password_file"],
    ] as const) {
      const error = await open(settings)
        .hasSecret("absent")
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "invalid_settings" });
      expect((error as Error).message).toContain(missing);
    }
    expect(emulator.seen).toEqual([]);
  });

  test("a login that is refused is unauthenticated, names the method and no credential, and is tried again by the next call", async () => {
    const manager = open({ ...approle(), secret_id: "cAnArY-secret-id" });
    for (let round = 1; round <= 2; round += 1) {
      const error = (await manager.hasSecret("absent").catch((reason: unknown) => reason)) as Error;
      expect(error).toMatchObject({ code: "unauthenticated", outcome: "not_applied" });
      expect(error.message).toContain("approle");
      expect(error.message).not.toContain("cAnArY");
      expect(emulator.server.count("POST login")).toBe(round);
    }
  });

  test("a login that the server does not know is no secret that is not there", async () => {
    const server = await serverFor(() => ({ status: 404, headers: { "content-type": "application/json" }, body: '{"errors":[]}' }));
    for (const kv_version of [1, 2, undefined] as const) {
      const manager = open({ address: server.url, ...approle(), kv_version });
      await expect(manager.hasSecret("absent")).rejects.toMatchObject({ code: "unauthenticated" });
    }
  });

  test("a write whose login is lost was not applied: nothing of it was sent", async () => {
    emulator.server.faults.inject({ kind: "reset_before", times: 1 });
    await expect(open(approle()).registerSecret({ name: "db", values: { a: "b" } })).rejects.toMatchObject({
      code: "unavailable",
      outcome: "not_applied",
    });
  });

  test("T85: a token that was revoked is replaced by one more login, for all calls together; one that has expired, before it is used", async () => {
    const manager = open(approle());
    expect(await logins(manager)).toBe(1);
    emulator.auth.revoke(emulator.auth.logins.at(-1)?.token ?? "");
    expect(await logins(manager)).toBe(1);
    emulator.auth.loginTtlSeconds = 1;
    emulator.auth.loginRenewable = false;
    const brief = open(approle());
    expect(await logins(brief)).toBe(1);
    const now = performance.now();
    vi.spyOn(performance, "now").mockImplementation(() => now + 2_000);
    expect(await logins(brief)).toBe(1);
    vi.restoreAllMocks();
    expect(emulator.server.count("GET lookup-self")).toBeLessThanOrEqual(1);
  });

  test("T85: where the new token is not taken either, the one retry was the last", async () => {
    const manager = open(approle());
    await manager.hasSecret("absent");
    emulator.server.faults.inject({ kind: "unauthenticated" });
    emulator.server.resetCounts();
    await expect(manager.hasSecret("absent")).rejects.toMatchObject({ code: "unauthenticated" });
    expect(emulator.server.count("GET data")).toBeLessThanOrEqual(2);
    expect(emulator.server.count("POST login")).toBeLessThanOrEqual(1);
  });

  test("the token of a login is renewed in time, and no longer once the manager is closed", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    emulator.auth.loginTtlSeconds = 300;
    const manager = open(approle());
    await manager.hasSecret("absent");
    vi.advanceTimersByTime(201_000);
    await vi.waitFor(() => expect(emulator.server.count("POST renew-self")).toBe(1));
    await manager.close();
    vi.advanceTimersByTime(1_000_000);
    expect(emulator.server.count("POST renew-self")).toBe(1);
  });

  test("T99: a thousand reads at once in a new process sign in once", async () => {
    emulator.kv().write("coffer/global/db", { a: "b" });
    const manager = open(approle());
    await Promise.all(Array.from({ length: 1_000 }, () => manager.getSecret("db")));
    expect(emulator.auth.logins).toHaveLength(1);
  });

  test("the abort of one call ends neither the login nor the calls of others", async () => {
    const manager = open(approle());
    const controller = new AbortController();
    const aborted = manager.hasSecret("absent", { signal: controller.signal });
    const other = manager.hasSecret("absent-too");
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: "aborted" });
    expect(await other).toBe(false);
    expect(emulator.auth.logins).toHaveLength(1);
  });

  test("a manager that is closed while it signs in sends nothing afterwards: neither the login again nor the write that waits for it", async () => {
    emulator.server.faults.inject({ kind: "throttle", times: 1, retryAfterSeconds: 20 });
    const patient = open({ ...approle(), max_retries: 2 });
    const waiting = patient.registerSecret({ name: "db", values: { a: "b" } }).catch((error: unknown) => error);
    await vi.waitFor(() => expect(emulator.server.count("POST login")).toBe(1));
    await patient.close();
    expect(await waiting).toMatchObject({ code: "closed", outcome: "not_applied" });
    const asked = Promise.withResolvers<void>();
    const given = Promise.withResolvers<string>();
    const slow = open({
      token_provider: () => {
        asked.resolve();
        return given.promise;
      },
    });
    const write = slow.registerSecret({ name: "db", values: { a: "b" } }).catch((error: unknown) => error);
    await asked.promise;
    await slow.close();
    given.resolve(emulator.auth.issue());
    expect(await write).toMatchObject({ code: "closed", outcome: "not_applied" });
    expect(emulator.server.count()).toBe(1);
  });
});
