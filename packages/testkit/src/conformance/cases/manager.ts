import assert from "node:assert/strict";
import { SecretsError } from "@coffer/core";
import { mysql } from "@coffer/core/schemas";
import {
  type CaseDefinition,
  comparesAndSwaps,
  declares,
  deletesSoftly,
  demand,
  fixtures,
  keepsRevisions,
  readsStrongly,
  writes,
} from "../definition.ts";
import { collect, recordOf } from "../lab.ts";
import { managerOn, secretsError } from "../manager-lab.ts";

const atomicSwap = declares("compareAndSwap", (value) => value === "atomic", "the driver declares no atomic compareAndSwap");

/** The main jobs of users, through the whole manager. */
export const managerCases: readonly CaseDefinition[] = [
  demand("manager: what is registered can be read, changed and deleted", [writes], async (lab) => {
    const { manager } = managerOn(lab);
    await manager.registerSecret({ name: "warehouse", values: { user: "etl", token: "first", port: 5432 } });
    await lab.expectContent(lab.name("warehouse"), recordOf({ user: "etl", token: "first", port: "5432" }));
    await manager.updateSecret("warehouse", { values: { token: "second" } });
    await lab.settle("readAfterWrite", async () => {
      const secret = await manager.getSecret("warehouse");
      assert.deepEqual({ ...secret.text }, { user: "etl", token: "second", port: "5432" });
      assert.equal(secret.schema.type, "arbitrary");
    });
    await manager.deleteSecret("warehouse");
    await lab.expectMissing(lab.name("warehouse"));
    assert.equal((await secretsError("getSecret", manager.getSecret("warehouse"))).code, "not_found");
    assert.equal(await manager.hasSecret("warehouse"), false);
  }),

  demand("manager: a secret with a schema comes back typed", [writes], async (lab) => {
    const { manager } = managerOn(lab);
    await manager.registerSecret({ name: "warehouse", schema: mysql, values: { user: "etl", ssl_verify_server_cert: "yes" } });
    await lab.settle("readAfterWrite", async () => assert.equal(await manager.hasSecret("warehouse"), true));
    const secret = await manager.getSecret("warehouse", mysql);
    assert.equal(secret.content.ssl_verify_server_cert, true);
    assert.equal(secret.content.user, "etl");
    assert.equal((await manager.getSecret("warehouse")).schema.type, "mysql", "the schema that the service tells");
  }),

  demand("manager: names are told without the path of their scope", [fixtures], async (lab) => {
    const { manager } = managerOn(lab);
    for (const name of ["team/a", "team/b", "team2/a", "z"]) await lab.create(lab.name(name), recordOf({ name }));
    await lab.expectNames(["team/a", "team/b", "team2/a", "z"].map((name) => lab.name(name)));
    const names = async (filter: Parameters<typeof manager.listSecrets>[0]): Promise<string[]> =>
      (await collect(manager.listSecrets(filter))).map(({ name }) => name).toSorted();
    await lab.settle("listing", async () => {
      assert.deepEqual(await names({}), ["team/a", "team/b", "team2/a", "z"]);
      assert.deepEqual(await names({ prefix: "team/" }), ["team/a", "team/b"]);
      assert.deepEqual(await names({ match: "team*/a" }), ["team/a", "team2/a"]);
    });
    await lab.expectContent(lab.name("team/a"), recordOf({ name: "team/a" }));
    assert.equal((await manager.getSecret("team/a")).name, "team/a");
  }),

  demand("manager: an update keeps the keys that it does not name, and removes those that it shall", [writes], async (lab) => {
    const { manager } = managerOn(lab);
    await lab.stored(lab.name("keys"), { user: "etl", token: "first", port: "5432" });
    await manager.updateSecret("keys", { values: { token: "second" }, removeKeys: ["port"] });
    await lab.expectContent(lab.name("keys"), recordOf({ user: "etl", token: "second" }));
  }),

  demand("manager: upsert creates first and replaces then", [writes, readsStrongly], async (lab) => {
    const { manager } = managerOn(lab);
    assert.equal((await manager.upsertSecret({ name: "both", values: { user: "first", old: "x" } })).created, true);
    assert.equal((await manager.upsertSecret({ name: "both", values: { user: "second" } })).created, false);
    assert.deepEqual({ ...(await manager.getSecret("both")).text }, { user: "second" });
  }),

  demand("manager: a rename takes values and schema along", [writes], async (lab) => {
    const { manager } = managerOn(lab);
    await lab.stored(lab.name("old"), { user: "etl" }, "mysql");
    const report = await manager.renameSecret("old", "new/name");
    assert.equal(report.name, "new/name");
    await lab.expectContent(lab.name("new/name"), recordOf({ user: "etl" }, "mysql"));
    await lab.expectMissing(lab.name("old"));
  }),

  demand("manager: a rename never overwrites", [writes], async (lab) => {
    const { manager } = managerOn(lab);
    await lab.stored(lab.name("old"), { user: "old" });
    await lab.stored(lab.name("taken"), { user: "taken" });
    assert.equal((await secretsError("renameSecret", manager.renameSecret("old", "taken"))).code, "already_exists");
    await lab.expectContent(lab.name("old"), recordOf({ user: "old" }));
    await lab.expectContent(lab.name("taken"), recordOf({ user: "taken" }));
  }),

  demand("manager: a copy goes into another namespace", [writes], async (lab) => {
    const { manager } = managerOn(lab);
    const namespace = `copy-${lab.id}`;
    const { manager: other } = managerOn(lab, { namespace, driver: await lab.second() });
    await lab.stored(lab.name("original"), { user: "etl" }, "mysql");
    await manager.copySecret("original", "copy", { manager: other });
    await lab.expectContent(lab.name("copy", namespace), recordOf({ user: "etl" }, "mysql"));
    await lab.expectContent(lab.name("original"), recordOf({ user: "etl" }, "mysql"));
  }),

  demand("manager: two namespaces that look alike are apart", [writes], async (lab) => {
    const managers = [`team-${lab.id}`, `team-${lab.id}2`, `team-${lab.id}.`].map((namespace) => managerOn(lab, { namespace }).manager);
    for (const [index, manager] of managers.entries()) {
      await manager.registerSecret({ name: "same", values: { index } });
      await manager.registerSecret({ name: `own-${index}`, values: { index } });
    }
    for (const [index, manager] of managers.entries()) {
      await lab.settle("listing", async () => {
        assert.deepEqual((await collect(manager.listSecrets())).map(({ name }) => name).toSorted(), [`own-${index}`, "same"]);
      });
      await lab.settle("readAfterWrite", async () => assert.equal((await getText(manager.getSecret("same")))["index"], String(index)));
    }
    await lab.settle("listing", async () => assert.equal((await collect(managers[0]?.listSecrets() ?? none())).length, 2));
    assert.deepEqual(await managers[0]?.deleteAllSecrets({ immediate: true }), { deleted: 2 });
    for (const manager of managers.slice(1)) {
      await lab.settle("readAfterWrite", async () => assert.equal(await manager.hasSecret("same"), true));
    }
  }),

  demand("manager: scopes are apart", [writes], async (lab) => {
    const name = `scoped-${lab.id}`;
    const scopes = [
      { scope: "global" },
      { scope: "namespace", namespace: `global-${lab.id}` },
      { scope: "component", componentId: crypto.randomUUID() },
    ] as const;
    const managers = scopes.map((scope) => managerOn(lab, scope).manager);
    for (const [index, manager] of managers.entries()) await manager.registerSecret({ name, values: { index } });
    for (const [index, manager] of managers.entries()) {
      await lab.settle("readAfterWrite", async () => assert.equal((await getText(manager.getSecret(name)))["index"], String(index)));
      await lab.settle("listing", async () => {
        assert.deepEqual(
          (await collect(manager.listSecrets({ prefix: name }))).map((info) => info.name),
          [name],
        );
      });
      await manager.deleteSecret(name, { immediate: true });
    }
  }),

  demand("manager: an update of a revision that is no longer current is a conflict", [writes, comparesAndSwaps], async (lab) => {
    const { manager } = managerOn(lab);
    await lab.stored(lab.name("swap"), { user: "first" });
    const { revision } = await manager.getSecret("swap");
    assert.ok(revision !== null, "a driver with compareAndSwap tells the revision of what it reads");
    await manager.updateSecret("swap", { values: { user: "second" } });
    await lab.expectContent(lab.name("swap"), recordOf({ user: "second" }));
    const error = await secretsError("updateSecret", manager.updateSecret("swap", { values: { user: "third" }, expected: revision }));
    assert.equal(error.code, "conflict");
    await lab.expectContent(lab.name("swap"), recordOf({ user: "second" }));
  }),

  demand("manager: updates of different keys at the same time are all kept", [writes, atomicSwap, readsStrongly], async (lab) => {
    const managers = [managerOn(lab).manager, managerOn(lab, { driver: await lab.second() }).manager];
    await lab.stored(lab.name("shared"), { start: "x" });
    const keys = Array.from({ length: 6 }, (_, index) => `key_${index}`);
    await Promise.all(keys.map(async (key, index) => managers[index % 2]?.updateSecret("shared", { values: { [key]: "x" } })));
    await lab.expectContent(lab.name("shared"), recordOf({ start: "x", ...Object.fromEntries(keys.map((key) => [key, "x"])) }));
  }),

  demand("manager: a rollback makes the old content current as a new revision", [writes, keepsRevisions], async (lab) => {
    const { manager } = managerOn(lab);
    await lab.stored(lab.name("rolled"), { user: "first" }, "mysql");
    const { revision } = await manager.getSecret("rolled", { validate: false });
    assert.ok(revision !== null);
    await lab.replace(lab.name("rolled"), recordOf({ user: "second" }));
    await lab.expectContent(lab.name("rolled"), recordOf({ user: "second" }));
    await manager.rollbackSecret("rolled", revision);
    await lab.expectContent(lab.name("rolled"), recordOf({ user: "first" }, "mysql"));
    await lab.settle("readAfterWrite", async () => assert.equal((await collect(manager.history("rolled"))).length, 3));
  }),

  demand("manager: what was deleted can be restored", [writes, deletesSoftly], async (lab) => {
    const { manager } = managerOn(lab);
    await lab.stored(lab.name("back"), { user: "first" });
    await manager.deleteSecret("back");
    await lab.expectMissing(lab.name("back"));
    await manager.restoreSecret("back");
    await lab.expectContent(lab.name("back"), recordOf({ user: "first" }));
  }),

  demand("manager: two managers on one service see each other's secrets", [writes], async (lab) => {
    const first = managerOn(lab).manager;
    const second = managerOn(lab, { driver: await lab.second() }).manager;
    await first.registerSecret({ name: "shared", values: { user: "first" } });
    for (const manager of [first, second])
      await lab.settle("readAfterWrite", async () => assert.deepEqual(await getText(manager.getSecret("shared")), { user: "first" }));
    await second.replaceSecret({ name: "shared", values: { user: "second" } });
    await lab.settle("readAfterWrite", async () => assert.deepEqual(await getText(first.getSecret("shared")), { user: "second" }));
  }),
];

/** The text of a secret; one that a late service does not show yet fails the check, which is then made again. */
async function getText(reading: Promise<{ readonly text: Readonly<Record<string, string>> }>): Promise<Record<string, string>> {
  try {
    return { ...(await reading).text };
  } catch (error) {
    if (SecretsError.isInstance(error) && error.code === "not_found") assert.fail("the secret reads as missing");
    throw error;
  }
}

async function* none(): AsyncIterable<never> {}
