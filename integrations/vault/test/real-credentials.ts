import { describe, expect, test } from "vitest";
import type { VaultSettings } from "../src/settings-types.ts";
import { POLICY, revokeAll, roleWith, secretIdOf, tokensOf } from "./real-logins.ts";
import { managersOn, type Running } from "./real-managers.ts";
import { tokenFor } from "./real-subject.ts";
import { fileOf } from "./subject.ts";

/** How the flavor signs in, and stays so. */
export function credentialTests(running: Running): void {
  describe("credentials on OpenBao", () => {
    const managerOn = managersOn(running);
    test("AppRole signs in once for all calls, and again after its token was revoked", async () => {
      const role = await roleWith(running(), { token_ttl: "1h" });
      const manager = managerOn({ role_id: role.roleId, secret_id: await secretIdOf(running(), role) });
      await manager.registerSecret({ name: "warehouse", values: { user: "etl" } });
      await Promise.all(Array.from({ length: 8 }, () => manager.getSecret("warehouse")));
      const [first, ...others] = await tokensOf(running(), role);
      expect(others).toEqual([]);
      await revokeAll(running(), role);
      expect(await tokensOf(running(), role)).toEqual([]);
      expect((await manager.getSecret("warehouse")).text).toEqual({ user: "etl" });
      await manager.updateSecret("warehouse", { values: { user: "other" } });
      const [second, ...more] = await tokensOf(running(), role);
      expect(more).toEqual([]);
      expect(second?.accessor).not.toBe(first?.accessor);
    });

    test("a write whose token was revoked is made once, with the next token", async () => {
      const role = await roleWith(running(), { token_ttl: "1h" });
      const manager = managerOn({ role_id: role.roleId, secret_id: await secretIdOf(running(), role) });
      await manager.registerSecret({ name: "warehouse", values: { user: "etl" } });
      await revokeAll(running(), role);
      await manager.updateSecret("warehouse", { values: { user: "other" } });
      const revisions = await Array.fromAsync(manager.history("warehouse"));
      expect(revisions.map(({ revision }) => revision)).toEqual(["2", "1"]);
    });

    test("a wrapped secret_id is unwrapped once, and serves the next login, too", async () => {
      const role = await roleWith(running(), { token_ttl: "1h" });
      const { wrap_info: info } = await running().tell("POST", `auth/approle/role/${role.name}/secret-id`, { wrapSeconds: 60 });
      const manager = managerOn({ role_id: role.roleId, secret_id: (info as { readonly token: string }).token, secret_id_wrapped: true });
      await manager.registerSecret({ name: "warehouse", values: { user: "etl" } });
      await revokeAll(running(), role);
      expect((await manager.getSecret("warehouse")).text).toEqual({ user: "etl" });
    });

    test("a wrapped secret_id that somebody else has unwrapped is refused", async () => {
      const role = await roleWith(running(), { token_ttl: "1h" });
      const { wrap_info: info } = await running().tell("POST", `auth/approle/role/${role.name}/secret-id`, { wrapSeconds: 60 });
      const { token } = info as { readonly token: string };
      await running().tell("POST", "sys/wrapping/unwrap", { token });
      const manager = managerOn({ role_id: role.roleId, secret_id: token, secret_id_wrapped: true });
      await expect(manager.getSecret("warehouse")).rejects.toMatchObject({ code: "unauthenticated", outcome: "not_applied" });
    });

    test("a wrong secret_id, a wrong role_id and a wrong password are a refused login", async () => {
      const role = await roleWith(running(), {});
      await running().tell("POST", "auth/userpass/users/etl", { body: { password: "right", token_policies: [POLICY] } });
      const wrong: readonly VaultSettings[] = [
        { role_id: role.roleId, secret_id: crypto.randomUUID() },
        { role_id: crypto.randomUUID(), secret_id: await secretIdOf(running(), role) },
        { username: "etl", password: "wrong" },
        { username: "nobody", password: "right" },
      ];
      for (const settings of wrong)
        await expect(managerOn(settings).getSecret("warehouse")).rejects.toMatchObject({ code: "unauthenticated", retryable: false });
      await managerOn({ username: "etl", password: "right" }).registerSecret({ name: "warehouse", values: { user: "etl" } });
    });

    test("the token of a login is renewed before its time is over", async () => {
      const role = await roleWith(running(), { token_ttl: "3s", token_max_ttl: "1h" });
      const manager = managerOn({ role_id: role.roleId, secret_id: await secretIdOf(running(), role) });
      await manager.registerSecret({ name: "warehouse", values: { user: "etl" } });
      const [before] = await tokensOf(running(), role);
      expect(before?.last_renewal_time).toBeUndefined();
      await expect.poll(async () => (await tokensOf(running(), role))[0]?.last_renewal_time, { timeout: 20_000 }).toBeGreaterThan(0);
      // The same one.
      expect((await tokensOf(running(), role)).map(({ accessor }) => accessor)).toEqual([before?.accessor]);
    });

    test("with renew_token the token of the settings is renewed, too", async () => {
      const token = await tokenFor(running(), { policies: [POLICY], ttl: "3s", explicit_max_ttl: "1h" });
      const manager = managerOn({ token, renew_token: true });
      await manager.registerSecret({ name: "warehouse", values: { user: "etl" } });
      const renewed = async (): Promise<unknown> => {
        const { data } = await running().tell("POST", "auth/token/lookup", { body: { token } });
        return (data as { readonly last_renewal_time?: number }).last_renewal_time;
      };
      await expect.poll(renewed, { timeout: 20_000 }).toBeGreaterThan(0);
      expect((await manager.getSecret("warehouse")).text).toEqual({ user: "etl" });
    });

    test("a token whose time is over is no lack of permission, and a token that may not read is one", async () => {
      const short = await tokenFor(running(), { policies: [POLICY], ttl: "1s", renewable: false });
      const manager = managerOn({ token: short, kv_version: 2 });
      const isOver = async (): Promise<number> => (await running().ask("POST", "auth/token/lookup", { body: { token: short } })).status;
      await expect.poll(isOver, { timeout: 20_000 }).toBe(403);
      await expect(manager.getSecret("warehouse")).rejects.toMatchObject({ code: "unauthenticated" });
      const poor = await tokenFor(running(), { policies: ["default"] });
      await expect(managerOn({ token: poor, kv_version: 2 }).getSecret("warehouse")).rejects.toMatchObject({ code: "permission_denied" });
    });

    test("a token in a file is read again when the old one was revoked", async () => {
      const [first, second] = [await tokenFor(running(), { policies: [POLICY] }), await tokenFor(running(), { policies: [POLICY] })];
      const file = fileOf("openbao-token", `${first}\n`);
      const manager = managerOn({ token_file: file });
      await manager.registerSecret({ name: "warehouse", values: { user: "etl" } });
      fileOf("openbao-token", `${second}\n`);
      await running().tell("POST", "auth/token/revoke", { body: { token: first } });
      expect((await manager.getSecret("warehouse")).text).toEqual({ user: "etl" });
    });
  });
}
