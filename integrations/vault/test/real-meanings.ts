import { describe, expect, test } from "vitest";
import type { VaultSettings } from "../src/settings-types.ts";
import { managersOn, type OpenManager, type Running } from "./real-managers.ts";
import { tokenFor } from "./real-subject.ts";

/** What the flavor makes of the words of the server, and of what other tools have written there. */
export function meaningTests(running: Running): void {
  describe("what the flavor makes of it", () => {
    const open = managersOn(running);
    const managerOn: OpenManager = (settings, options = { scope: "global" }) => open({ token: running().rootToken, ...settings }, options);
    const name = (): string => `name-${crypto.randomUUID()}`;

    test("a token that the server does not know, and one that may do nothing", async () => {
      for (const kv_version of [undefined, 2] as const)
        await expect(managerOn({ token: "hvs.nobody", kv_version }).getSecret("a")).rejects.toMatchObject({ code: "unauthenticated" });
      const token = await tokenFor(running(), { policies: ["default"] });
      for (const kv_version of [undefined, 2] as const)
        await expect(managerOn({ token, kv_version }).getSecret("a")).rejects.toMatchObject({ code: "permission_denied" });
    });

    test("a mount, an engine and a version that are not there are never an absent secret", async () => {
      await running().tell("POST", "sys/mounts/transit", { body: { type: "transit" } });
      await expect(managerOn({ mount: "nothing" }).getSecret("a")).rejects.toMatchObject({ code: "permission_denied" });
      const wrong: readonly VaultSettings[] = [
        { mount: "nothing", kv_version: 2 },
        { mount: "nothing", kv_version: 1 },
        { mount: "transit" },
        { mount: "transit", kv_version: 2 },
        { mount: "secret", kv_version: 1 },
        { vault_namespace: "nowhere" },
        { vault_namespace: "nowhere", kv_version: 2 },
      ];
      for (const settings of wrong) {
        await expect(managerOn(settings).getSecret("a"), JSON.stringify(settings)).rejects.toMatchObject({ code: "invalid_settings" });
        await expect(Array.fromAsync(managerOn(settings).listSecrets())).rejects.toMatchObject({ code: "invalid_settings" });
        await expect(managerOn(settings).registerSecret({ name: "a", values: { a: "1" } })).rejects.toMatchObject({
          code: "invalid_settings",
          outcome: "not_applied",
        });
      }
    });

    test("a secret with more texts than the server takes is too large", async () => {
      const values = Object.fromEntries(Array.from({ length: 1_200 }, (_, at) => [`k${at}`, "v"]));
      for (const mount of ["secret", "kv1"])
        await expect(managerOn({ mount }).registerSecret({ name: name(), values })).rejects.toMatchObject({
          code: "too_large",
          outcome: "not_applied",
        });
    });

    test("what `bao kv delete` has deleted is neither there nor free", async () => {
      const one = name();
      await running().tell("POST", `secret/data/${one}`, { body: { data: { user: "etl" } } });
      await running().tell("DELETE", `secret/data/${one}`);
      const manager = managerOn({ soft_delete: true }, { scope: "none" });
      expect(await manager.hasSecret(one)).toBe(false);
      await expect(manager.registerSecret({ name: one, values: { user: "new" } })).rejects.toMatchObject({ code: "recently_deleted" });
      await manager.restoreSecret(one);
      expect((await manager.getSecret(one)).text).toEqual({ user: "etl" });
    });

    test("numbers, nested objects and the like, written by other hands, are text", async () => {
      const one = name();
      const body = '{"port":5432,"ratio":0.5,"id":9007199254740993,"on":true,"none":null,"list":[1,"a"],"nested":{"a":{"b":1}}}';
      await running().tell("POST", `secret/data/${one}`, { body: `{"data":${body}}` });
      await running().tell("POST", `kv1/${one}`, { body });
      for (const mount of ["secret", "kv1"]) {
        const { text } = await managerOn({ mount }, { scope: "none" }).getSecret(one);
        expect({ ...text }, mount).toEqual({
          port: "5432",
          ratio: "0.5",
          // Version 2 of the engine rounds what is written to it to a double; version 1 does not.
          id: mount === "kv1" ? "9007199254740993" : "9007199254740992",
          on: "true",
          list: '[1,"a"]',
          nested: '{"a":{"b":1}}',
        });
      }
    });

    test("a name with two dots in a row is one with version 1, too, and stands as it is in scope none alone", async () => {
      const folder = name();
      const one = `${folder}/a..b`;
      await running().tell("POST", `kv1/${folder}/..c/d`, { body: { user: "theirs" } });
      const manager = managerOn({ mount: "kv1" }, { scope: "none" });
      expect(await manager.hasSecret(one)).toBe(false);
      await manager.registerSecret({ name: one, values: { user: "etl" } });
      await manager.replaceSecret({ name: one, schema: "arbitrary", values: { user: "new" }, adopt: true });
      expect((await running().tell("GET", `kv1/${one}`))["data"]).toEqual({ user: "new" });
      expect((await manager.getSecret(`${folder}/..c/d`)).text).toEqual({ user: "theirs" });
      const listed = await Array.fromAsync(manager.listSecrets({ prefix: `${folder}/` }));
      expect(listed.map((info) => info.name).toSorted()).toEqual([`${folder}/..c/d`, one]);
      await manager.deleteSecret(one);
      expect(await manager.hasSecret(one)).toBe(false);
      const ours = managerOn({ mount: "kv1" });
      await ours.registerSecret({ name: one, values: { user: "etl" } });
      expect((await running().tell("GET", `kv1/coffer/global/${folder}/a.=2eb`))["data"]).toEqual({ user: "etl" });
    });

    test("a replacement keeps what others have written into the custom metadata", async () => {
      const one = name();
      await running().tell("POST", `secret/metadata/${one}`, { body: { custom_metadata: { owner: "data team" } } });
      await running().tell("POST", `secret/data/${one}`, { body: { data: { user: "etl" } } });
      const manager = managerOn({ custom_metadata: true }, { scope: "none" });
      await expect(manager.replaceSecret({ name: one, schema: "arbitrary", values: { user: "new" } })).rejects.toMatchObject({
        code: "conflict",
        retryable: false,
      });
      await manager.replaceSecret({ name: one, schema: "arbitrary", values: { user: "new" }, adopt: true });
      const { data } = await running().tell("GET", `secret/metadata/${one}`);
      expect((data as { readonly custom_metadata: unknown }).custom_metadata).toEqual({ owner: "data team", "managed-by": "coffer" });
    });
  });
}
