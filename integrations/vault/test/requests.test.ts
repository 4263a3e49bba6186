import { createSecretsManager, type SecretsManager } from "@coffer/core";
import type { VaultEmulatorOptions } from "@coffer/emulators/vault/server";
import { afterEach, describe, expect, test } from "vitest";
import { vault } from "../src/index.ts";
import type { VaultSettings } from "../src/settings-types.ts";
import { type OpenedVault, openVault } from "./subject.ts";

const opened: OpenedVault[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) {
    await one.driver.close?.();
    await one.dispose?.();
  }
});

async function start(
  settings: VaultSettings = {},
  options: VaultEmulatorOptions = {},
): Promise<OpenedVault & { readonly manager: SecretsManager }> {
  const one = await openVault({ kv_version: settings.mount === "kv1" ? 1 : 2, ...settings }, options);
  opened.push(one);
  return { ...one, manager: createSecretsManager(vault, one.settings, { scope: "namespace", namespace: "team-a" }) };
}

/** What arrived while something was done, by operation. */
async function requestsOf({ emulator }: OpenedVault, act: () => Promise<unknown>): Promise<Record<string, number>> {
  emulator.server.resetCounts();
  await act();
  return Object.fromEntries(emulator.server.requests);
}

function fill({ mount }: OpenedVault, count: number): string[] {
  const names = Array.from({ length: count }, (_, index) => `item-${String(index).padStart(4, "0")}`);
  for (const name of names) mount.write(`coffer/namespace/team-a/${name}`, { label: name });
  return names;
}

const whole = { name: "warehouse", schema: "arbitrary", values: { user: "a" } } as const;

describe("requests", () => {
  test("each operation takes as few requests as its contract allows", async () => {
    const one = await start();
    const { manager } = one;
    expect(await requestsOf(one, () => manager.registerSecret({ name: "warehouse", values: { user: "etl" } }))).toEqual({ "POST data": 1 });
    expect(await requestsOf(one, () => manager.getSecret("warehouse"))).toEqual({ "GET data": 1 });
    expect(await requestsOf(one, () => manager.replaceSecret(whole))).toEqual({ "GET data": 1, "POST data": 1 });
    const { revision } = await manager.getSecret("warehouse");
    expect(await requestsOf(one, () => manager.replaceSecret({ ...whole, expected: revision ?? "" }))).toEqual({ "POST data": 1 });
    expect(await requestsOf(one, () => manager.updateSecret("warehouse", { values: { more: "b" } }))).toEqual({
      "GET data": 1,
      "POST data": 1,
    });
    expect(await requestsOf(one, () => Array.fromAsync(manager.history("warehouse")))).toEqual({ "GET metadata": 1 });
    expect(await requestsOf(one, () => manager.deleteSecret("warehouse"))).toEqual({ "GET data": 1, "DELETE metadata": 1 });
  });

  test("with soft_delete and custom_metadata each takes what the settings say more", async () => {
    const one = await start({ soft_delete: true, custom_metadata: true });
    const { manager } = one;
    expect(await requestsOf(one, () => manager.registerSecret({ name: "warehouse", values: { user: "etl" } }))).toEqual({
      "POST data": 1,
      "POST metadata": 1,
    });
    expect(await requestsOf(one, () => manager.getSecret("warehouse"))).toEqual({ "GET data": 1 });
    expect(await requestsOf(one, () => manager.replaceSecret(whole))).toEqual({ "GET data": 1, "POST data": 1 });
    expect(await requestsOf(one, () => Array.fromAsync(manager.listSecrets()))).toEqual({ "LIST metadata": 1, "GET metadata": 1 });
    expect(await requestsOf(one, () => manager.deleteSecret("warehouse"))).toEqual({ "GET data": 1, "DELETE data": 1 });
    expect(await requestsOf(one, () => manager.restoreSecret("warehouse"))).toEqual({ "GET data": 1, "POST undelete": 1 });
    expect(await requestsOf(one, () => manager.deleteSecret("warehouse", { immediate: true }))).toEqual({
      "GET data": 1,
      "DELETE metadata": 1,
    });
  });

  test("version 1 is looked at before each write: it has no condition", async () => {
    const one = await start({ mount: "kv1" });
    const { manager } = one;
    const written = { "GET kv1": 1, "POST kv1": 1 };
    expect(await requestsOf(one, () => manager.registerSecret({ name: "warehouse", values: { user: "etl" } }))).toEqual(written);
    expect(await requestsOf(one, () => manager.getSecret("warehouse"))).toEqual({ "GET kv1": 1 });
    expect(await requestsOf(one, () => manager.replaceSecret(whole))).toEqual(written);
    expect(await requestsOf(one, () => manager.deleteSecret("warehouse"))).toEqual({ "GET kv1": 1, "DELETE kv1": 1 });
  });

  test("a list of 1,000 names takes one request for each folder", async () => {
    const one = await start();
    fill(one, 1_000);
    one.mount.write("coffer/namespace/team-a/below/deeper/leaf", { a: "b" });
    one.mount.write("coffer/namespace/team-b/other", { a: "b" });
    let names: string[] = [];
    const requests = await requestsOf(one, async () => {
      names = (await Array.fromAsync(one.manager.listSecrets())).map(({ name }) => name);
    });
    expect(names).toHaveLength(1_001);
    expect(names).toContain("below/deeper/leaf");
    expect(requests).toEqual({ "LIST metadata": 3 });
  });

  test("1,000 values are read while they are listed: one request each, at most 32 at once, and the one that fails is named", async () => {
    const one = await start({}, { latencyMs: 2 });
    const names = fill(one, 1_000);
    const { emulator, manager } = one;
    emulator.server.faults.inject({ kind: "deny", name: "coffer/namespace/team-a/item-0500" });
    const listed = (async function* () {
      for await (const { name } of manager.listSecrets()) yield name;
    })();
    const read: string[] = [];
    const failed: Record<string, string> = {};
    const requests = await requestsOf(one, async () => {
      for await (const outcome of manager.getSecrets(listed)) {
        if ("error" in outcome) failed[outcome.name] = outcome.error.code;
        else read.push(String(outcome.secret.text["label"]));
      }
    });
    expect(failed).toEqual({ "item-0500": "permission_denied" });
    expect(read.toSorted()).toEqual(names.filter((name) => name !== "item-0500"));
    expect(requests).toEqual({ "LIST metadata": 1, "GET data": 1_000, "GET lookup-self": 1 });
    expect(emulator.server.mostAtOnce).toBeLessThanOrEqual(33);
    expect(emulator.server.mostAtOnce).toBeGreaterThan(8);
  });

  test("the version of the engine is asked for once, unless the settings tell it", async () => {
    const one = await openVault();
    opened.push(one);
    const manager = createSecretsManager(vault, one.settings);
    const requests = await requestsOf(one, () => Promise.all(Array.from({ length: 20 }, () => manager.hasSecret("absent"))));
    expect(requests).toEqual({ "GET mounts": 1, "GET data": 20 });
    const told = createSecretsManager(vault, { ...one.settings, kv_version: 2 });
    expect(await requestsOf(one, () => told.capabilities())).toEqual({});
  });

  test("a thousand calls that are refused ask once whether it is the token", async () => {
    const one = await start();
    one.emulator.server.faults.inject({ kind: "deny" });
    const requests = await requestsOf(one, async () => {
      const ended = await Promise.allSettled(Array.from({ length: 1_000 }, (_, index) => one.manager.getSecret(`item-${index}`)));
      expect(new Set(ended.map((each) => (each.status === "rejected" ? (each.reason as { code: string }).code : "done")))).toEqual(
        new Set(["permission_denied"]),
      );
    });
    expect(requests).toEqual({ "GET data": 1_000, "GET lookup-self": 1 });
  });

  test("72, 73, 74: an absent name is not there, an empty scope lists nothing, and a delete leaves neither versions nor metadata", async () => {
    const one = await start();
    const { manager, mount } = one;
    await expect(manager.getSecret("absent")).rejects.toMatchObject({ code: "not_found" });
    expect(await Array.fromAsync(manager.listSecrets())).toEqual([]);
    await manager.registerSecret({ name: "db", values: { a: "b" } });
    await manager.updateSecret("db", { values: { a: "c" } });
    await manager.deleteSecret("db");
    expect(mount.entry("coffer/namespace/team-a/db")).toBeUndefined();
    expect(await Array.fromAsync(manager.listSecrets())).toEqual([]);
  });

  test("76: two managers on two servers each use their own server and their own token", async () => {
    const [first, second] = [await start(), await start()];
    await first.manager.registerSecret({ name: "mine", values: { of: "first" } });
    await second.manager.registerSecret({ name: "mine", values: { of: "second" } });
    expect((await first.manager.getSecret("mine")).text["of"]).toBe("first");
    expect((await second.manager.getSecret("mine")).text["of"]).toBe("second");
    const mixed = createSecretsManager(vault, { ...first.settings, token: second.token });
    await expect(mixed.getSecret("mine")).rejects.toMatchObject({ code: "unauthenticated" });
    await first.manager.close();
    await expect(first.manager.getSecret("mine")).rejects.toMatchObject({ code: "closed" });
    expect(await second.manager.hasSecret("mine")).toBe(true);
  });
});
