import { createSecretsManager, type SecretsManager } from "@coffer/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { azure } from "../src/index.ts";
import { type OpenedAzure, openAzure } from "./subject.ts";

describe("secrets of other tools", () => {
  let one: OpenedAzure;
  let own: SecretsManager;
  let team: SecretsManager;
  beforeAll(async () => {
    one = await openAzure();
    own = createSecretsManager(azure, one.settings, { scope: "none" });
    team = createSecretsManager(azure, one.settings, { scope: "namespace", namespace: "team" });
  });
  afterAll(async () => {
    for (const manager of [own, team]) await manager.close();
    await one.driver.close?.();
    await one.dispose?.();
  });
  const plant = (
    name: string,
    value: string,
    more: { readonly tags?: Record<string, string>; readonly contentType?: string; readonly expires?: number } = {},
  ): void => void one.emulator.vault.set(name, { value, ...more });
  const names = async (manager: SecretsManager): Promise<string[]> =>
    (await Array.fromAsync(manager.listSecrets())).map(({ name }) => name).toSorted();

  test("a plain string, JSON with numbers and nested objects, and a database's secret are read as they are documented", async () => {
    plant("plain", "correct horse");
    plant("json", '{"port":5432,"id":12345678901234567890,"on":true,"none":null,"list":[1,2],"nested":{"a":"b"}}');
    plant("rds", '{"username":"admin","password":"p","engine":"mysql","host":"h","port":3306}', { contentType: "application/json" });
    expect({ ...(await own.getSecret("plain")).text }).toEqual({ value: "correct horse" });
    expect({ ...(await own.getSecret("json")).text }).toEqual({
      port: "5432",
      id: "12345678901234567890",
      on: "true",
      list: "[1,2]",
      nested: '{"a":"b"}',
    });
    expect((await own.getSecret("rds")).text["port"]).toBe("3306");
  });

  test("66, 68: a secret is one entry: its path in hyphens with the marker in tags, or in scope none the vault's own name", async () => {
    await team.registerSecret({ name: "a/b_c", values: { user: "etl", password: "p" } });
    const scoped = one.emulator.vault.get("coffer-x2fnamespace-x2fteam-x2fa-x2fb-x5fc").version;
    expect(scoped.tags).toMatchObject({ "managed-by": "coffer", "coffer-name": "coffer/namespace/team/a/b_c" });
    expect(JSON.parse(scoped.value)).toEqual({ user: "etl", password: "p" });
    const before = await names(own);
    await own.registerSecret({ name: "two-keys", values: { user: "etl", password: "p" } });
    expect(await names(own)).toEqual([...before, "two-keys"].toSorted());
    expect(JSON.parse(one.emulator.vault.get("two-keys").version.value)).toEqual({ user: "etl", password: "p" });
    await team.deleteSecret("a/b_c", { immediate: true });
  });

  test("bytes in base64, as Azure's tools store them, stay the base64 text that they are", async () => {
    plant("pfx", "MIIKcQIBAzCC/w==", { contentType: "application/x-pkcs12" });
    expect({ ...(await own.getSecret("pfx")).text }).toEqual({ value: "MIIKcQIBAzCC/w==" });
  });

  test("a payload of the system that this one follows tells its schema", async () => {
    plant("former", '{"user":"etl","password":"p","zenml_schema_name":"mysql"}');
    const secret = await own.getSecret("former", { validate: false });
    expect(secret.schema.type).toBe("mysql");
    expect({ ...secret.text }).toEqual({ user: "etl", password: "p" });
  });

  test("without adopt it is not replaced; with it the tags and dates of the other tool stay", async () => {
    const expires = Math.floor(Date.now() / 1000) + 86_400;
    plant("console", "old", { tags: { "cost-center": "42" }, expires });
    await expect(own.replaceSecret({ name: "console", schema: "arbitrary", values: { value: "new" } })).rejects.toMatchObject({
      code: "conflict",
      retryable: false,
    });
    await own.replaceSecret({ name: "console", schema: "arbitrary", values: { value: "new" }, adopt: true });
    const { version } = one.emulator.vault.get("console");
    expect(version.tags).toMatchObject({ "cost-center": "42", "managed-by": "coffer", "coffer-name": "console" });
    expect(version).toMatchObject({ expires, contentType: "application/json", value: '{"value":"new"}' });
    await own.updateSecret("console", { values: { value: "newer" } });
    expect(one.emulator.vault.get("console").version.tags).toMatchObject({ "cost-center": "42" });
  });

  test("where the tags of others leave no room, nothing is written", async () => {
    plant("full", "old", { tags: Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`tag-${index}`, "x"])) });
    await expect(own.replaceSecret({ name: "full", schema: "arbitrary", values: { a: "b" }, adopt: true })).rejects.toMatchObject({
      code: "invalid_request",
    });
    expect(one.emulator.vault.get("full").version.value).toBe("old");
  });

  test("a new version from the console takes the marker away: it is read, and not ours any more", async () => {
    await team.registerSecret({ name: "touched", values: { a: "ours" } });
    plant("coffer-x2fnamespace-x2fteam-x2ftouched", '{"a":"theirs"}');
    expect({ ...(await team.getSecret("touched")).text }).toEqual({ a: "theirs" });
    expect((await Array.fromAsync(team.listSecrets())).find(({ name }) => name === "touched")?.managed).toBe(false);
    await expect(team.replaceSecret({ name: "touched", schema: "arbitrary", values: { a: "again" } })).rejects.toMatchObject({
      code: "conflict",
    });
    await team.deleteSecret("touched", { immediate: true });
  });

  test("the secret of a certificate is neither listed, replaced nor deleted", async () => {
    one.emulator.vault.set("certificate", { value: "MIIK", contentType: "application/x-pkcs12" }, true);
    expect(await names(own)).not.toContain("certificate");
    for (const write of [
      () => own.replaceSecret({ name: "certificate", schema: "arbitrary", values: { a: "b" }, adopt: true }),
      () => own.deleteSecret("certificate"),
    ])
      await expect(write()).rejects.toMatchObject({ code: "conflict", retryable: false });
  });

  test("T61, T62: scopes that look alike list their own, and an entry of another tool in ours does not stop the listing", async () => {
    const team2 = createSecretsManager(azure, one.settings, { scope: "namespace", namespace: "team2" });
    await team.registerSecret({ name: "a", values: { of: "team" } });
    await team2.registerSecret({ name: "b", values: { of: "team2" } });
    plant("coffer-x2fnamespace-x2fteam-x2fintruder", "not json");
    plant("coffer-x2fnamespace-x2fteam-x2", "nor a name of ours");
    // A tag that claims another name than the one that leads here counts for nothing.
    plant("liar", "{}", { tags: { "managed-by": "coffer", "coffer-name": "coffer/namespace/team/a" } });
    expect(await names(team)).toEqual(["a", "intruder"]);
    expect(await names(team2)).toEqual(["b"]);
    expect({ ...(await team.getSecret("intruder")).text }).toEqual({ value: "not json" });
    expect(await team.deleteAllSecrets({ immediate: true })).toEqual({ deleted: 2 });
    expect(await names(team2)).toEqual(["b"]);
    await team2.close();
  });

  test("a disabled secret is disabled, never missing; it is taken for a new one, and can be deleted", async () => {
    await team.registerSecret({ name: "off", values: { a: "b" } });
    const inVault = "coffer-x2fnamespace-x2fteam-x2foff";
    one.emulator.vault.update(inVault, one.emulator.vault.get(inVault).version.id, { enabled: false });
    for (const call of [
      () => team.getSecret("off"),
      () => team.hasSecret("off"),
      () => team.replaceSecret({ name: "off", schema: "arbitrary", values: { a: "c" } }),
    ])
      await expect(call()).rejects.toMatchObject({ code: "disabled" });
    await expect(team.registerSecret({ name: "off", values: { a: "c" } })).rejects.toMatchObject({ code: "already_exists" });
    await expect(team.deleteSecret("OFF")).rejects.toMatchObject({ code: "not_found" });
    await team.deleteSecret("off");
  });
});
