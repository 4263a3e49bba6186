import { describe, expect, test } from "vitest";
import { enableLogins, POLICY, roleWith, secretIdOf } from "./real-logins.ts";
import { managersOn, type Running } from "./real-managers.ts";
import { tokenFor } from "./real-subject.ts";

/** What the namespaces of the server keep apart. */
export function namespaceTests(running: Running): void {
  describe("namespaces of OpenBao", () => {
    const managerOn = managersOn(running);
    test("the same name in two namespaces, one within the other, is two secrets", async () => {
      const team = `team-${crypto.randomUUID()}`;
      await running().tell("POST", `sys/namespaces/${team}`);
      await running().tell("POST", "sys/namespaces/inner", { namespace: team });
      const places = [undefined, team, `${team}/inner`];
      for (const namespace of places.slice(1))
        await running().tell("POST", "sys/mounts/secret", { body: { type: "kv", options: { version: "2" } }, namespace: namespace ?? "" });
      const managers = places.map((place) =>
        managerOn({ token: running().rootToken, vault_namespace: place }, { scope: "namespace", namespace: team }),
      );
      for (const [at, manager] of managers.entries()) await manager.registerSecret({ name: "warehouse", values: { place: String(at) } });
      const texts = await Promise.all(managers.map(async (manager) => (await manager.getSecret("warehouse")).text["place"]));
      expect(texts).toEqual(["0", "1", "2"]);
      await managers[1]?.deleteSecret("warehouse");
      expect(await Promise.all(managers.map((manager) => manager.hasSecret("warehouse")))).toEqual([true, false, true]);
    });

    test("AppRole signs in within the namespace, and its token is good nowhere else", async () => {
      const namespace = `team-${crypto.randomUUID()}`;
      await running().tell("POST", `sys/namespaces/${namespace}`);
      await running().tell("POST", "sys/mounts/secret", { body: { type: "kv", options: { version: "2" } }, namespace });
      await enableLogins(running(), namespace);
      const role = await roleWith(running(), { token_ttl: "1h" }, namespace);
      const settings = { role_id: role.roleId, secret_id: await secretIdOf(running(), role, namespace), vault_namespace: namespace };
      await managerOn(settings).registerSecret({ name: "warehouse", values: { user: "etl" } });
      // The role is not known in the namespace above.
      await expect(managerOn({ ...settings, vault_namespace: undefined }).getSecret("warehouse")).rejects.toMatchObject({
        code: "unauthenticated",
      });
      const token = await tokenFor(running(), { policies: [POLICY] }, namespace);
      await managerOn({ token, vault_namespace: namespace }).registerSecret({ name: "warehouse", values: { user: "etl" } });
      await expect(managerOn({ token, kv_version: 2 }).getSecret("warehouse")).rejects.toMatchObject({
        code: expect.stringMatching(/^(?:permission_denied|unauthenticated)$/) as string,
      });
    });
  });
}
