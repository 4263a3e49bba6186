import { describe, expect, test } from "vitest";
import { collect, failure, onEmulator } from "./laboratory.ts";

const values = { user: "etl", password: "correct horse" };

describe("how many requests an operation takes", () => {
  test("get: 1, found or not", () =>
    onEmulator(async ({ manager, counts }) => {
      const secrets = manager();
      await secrets.registerSecret({ name: "warehouse", values });
      counts();
      await secrets.getSecret("warehouse");
      expect(counts()).toEqual({ GetSecretValue: 1 });
      expect(await secrets.hasSecret("absent")).toBe(false);
      expect(counts()).toEqual({ GetSecretValue: 1 });
    }));

  test("55, 60: register: 1, with value, marker, key and tags in it; a second one finds the name taken", () =>
    onEmulator(async ({ manager, counts, emulator }) => {
      const secrets = manager({}, { kms_key: "alias/team", tags: { team: "etl" } });
      await secrets.registerSecret({ name: "warehouse", values });
      expect(counts()).toEqual({ CreateSecret: 1 });
      expect((await failure(secrets.registerSecret({ name: "warehouse", values }))).code).toBe("already_exists");
      expect(counts()).toEqual({ CreateSecret: 1 });
      expect(emulator.received[0]?.input).toMatchObject({
        Name: "coffer/global/warehouse",
        KmsKeyId: "alias/team",
        Tags: [
          { Key: "managed-by", Value: "coffer" },
          { Key: "team", Value: "etl" },
        ],
      });
    }));

  test("replace: 1, with the check that the secret exists", () =>
    onEmulator(async ({ manager, counts }) => {
      const secrets = manager();
      await secrets.registerSecret({ name: "warehouse", values });
      counts();
      await secrets.replaceSecret({ name: "warehouse", schema: "arbitrary", values });
      expect(counts()).toEqual({ PutSecretValue: 1 });
      expect((await failure(secrets.replaceSecret({ name: "absent", schema: "arbitrary", values }))).code).toBe("not_found");
      expect(counts()).toEqual({ PutSecretValue: 1 });
    }));

  test("replace, compare-and-swap: 2", () =>
    onEmulator(async ({ manager, counts }) => {
      const secrets = manager();
      const { revision } = await secrets.registerSecret({ name: "warehouse", values });
      counts();
      await secrets.replaceSecret({ name: "warehouse", schema: "arbitrary", values, expected: revision ?? "" });
      expect(counts()).toEqual({ PutSecretValue: 1, UpdateSecretVersionStage: 1 });
      const refused = await failure(secrets.replaceSecret({ name: "warehouse", schema: "arbitrary", values, expected: revision ?? "" }));
      expect(refused).toMatchObject({ code: "conflict", retryable: true, outcome: "not_applied" });
      expect(counts()).toEqual({ PutSecretValue: 1, UpdateSecretVersionStage: 1 });
    }));

  test("update: 3, a read and a compare-and-swap, in scope none too", () =>
    onEmulator(async ({ manager, counts }) => {
      for (const scope of ["global", "none"] as const) {
        const secrets = manager({ scope });
        await secrets.registerSecret({ name: "warehouse", values });
        counts();
        await secrets.updateSecret("warehouse", { values: { password: "new" } });
        expect(counts()).toEqual({ GetSecretValue: 1, PutSecretValue: 1, UpdateSecretVersionStage: 1 });
      }
    }));

  test("replace in scope none: 1 more, to see whose it is; with adopt 1 more, to make it ours", () =>
    onEmulator(async ({ manager, counts, emulator }) => {
      emulator.plant("theirs", "{}");
      const secrets = manager({ scope: "none" });
      const change = { name: "theirs", schema: "arbitrary", values } as const;
      expect(await failure(secrets.replaceSecret(change))).toMatchObject({ code: "conflict", retryable: false });
      expect(counts()).toEqual({ DescribeSecret: 1 });
      await secrets.replaceSecret({ ...change, adopt: true });
      expect(counts()).toEqual({ TagResource: 1, PutSecretValue: 1 });
      await secrets.replaceSecret(change);
      expect(counts()).toEqual({ DescribeSecret: 1, PutSecretValue: 1 });
    }));

  test("delete: 1 with the recovery window", () =>
    onEmulator(async ({ manager, counts, emulator }) => {
      const secrets = manager({}, { recovery_window_days: 7 });
      await secrets.registerSecret({ name: "warehouse", values });
      counts();
      await secrets.deleteSecret("warehouse");
      expect(counts()).toEqual({ DeleteSecret: 1 });
      expect(emulator.received.at(-1)?.input).toEqual({ SecretId: "coffer/global/warehouse", RecoveryWindowInDays: 7 });
      expect((await failure(secrets.deleteSecret("warehouse"))).code).toBe("not_found");
      expect(counts()).toEqual({ DeleteSecret: 1 });
    }));

  test("58: delete, immediate: 2, and looks until the name is free", () =>
    onEmulator(async ({ manager, counts, emulator }) => {
      const secrets = manager();
      await secrets.registerSecret({ name: "warehouse", values });
      counts();
      await secrets.deleteSecret("warehouse", { immediate: true });
      expect(counts()).toEqual({ DeleteSecret: 2, DescribeSecret: 1 });
      emulator.forcedDeletionMs = 300;
      await secrets.registerSecret({ name: "warehouse", values });
      await secrets.deleteSecret("warehouse", { immediate: true });
      expect(counts()["DescribeSecret"]).toBeGreaterThan(1);
      await secrets.registerSecret({ name: "warehouse", values });
    }));

  test("56: list 1,000 names: 10; read them all: 60, at most 8 at once, one that fails named", { timeout: 60_000 }, () =>
    onEmulator(
      async ({ manager, counts, emulator }) => {
        for (let index = 0; index < 1000; index += 1) {
          const name = `coffer/global/secret-${String(index).padStart(4, "0")}`;
          emulator.plant(name, JSON.stringify({ name })).tags.set("managed-by", "coffer");
        }
        const secrets = manager();
        expect(await collect(secrets.listSecrets())).toHaveLength(1000);
        expect(counts()).toEqual({ ListSecrets: 10 });
        emulator.deniedNames.add("coffer/global/secret-0500");
        const names = async function* (): AsyncGenerator<string> {
          for await (const { name } of secrets.listSecrets()) yield name;
        };
        const outcomes = await collect(secrets.getSecrets(names()));
        expect(emulator.server.mostAtOnce).toBeLessThanOrEqual(9); // eight batches, and the next page of the listing
        expect(counts()).toEqual({ ListSecrets: 10, BatchGetSecretValue: 50 });
        const failed = outcomes.filter((outcome) => "error" in outcome);
        expect(failed.map(({ name, error }) => [name, error.code])).toEqual([["secret-0500", "permission_denied"]]);
        expect(
          outcomes.filter((outcome) => "secret" in outcome && outcome.secret.text["name"] === `coffer/global/${outcome.name}`),
        ).toHaveLength(999);
        // With the names in hand nothing but the batches is under way.
        const known = outcomes.map(({ name }) => name);
        emulator.server.latencyMs = 20;
        expect(await collect(secrets.getSecrets(known))).toHaveLength(1000);
        expect(emulator.server.mostAtOnce).toBe(8);
        expect(counts()).toEqual({ BatchGetSecretValue: 50 });
      },
      { latencyMs: 5 },
    ),
  );

  test("read many, without the permission for batches: one by one after the first refusals", () =>
    onEmulator(async ({ manager, counts, emulator }) => {
      for (let index = 0; index < 200; index += 1) emulator.plant(`coffer/global/s-${index}`, "{}");
      emulator.deniedOperations.add("BatchGetSecretValue");
      const outcomes = await collect(manager().getSecrets(Array.from({ length: 200 }, (_, index) => `s-${index}`)));
      expect(outcomes.every((outcome) => "secret" in outcome)).toBe(true);
      const { BatchGetSecretValue: batches = 0, GetSecretValue: single } = counts();
      expect(single).toBe(200);
      expect(batches).toBeLessThanOrEqual(8);
      expect(emulator.server.mostAtOnce).toBeLessThanOrEqual(8);
    }));

  test("a history of 250 revisions: 3", () =>
    onEmulator(async ({ manager, counts, driver, emulator }) => {
      await driver();
      for (let index = 0; index < 250; index += 1) emulator.plant("coffer/global/old", String(index));
      const revisions = await collect(manager().history("old"));
      expect(revisions).toHaveLength(250);
      expect(revisions.filter(({ current }) => current)).toEqual([revisions[0]]);
      expect(counts()).toEqual({ ListSecretVersionIds: 3 });
    }));
});

test("revisions, schemas and times come with the listing, also after a change of the schema", () =>
  onEmulator(async ({ manager }) => {
    const secrets = manager();
    await secrets.registerSecret({ name: "warehouse", schema: "basic_auth", values: { username: "etl", password: "x" } });
    const { revision } = await secrets.replaceSecret({ name: "warehouse", schema: "mysql", values: { user: "etl" } });
    const [info] = await collect(secrets.listSecrets());
    expect(info).toMatchObject({ name: "warehouse", schema: "mysql", revision, managed: true });
    expect(info?.createdAt).toBeInstanceOf(Date);
    expect((await collect(secrets.history("warehouse"))).map(({ schema }) => schema)).toEqual(["mysql", "basic_auth"]);
  }));

test("57, T61: look-alikes beside a scope are not in it", () =>
  onEmulator(async ({ manager, emulator }) => {
    emulator.plant("coffer/namespace/team2/a", "{}");
    emulator.plant("coffer/namespace/team", "{}");
    emulator.plant("coffer/namespace/team/a", "{}");
    emulator.plant("other/coffer/namespace/team/a", "{}");
    const names = await collect(manager({ scope: "namespace", namespace: "team" }).listSecrets());
    expect(names.map(({ name }) => name)).toEqual(["a"]);
  }));

test("76: two managers in one process have a client each", () =>
  onEmulator(async ({ manager, emulator: first }) => {
    await onEmulator(
      async ({ manager: other, emulator: second }) => {
        const [mine, yours] = [manager(), other()];
        await mine.registerSecret({ name: "same", values: { of: "first" } });
        await yours.registerSecret({ name: "same", values: { of: "second" } });
        expect((await mine.getSecret("same")).text).toEqual({ of: "first" });
        expect((await yours.getSecret("same")).text).toEqual({ of: "second" });
        await mine.close();
        expect(await yours.hasSecret("same")).toBe(true);
        expect([first.server.count("CreateSecret"), second.server.count("CreateSecret")]).toEqual([1, 1]);
      },
      { region: "us-east-1" },
    );
  }));
