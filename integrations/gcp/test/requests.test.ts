import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSecretsManager, type SecretsManager } from "@coffer/core";
import type { GcpServer } from "@coffer/emulators/gcp/server";
import { gcp } from "../src/flavor.ts";
import { collect, failureOf, grpcSettingsFor, sdkProtos, settingsFor, startServer } from "./laboratory.ts";

describe.each(["rest", "grpc"] as const)("requests over %s", (transport) => {
  let server: GcpServer;
  let manager: SecretsManager;
  let plain: SecretsManager;
  beforeAll(async () => {
    server = await startServer({ protos: sdkProtos() });
    const settings = transport === "rest" ? settingsFor(server) : grpcSettingsFor(server);
    manager = createSecretsManager(gcp, settings);
    plain = createSecretsManager(gcp, settings, { scope: "none" });
  });
  afterAll(async () => {
    await Promise.all([manager.close(), plain.close()]);
    await server.stop();
  });

  /** What a call sends, by the methods of the service. */
  async function sent(call: () => Promise<unknown>): Promise<Record<string, number>> {
    server.resetCounts();
    await call();
    return Object.fromEntries(server.rest.requests);
  }

  test("each operation takes the fewest requests that keep its contract", async () => {
    const values = { a: "1" };
    expect(await sent(() => manager.registerSecret({ name: "one", values }))).toEqual({ CreateSecret: 1, AddSecretVersion: 1 });
    expect(await sent(() => manager.getSecret("one"))).toEqual({ AccessSecretVersion: 1 });
    expect(await sent(() => manager.hasSecret("one"))).toEqual({ AccessSecretVersion: 1 });
    expect(await sent(() => manager.replaceSecret({ name: "one", schema: "arbitrary", values }))).toEqual({ AddSecretVersion: 1 });
    expect(await sent(() => manager.replaceSecret({ name: "one", schema: "arbitrary", values, expected: "2" }))).toEqual({
      AccessSecretVersion: 1,
      GetSecret: 1,
      UpdateSecret: 1,
      AddSecretVersion: 1,
    });
    expect(await sent(() => manager.updateSecret("one", { values: { b: "2" } }))).toEqual({
      AccessSecretVersion: 2,
      GetSecret: 1,
      UpdateSecret: 1,
      AddSecretVersion: 1,
    });
    expect(await sent(() => collect(manager.history("one")))).toEqual({ ListSecretVersions: 1 });
    expect(await sent(() => manager.getSecret("one", { revision: "1" }))).toEqual({ AccessSecretVersion: 1 });
    expect(await sent(() => manager.deleteSecret("one"))).toEqual({ DeleteSecret: 1 });
    expect(await sent(() => manager.hasSecret("one"))).toEqual({ AccessSecretVersion: 1, GetSecret: 1 });
  });

  test("61, 62: a secret is one entry, marked by an annotation; an update adds a version, and the newest is read", async () => {
    const settings = transport === "rest" ? settingsFor(server) : grpcSettingsFor(server);
    const team = createSecretsManager(gcp, settings, { scope: "namespace", namespace: "team-a" });
    await team.registerSecret({ name: "a/b_c", values: { user: "first" } });
    await team.updateSecret("a/b_c", { values: { user: "second" } });
    const { entry } = server.state.getSecret(`projects/${server.project}/secrets/coffer_x2fnamespace_x2fteam-a_x2fa_x2fb_c`);
    expect(entry.annotations).toMatchObject({ "managed-by": "coffer" });
    expect(entry.versions).toHaveLength(2);
    expect((await team.getSecret("a/b_c")).text).toEqual({ user: "second" });
    expect((await collect(team.history("a/b_c"))).map(({ revision, current }) => [revision, current])).toEqual([
      ["2", true],
      ["1", false],
    ]);
    await team.close();
  });

  test("a name that is taken costs one look, at a version that is answered consistently", async () => {
    await manager.registerSecret({ name: "taken", values: { a: "1" } });
    const counts = await sent(async () => {
      expect(await failureOf(manager.registerSecret({ name: "taken", values: { a: "2" } }))).toMatchObject({ code: "already_exists" });
    });
    expect(counts).toEqual({ CreateSecret: 1, AccessSecretVersion: 1 });
  });

  test("with scope none a replace looks for the marker first, and adopting sets it", async () => {
    await plain.registerSecret({ name: "plain", values: { a: "1" } });
    const again = { name: "plain", schema: "arbitrary", values: { a: "2" } } as const;
    expect(await sent(() => plain.replaceSecret(again))).toEqual({ GetSecret: 1, AddSecretVersion: 1 });
    server.state.createSecret(`projects/${server.project}`, "theirs", { replication: { automatic: {} }, annotations: { team: "x" } });
    const adopted = await sent(() => plain.replaceSecret({ ...again, name: "theirs", adopt: true }));
    expect(adopted).toEqual({ GetSecret: 1, UpdateSecret: 1, AddSecretVersion: 1 });
    const { annotations } = server.state.getSecret(`projects/${server.project}/secrets/theirs`).entry;
    expect(annotations).toEqual({ team: "x", "managed-by": "coffer" });
  });

  test("a thousand names are one request, a thousand values one each and at most 32 at once; one that fails is named", async () => {
    const parent = `projects/${server.project}`;
    const name = (index: number): string => `item-${String(index).padStart(4, "0")}`;
    for (let index = 0; index < 1_000; index += 1) {
      const id = `coffer_x2fnamespace_x2fbulk_x2f${name(index)}`;
      server.state.createSecret(parent, id, { replication: { automatic: {} }, annotations: { "managed-by": "coffer" } });
      server.state.addSecretVersion(`${parent}/secrets/${id}`, Buffer.from('{"a":"1"}'), undefined);
    }
    const settings = transport === "rest" ? settingsFor(server) : grpcSettingsFor(server);
    const bulk = createSecretsManager(gcp, settings, { scope: "namespace", namespace: "bulk" });
    expect(await sent(() => collect(bulk.listSecrets()))).toEqual({ ListSecrets: 1 });
    server.faults.inject({ kind: "deny", name: `coffer_x2fnamespace_x2fbulk_x2f${name(17)}` });
    server.rest.latencyMs = 2;
    server.resetCounts();
    const failed: [string, string][] = [];
    let there = 0;
    const names = (async function* () {
      for await (const info of bulk.listSecrets()) yield info.name;
    })();
    for await (const outcome of bulk.getSecrets(names)) {
      if ("error" in outcome) failed.push([outcome.name, outcome.error.code]);
      else there += 1;
    }
    expect([there, failed]).toEqual([999, [[name(17), "permission_denied"]]]);
    expect(Object.fromEntries(server.rest.requests)).toEqual({ ListSecrets: 1, AccessSecretVersion: 1_000 });
    expect(server.rest.mostAtOnce).toBeGreaterThan(8);
    expect(server.rest.mostAtOnce).toBeLessThanOrEqual(32);
    server.faults.heal();
    server.rest.latencyMs = 0;
    await bulk.close();
  });
});

test("T99: a thousand reads of one name in one process make one credential, and share it", async () => {
  const server = await startServer();
  const manager = createSecretsManager(gcp, settingsFor(server), { cache: { ttlMs: 60_000 } });
  await manager.registerSecret({ name: "one", values: { a: "1" } });
  server.resetCounts();
  await Promise.all(Array.from({ length: 1_000 }, () => manager.getSecret("one")));
  expect(server.count()).toBe(1);
  await manager.close();
  await server.stop();
});

test("76: two managers with different settings each use their own", async () => {
  const servers = await Promise.all([startServer(), startServer()]);
  const managers = servers.map((server) => createSecretsManager(gcp, settingsFor(server)));
  await managers[0]?.registerSecret({ name: "one", values: { a: "1" } });
  expect(await managers[1]?.hasSecret("one")).toBe(false);
  await managers[0]?.close();
  expect(await managers[1]?.hasSecret("one")).toBe(false);
  await managers[1]?.close();
  await Promise.all(servers.map((server) => server.stop()));
});
