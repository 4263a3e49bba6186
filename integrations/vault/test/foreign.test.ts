import { createSecretsManager, type SecretsManager, type SecretsManagerOptions } from "@coffer/core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { vault } from "../src/index.ts";
import type { VaultSettings } from "../src/settings-types.ts";
import { type OpenedVault, openVault } from "./subject.ts";

const opened: OpenedVault[] = [];
const managers: SecretsManager[] = [];
afterEach(async () => {
  for (const manager of managers.splice(0)) await manager.close();
  for (const one of opened.splice(0)) {
    await one.driver.close?.();
    await one.dispose?.();
  }
});

async function start(settings: VaultSettings = {}): Promise<OpenedVault & { manager(options?: SecretsManagerOptions): SecretsManager }> {
  const one = await openVault(settings);
  opened.push(one);
  return {
    ...one,
    manager(options = { scope: "none" }) {
      const manager = createSecretsManager(vault, one.settings, options);
      managers.push(manager);
      return manager;
    },
  };
}

async function namesOf(manager: SecretsManager): Promise<string[]> {
  return (await Array.fromAsync(manager.listSecrets())).map(({ name }) => name).toSorted();
}

const change = { name: "theirs", schema: "arbitrary", values: { a: "new" } } as const;

describe("secrets of other tools", () => {
  test("numbers, booleans, nested objects and a plain value are read as they are documented, in both versions", async () => {
    for (const settings of [{}, { mount: "kv1" }]) {
      const { mount, manager } = await start(settings);
      const own = manager();
      mount.write("app/db", { port: 5432, on: true, none: null, list: [1, 2], nested: { a: "b" }, user: "etl" });
      mount.write("plain", { value: "correct horse" });
      mount.write("rds", { username: "admin", password: "p", engine: "mysql", host: "h", port: 3306 });
      expect({ ...(await own.getSecret("app/db")).text }).toEqual({
        port: "5432",
        on: "true",
        list: "[1,2]",
        nested: '{"a":"b"}',
        user: "etl",
      });
      expect({ ...(await own.getSecret("plain")).text }).toEqual({ value: "correct horse" });
      expect((await own.getSecret("rds")).text["port"]).toBe("3306");
      expect(await namesOf(own)).toEqual(["app/db", "plain", "rds"]);
    }
  });

  test("a payload of the system that this one follows tells its schema", async () => {
    const { mount, manager } = await start();
    mount.write("former", { user: "etl", password: "p", zenml_schema_name: "mysql" });
    const secret = await manager().getSecret("former", { validate: false });
    expect(secret.schema.type).toBe("mysql");
    expect({ ...secret.text }).toEqual({ user: "etl", password: "p" });
  });

  test("without adopt it is not replaced; with custom_metadata it is marked then, and what others have put there stays", async () => {
    const { mount, manager, emulator } = await start({ custom_metadata: true });
    const own = manager();
    mount.write("theirs", { a: "old" });
    mount.writeMetadata("theirs", { customMetadata: { "cost-center": "42" } });
    await expect(own.replaceSecret(change)).rejects.toMatchObject({ code: "conflict", retryable: false });
    expect(mount.read("theirs")?.data).toEqual({ a: "old" });
    await own.replaceSecret({ ...change, adopt: true });
    expect(mount.entry("theirs")?.customMetadata).toEqual({ "cost-center": "42", "managed-by": "coffer" });
    await own.updateSecret("theirs", { values: { a: "newer" } });
    expect(mount.read("theirs")?.data).toEqual({ a: "newer" });
    const listed = await Array.fromAsync(own.listSecrets());
    expect(listed).toMatchObject([{ name: "theirs", managed: true }]);
    expect(emulator.server.count("POST metadata")).toBe(1);
  });

  test("where nothing is marked, nothing counts as ours in scope none: each replacement needs adopt, and delete-all is refused", async () => {
    for (const settings of [{}, { mount: "kv1" }]) {
      const { mount, manager } = await start(settings);
      const own = manager();
      mount.write("theirs", { a: "old" });
      await expect(own.replaceSecret(change)).rejects.toMatchObject({ code: "conflict", retryable: false });
      await expect(own.updateSecret("theirs", { values: { a: "new" } })).rejects.toMatchObject({ code: "conflict" });
      await own.updateSecret("theirs", { values: { a: "new" }, adopt: true });
      expect(mount.read("theirs")?.data).toEqual({ a: "new" });
      await expect(own.deleteAllSecrets()).rejects.toMatchObject({ code: "unsupported" });
      expect(mount.keys()).toEqual(["theirs"]);
    }
  });

  test("with custom_metadata delete-all in scope none takes what is marked and leaves the rest", async () => {
    const { mount, manager } = await start({ custom_metadata: true });
    const own = manager();
    mount.write("theirs", { a: "old" });
    await own.registerSecret({ name: "ours", values: { a: "b" } });
    expect(await own.deleteAllSecrets()).toMatchObject({ deleted: 1 });
    expect(mount.keys()).toEqual(["theirs"]);
  });

  test("what others have put into the custom metadata also stays when a deleted secret is written anew", async () => {
    const { mount, manager } = await start({ custom_metadata: true });
    mount.write("coffer/global/db", { a: "old" });
    mount.writeMetadata("coffer/global/db", { customMetadata: { "cost-center": "42" } });
    mount.softDelete("coffer/global/db");
    await manager({ scope: "global" }).registerSecret({ name: "db", values: { a: "new" } }, { onDeleted: "restore" });
    expect(mount.entry("coffer/global/db")?.customMetadata).toEqual({ "cost-center": "42", "managed-by": "coffer" });
  });

  test("and what they have put there before the secret had a value", async () => {
    const { mount, manager } = await start({ custom_metadata: true });
    const name = "coffer/global/db";
    mount.writeMetadata(name, { customMetadata: { "cost-center": "42" } });
    await manager({ scope: "global" }).registerSecret({ name: "db", values: { a: "b" } });
    expect(mount.entry(name)?.customMetadata).toEqual({ "cost-center": "42", "managed-by": "coffer" });
  });

  test("a marker that may not be written says so: the value is there", async () => {
    const { emulator, settings, mount } = await start({ custom_metadata: true, kv_version: 2 });
    const manager = createSecretsManager(vault, { ...settings, token: emulator.auth.issue({ policy: "no_metadata" }) });
    managers.push(manager);
    const error = (await manager.registerSecret({ name: "db", values: { a: "b" } }).catch((reason: unknown) => reason)) as Error;
    expect(error).toMatchObject({ code: "permission_denied", outcome: "unknown" });
    expect(error.message).toMatch(/marker.*was not/);
    expect(mount.read("coffer/global/db")?.data).toEqual({ a: "b" });
  });

  test("T96: a clock that is 20 minutes off neither brings deleted secrets back nor hides others", async () => {
    const { mount, manager } = await start({ soft_delete: true });
    const own = manager({ scope: "global" });
    await own.registerSecret({ name: "stays", values: { a: "b" } });
    mount.write("coffer/global/gone", { a: "b" });
    mount.softDelete("coffer/global/gone");
    for (const offMs of [-20 * 60_000, 20 * 60_000]) {
      vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + offMs });
      expect(await namesOf(own)).toEqual(["stays"]);
      await expect(Array.fromAsync(own.history("gone"))).rejects.toMatchObject({ code: "not_found" });
      expect(await Array.fromAsync(own.history("stays"))).toHaveLength(1);
      vi.useRealTimers();
    }
  });

  test("T61, T62: scopes that look alike list their own, and an entry of another tool in ours is read like any other", async () => {
    const { mount, manager } = await start();
    const team = manager({ scope: "namespace", namespace: "team" });
    const team2 = manager({ scope: "namespace", namespace: "team2" });
    await team.registerSecret({ name: "a", values: { of: "team" } });
    await team2.registerSecret({ name: "b", values: { of: "team2" } });
    mount.write("coffer/namespace/team/intruder", { n: 1 });
    mount.write("coffer/namespace/team/not a portable name", { n: 1 });
    expect(await namesOf(team)).toContain("intruder");
    expect(await namesOf(team2)).toEqual(["b"]);
    expect({ ...(await team.getSecret("intruder")).text }).toEqual({ n: "1" });
  });

  test("T89, T91: a secret that `vault kv delete` took away is not there, its name is reserved, and there are ways out", async () => {
    const { mount, manager } = await start();
    const team = manager({ scope: "global" });
    const register = { name: "db", values: { a: "new" } } as const;
    const lose = async (): Promise<void> => {
      mount.write("coffer/global/db", { a: "old" });
      mount.softDelete("coffer/global/db");
      await expect(team.getSecret("db")).rejects.toMatchObject({ code: "not_found" });
      const error = await team.registerSecret(register).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "recently_deleted" });
      expect(String((error as { readonly hint?: string }).hint)).toMatch(/undelete.*onDeleted.*immediate/);
    };
    await lose();
    await team.registerSecret(register, { onDeleted: "restore" });
    expect(await team.getSecret("db")).toMatchObject({ revision: "2" });
    await team.deleteSecret("db");
    await lose();
    await expect(team.deleteSecret("db")).rejects.toMatchObject({ code: "not_found" });
    await team.deleteSecret("db", { immediate: true });
    await team.registerSecret(register);
    expect(await team.getSecret("db")).toMatchObject({ revision: "1" });
    // What was destroyed cannot come back, so nothing stands in the way of a new secret.
    mount.destroy("coffer/global/db", [1]);
    await team.registerSecret(register);
    expect(await team.getSecret("db")).toMatchObject({ revision: "2" });
  });
});
