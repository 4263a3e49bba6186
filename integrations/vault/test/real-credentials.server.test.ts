import { createSecretsManager, type SecretsManager } from "@coffer/core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { vault } from "../src/flavor.ts";
import type { VaultSettings } from "../src/settings-types.ts";
import { type RealServer, startRealServer } from "./real-server.ts";
import { tokenFor } from "./real-subject.ts";
import { fileOf } from "./subject.ts";

const POLICY = "coffer-tests";
const RULES = 'path "secret/*" { capabilities = ["create", "read", "update", "delete", "list"] }';

let server: RealServer;
let notRun: string | undefined;
beforeAll(async () => {
  const started = await startRealServer();
  if ("notRun" in started) ({ notRun } = started);
  else {
    server = started;
    await server.tell("POST", `sys/policies/acl/${POLICY}`, { body: { policy: RULES } });
    await server.tell("POST", "sys/auth/approle", { body: { type: "approle" } });
    await server.tell("POST", "sys/auth/userpass", { body: { type: "userpass" } });
  }
}, 400_000);
afterAll(() => server?.stop());
beforeEach((context) => {
  if (notRun !== undefined) context.skip(notRun);
});

const open: SecretsManager[] = [];
afterEach(async () => {
  for (const manager of open.splice(0)) await manager.close();
});

function managerOn(settings: VaultSettings): SecretsManager {
  const all = { address: server.url, max_retries: 1, ...settings };
  const manager = createSecretsManager(vault, all, { scope: "namespace", namespace: crypto.randomUUID() });
  open.push(manager);
  return manager;
}

interface Role {
  readonly name: string;
  readonly roleId: string;
}

async function roleWith(options: Readonly<Record<string, unknown>>, namespace?: string): Promise<Role> {
  const name = `role-${crypto.randomUUID()}`;
  const within = namespace === undefined ? {} : { namespace };
  await server.tell("POST", `auth/approle/role/${name}`, { body: { token_policies: [POLICY], ...options }, ...within });
  const answer = await server.tell("GET", `auth/approle/role/${name}/role-id`, within);
  return { name, roleId: (answer["data"] as { readonly role_id: string }).role_id };
}

async function secretIdOf({ name }: Role, namespace?: string): Promise<string> {
  const answer = await server.tell("POST", `auth/approle/role/${name}/secret-id`, namespace === undefined ? {} : { namespace });
  return (answer["data"] as { readonly secret_id: string }).secret_id;
}

/** What the server knows of every token that AppRole has issued for a role and that is still good. */
async function tokensOf({ name }: Role): Promise<readonly { readonly accessor: string; readonly last_renewal_time?: number }[]> {
  const { data } = await server.tell("GET", "auth/token/accessors/?list=true");
  const { keys } = data as { readonly keys: readonly string[] };
  const answers = await Promise.all(keys.map((accessor) => server.ask("POST", "auth/token/lookup-accessor", { body: { accessor } })));
  return answers.flatMap(({ status, body }) => {
    const known = body["data"] as { readonly accessor: string; readonly meta: { readonly role_name?: string } | null } | undefined;
    return status === 200 && known?.meta?.role_name === name ? [known] : [];
  });
}

async function revokeAll(role: Role): Promise<void> {
  for (const { accessor } of await tokensOf(role)) await server.tell("POST", "auth/token/revoke-accessor", { body: { accessor } });
}

describe("credentials on OpenBao", () => {
  test("AppRole signs in once for all calls, and again after its token was revoked", async () => {
    const role = await roleWith({ token_ttl: "1h" });
    const manager = managerOn({ role_id: role.roleId, secret_id: await secretIdOf(role) });
    await manager.registerSecret({ name: "warehouse", values: { user: "etl" } });
    await Promise.all(Array.from({ length: 8 }, () => manager.getSecret("warehouse")));
    const [first, ...others] = await tokensOf(role);
    expect(others).toEqual([]);
    await revokeAll(role);
    expect(await tokensOf(role)).toEqual([]);
    expect((await manager.getSecret("warehouse")).text).toEqual({ user: "etl" });
    await manager.updateSecret("warehouse", { values: { user: "other" } });
    const [second, ...more] = await tokensOf(role);
    expect(more).toEqual([]);
    expect(second?.accessor).not.toBe(first?.accessor);
  });

  test("a write whose token was revoked is made once, with the next token", async () => {
    const role = await roleWith({ token_ttl: "1h" });
    const manager = managerOn({ role_id: role.roleId, secret_id: await secretIdOf(role) });
    await manager.registerSecret({ name: "warehouse", values: { user: "etl" } });
    await revokeAll(role);
    await manager.updateSecret("warehouse", { values: { user: "other" } });
    const revisions = await Array.fromAsync(manager.history("warehouse"));
    expect(revisions.map(({ revision }) => revision)).toEqual(["2", "1"]);
  });

  test("a wrapped secret_id is unwrapped once, and serves the next login, too", async () => {
    const role = await roleWith({ token_ttl: "1h" });
    const { wrap_info: info } = await server.tell("POST", `auth/approle/role/${role.name}/secret-id`, { wrapSeconds: 60 });
    const manager = managerOn({ role_id: role.roleId, secret_id: (info as { readonly token: string }).token, secret_id_wrapped: true });
    await manager.registerSecret({ name: "warehouse", values: { user: "etl" } });
    await revokeAll(role);
    expect((await manager.getSecret("warehouse")).text).toEqual({ user: "etl" });
  });

  test("a wrapped secret_id that somebody else has unwrapped is refused", async () => {
    const role = await roleWith({ token_ttl: "1h" });
    const { wrap_info: info } = await server.tell("POST", `auth/approle/role/${role.name}/secret-id`, { wrapSeconds: 60 });
    const { token } = info as { readonly token: string };
    await server.tell("POST", "sys/wrapping/unwrap", { token });
    const manager = managerOn({ role_id: role.roleId, secret_id: token, secret_id_wrapped: true });
    await expect(manager.getSecret("warehouse")).rejects.toMatchObject({ code: "unauthenticated", outcome: "not_applied" });
  });

  test("a wrong secret_id, a wrong role_id and a wrong password are a refused login", async () => {
    const role = await roleWith({});
    await server.tell("POST", "auth/userpass/users/etl", { body: { password: "right", token_policies: [POLICY] } });
    const wrong: readonly VaultSettings[] = [
      { role_id: role.roleId, secret_id: crypto.randomUUID() },
      { role_id: crypto.randomUUID(), secret_id: await secretIdOf(role) },
      { username: "etl", password: "wrong" },
      { username: "nobody", password: "right" },
    ];
    for (const settings of wrong)
      await expect(managerOn(settings).getSecret("warehouse")).rejects.toMatchObject({ code: "unauthenticated", retryable: false });
    await managerOn({ username: "etl", password: "right" }).registerSecret({ name: "warehouse", values: { user: "etl" } });
  });

  test("the token of a login is renewed before its time is over", async () => {
    const role = await roleWith({ token_ttl: "3s", token_max_ttl: "1h" });
    const manager = managerOn({ role_id: role.roleId, secret_id: await secretIdOf(role) });
    await manager.registerSecret({ name: "warehouse", values: { user: "etl" } });
    const [before] = await tokensOf(role);
    expect(before?.last_renewal_time).toBeUndefined();
    await expect.poll(async () => (await tokensOf(role))[0]?.last_renewal_time, { timeout: 20_000 }).toBeGreaterThan(0);
    // The same one.
    expect((await tokensOf(role)).map(({ accessor }) => accessor)).toEqual([before?.accessor]);
  });

  test("with renew_token the token of the settings is renewed, too", async () => {
    const token = await tokenFor(server, { policies: [POLICY], ttl: "3s", explicit_max_ttl: "1h" });
    const manager = managerOn({ token, renew_token: true });
    await manager.registerSecret({ name: "warehouse", values: { user: "etl" } });
    const renewed = async (): Promise<unknown> => {
      const { data } = await server.tell("POST", "auth/token/lookup", { body: { token } });
      return (data as { readonly last_renewal_time?: number }).last_renewal_time;
    };
    await expect.poll(renewed, { timeout: 20_000 }).toBeGreaterThan(0);
    expect((await manager.getSecret("warehouse")).text).toEqual({ user: "etl" });
  });

  test("a token whose time is over is no lack of permission, and a token that may not read is one", async () => {
    const short = await tokenFor(server, { policies: [POLICY], ttl: "1s", renewable: false });
    const manager = managerOn({ token: short, kv_version: 2 });
    const isOver = async (): Promise<number> => (await server.ask("POST", "auth/token/lookup", { body: { token: short } })).status;
    await expect.poll(isOver, { timeout: 20_000 }).toBe(403);
    await expect(manager.getSecret("warehouse")).rejects.toMatchObject({ code: "unauthenticated" });
    const poor = await tokenFor(server, { policies: ["default"] });
    await expect(managerOn({ token: poor, kv_version: 2 }).getSecret("warehouse")).rejects.toMatchObject({ code: "permission_denied" });
  });

  test("a token in a file is read again when the old one was revoked", async () => {
    const [first, second] = [await tokenFor(server, { policies: [POLICY] }), await tokenFor(server, { policies: [POLICY] })];
    const file = fileOf("openbao-token", `${first}\n`);
    const manager = managerOn({ token_file: file });
    await manager.registerSecret({ name: "warehouse", values: { user: "etl" } });
    fileOf("openbao-token", `${second}\n`);
    await server.tell("POST", "auth/token/revoke", { body: { token: first } });
    expect((await manager.getSecret("warehouse")).text).toEqual({ user: "etl" });
  });
});

describe("namespaces of OpenBao", () => {
  test("the same name in two namespaces, one within the other, is two secrets", async () => {
    const team = `team-${crypto.randomUUID()}`;
    await server.tell("POST", `sys/namespaces/${team}`);
    await server.tell("POST", "sys/namespaces/inner", { namespace: team });
    const places = [undefined, team, `${team}/inner`];
    for (const namespace of places.slice(1))
      await server.tell("POST", "sys/mounts/secret", { body: { type: "kv", options: { version: "2" } }, namespace: namespace ?? "" });
    const managers = places.map((place) => {
      const settings = { address: server.url, token: server.rootToken, vault_namespace: place };
      return createSecretsManager(vault, settings, { scope: "namespace", namespace: team });
    });
    open.push(...managers);
    for (const [at, manager] of managers.entries()) await manager.registerSecret({ name: "warehouse", values: { place: String(at) } });
    const texts = await Promise.all(managers.map(async (manager) => (await manager.getSecret("warehouse")).text["place"]));
    expect(texts).toEqual(["0", "1", "2"]);
    await managers[1]?.deleteSecret("warehouse");
    expect(await Promise.all(managers.map((manager) => manager.hasSecret("warehouse")))).toEqual([true, false, true]);
  });

  test("AppRole signs in within the namespace, and its token is good nowhere else", async () => {
    const namespace = `team-${crypto.randomUUID()}`;
    await server.tell("POST", `sys/namespaces/${namespace}`);
    await server.tell("POST", "sys/mounts/secret", { body: { type: "kv", options: { version: "2" } }, namespace });
    await server.tell("POST", "sys/auth/approle", { body: { type: "approle" }, namespace });
    await server.tell("POST", `sys/policies/acl/${POLICY}`, { body: { policy: RULES }, namespace });
    const role = await roleWith({ token_ttl: "1h" }, namespace);
    const settings = { role_id: role.roleId, secret_id: await secretIdOf(role, namespace), vault_namespace: namespace };
    await managerOn(settings).registerSecret({ name: "warehouse", values: { user: "etl" } });
    // The role is not known in the namespace above.
    await expect(managerOn({ ...settings, vault_namespace: undefined }).getSecret("warehouse")).rejects.toMatchObject({
      code: "unauthenticated",
    });
    const token = await tokenFor(server, { policies: [POLICY] }, namespace);
    await managerOn({ token, vault_namespace: namespace }).registerSecret({ name: "warehouse", values: { user: "etl" } });
    await expect(managerOn({ token, kv_version: 2 }).getSecret("warehouse")).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:permission_denied|unauthenticated)$/) as string,
    });
  });

  test("a namespace that does not exist is never an absent secret", async () => {
    for (const kv_version of [undefined, 2] as const)
      await expect(
        managerOn({ token: server.rootToken, vault_namespace: "nowhere", kv_version }).getSecret("warehouse"),
      ).rejects.toMatchObject({ code: expect.stringMatching(/^(?:permission_denied|invalid_settings)$/) as string });
  });
});

describe("TLS of OpenBao", () => {
  const tlsSettings = (): VaultSettings => ({
    address: server.tls.url,
    token: server.rootToken,
    ca_file: server.tls.ca,
    client_cert_file: server.tls.clientCertificate,
    client_key_file: server.tls.clientKey,
  });

  test("with the authority and a certificate of the client", async () => {
    const manager = managerOn(tlsSettings());
    await manager.registerSecret({ name: "warehouse", values: { user: "etl" } });
    expect((await manager.getSecret("warehouse")).text).toEqual({ user: "etl" });
  });

  test("without the authority nothing is sent, and the host is named", async () => {
    await expect(managerOn({ ...tlsSettings(), ca_file: undefined }).getSecret("warehouse")).rejects.toMatchObject({
      code: "unavailable",
      retryable: false,
      message: expect.stringMatching(/certificate of localhost:\d+ is not trusted/) as string,
    });
  });

  test("without the certificate that the server demands", async () => {
    const settings = { ...tlsSettings(), client_cert_file: undefined, client_key_file: undefined };
    await expect(managerOn(settings).getSecret("warehouse")).rejects.toMatchObject({ code: "unavailable" });
  });

  test("another name than that of the certificate is not trusted, unless it is said which to look for", async () => {
    const settings = { ...tlsSettings(), address: server.tls.url.replace("localhost", "127.0.0.1") };
    await managerOn({ ...settings, tls_server_name: "localhost" }).registerSecret({ name: "warehouse", values: { user: "etl" } });
    await expect(managerOn({ ...settings, tls_server_name: "vault.example" }).getSecret("warehouse")).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("is not trusted") as string,
    });
  });
});
