import { describe, expect, test } from "vitest";
import { collect, failure, onEmulator } from "./laboratory.ts";

const RDS =
  '{"username":"admin","password":"p\\u0040ss","engine":"mysql","host":"db.example.com","port":3306,"dbInstanceIdentifier":"db-1","id":12345678901234567890,"tls":true,"proxy":null,"tags":{"a":[1,2]}}';

describe("secrets that others have written", () => {
  test("a plain string, JSON of the console, bytes and RDS are read as documented", () =>
    onEmulator(async ({ manager, emulator }) => {
      emulator.plant("plain", "just a password");
      emulator.plant("rds", RDS);
      emulator.plant("bytes", Uint8Array.of(0xff, 0x00, 0xfe));
      emulator.plant("pushed", Buffer.from('{"user":"eso"}'));
      emulator.plant("zenml", '{"zenml_schema_name":"basic_auth","username":"etl","password":"x"}');
      const secrets = manager({ scope: "none" });
      expect((await secrets.getSecret("plain")).text).toEqual({ value: "just a password" });
      expect((await secrets.getSecret("rds")).text).toEqual({
        username: "admin",
        password: "p@ss",
        engine: "mysql",
        host: "db.example.com",
        port: "3306",
        dbInstanceIdentifier: "db-1",
        id: "12345678901234567890",
        tls: "true",
        tags: '{"a":[1,2]}',
      });
      expect((await secrets.getSecret("bytes")).text).toEqual({ value: "/wD+" });
      expect((await secrets.getSecret("pushed")).text).toEqual({ user: "eso" });
      const former = await secrets.getSecret("zenml", "basic_auth" as never);
      expect(former.schema.type).toBe("basic_auth");
      const listed = await collect(secrets.listSecrets());
      expect(listed.map(({ managed, schema }) => ({ managed, schema }))).toEqual(
        Array.from({ length: 5 }, () => ({ managed: false, schema: null })),
      );
      const many = await collect(secrets.getSecrets(["plain", "rds", "bytes", "pushed", "zenml", "absent"]));
      expect(Object.fromEntries(many.map(({ name, ...rest }) => [name, "error" in rest ? rest.error.code : "read"]))).toEqual({
        absent: "not_found",
        bytes: "read",
        plain: "read",
        pushed: "read",
        rds: "read",
        zenml: "read",
      });
    }));

  test("they are only replaced with adopt, and keep the tags that they have", () =>
    onEmulator(async ({ manager, emulator }) => {
      emulator.plant("rds", RDS).tags.set("team", "etl");
      const secrets = manager({ scope: "none" });
      const refused = await failure(secrets.replaceSecret({ name: "rds", schema: "arbitrary", values: {} }));
      expect(refused).toMatchObject({ code: "conflict", retryable: false, outcome: "not_applied" });
      expect(refused.message).toContain("managed-by=coffer");
      expect(refused.hint).toContain("adopt");
      expect((await failure(secrets.updateSecret("rds", { values: { port: "3307" } }))).code).toBe("conflict");
      await secrets.updateSecret("rds", { values: { port: "3307" }, adopt: true });
      expect((await secrets.getSecret("rds")).text).toMatchObject({ port: "3307", username: "admin" });
      expect(Object.fromEntries(emulator.secrets.find("rds")?.tags ?? [])).toEqual({ team: "etl", "managed-by": "coffer" });
      await secrets.updateSecret("rds", { values: { port: "3308" } });
    }));

  test("what another service of AWS manages stays that service's", () =>
    onEmulator(async ({ manager, emulator }) => {
      emulator.plant("rds!db-1", "{}").tags.set("managed-by", "coffer");
      // The name has a character that only AWS itself may use.
      emulator.plant("owned", "{}", { owningService: "rds" }).tags.set("managed-by", "coffer");
      const secrets = manager({ scope: "none" });
      const refused = await failure(secrets.replaceSecret({ name: "owned", schema: "arbitrary", values: {} }));
      expect(refused).toMatchObject({ code: "conflict", retryable: false });
      expect(refused.message).toContain("Another service of AWS");
      const adopted = await failure(secrets.replaceSecret({ name: "owned", schema: "arbitrary", values: {}, adopt: true }));
      expect(adopted.code).toBe("invalid_request");
      expect(adopted.message).toContain("managed by rds");
    }));

  test("within our path an intruder is not updated by accident", () =>
    onEmulator(async ({ manager, emulator }) => {
      emulator.plant("coffer/global/intruder", '{"user":"other"}');
      const secrets = manager();
      expect(await failure(secrets.updateSecret("intruder", { values: { user: "ours" } }))).toMatchObject({
        code: "conflict",
        retryable: false,
      });
      expect((await secrets.getSecret("intruder")).text).toEqual({ user: "other" });
      await secrets.updateSecret("intruder", { values: { user: "ours" }, adopt: true });
      expect((await collect(secrets.listSecrets())).map(({ managed }) => managed)).toEqual([true]);
    }));

  test("a value that the console has put over ours is updated like ours: the secret is still marked", () =>
    onEmulator(async ({ manager, emulator }) => {
      const secrets = manager();
      await secrets.registerSecret({ name: "ours", values: { user: "etl" } });
      emulator.plant("coffer/global/ours", '{"user":"console"}');
      await secrets.updateSecret("ours", { values: { password: "new" } });
      expect((await secrets.getSecret("ours")).text).toEqual({ user: "console", password: "new" });
    }));

  test("T62 what is no JSON in our path spoils no listing", () =>
    onEmulator(async ({ manager, emulator }) => {
      emulator.plant("coffer/global/broken", "{not json");
      emulator.plant("coffer/global/not=ours", "x");
      const secrets = manager();
      await secrets.registerSecret({ name: "ours", values: {} });
      expect((await collect(secrets.listSecrets())).map(({ name, managed }) => [name, managed])).toEqual([
        ["broken", false],
        ["ours", true],
      ]);
      expect((await secrets.getSecret("broken")).text).toEqual({ value: "{not json" });
    }));

  test("deleteAllSecrets in scope none leaves them", () =>
    onEmulator(async ({ manager, emulator }) => {
      emulator.plant("theirs", "{}");
      const secrets = manager({ scope: "none" });
      await secrets.registerSecret({ name: "ours", values: {} });
      expect(await secrets.deleteAllSecrets()).toEqual({ deleted: 1 });
      expect(await secrets.hasSecret("theirs")).toBe(true);
    }));
});

describe("a secret without a value", () => {
  test("is there, and can be given one", () =>
    onEmulator(async ({ manager, emulator }) => {
      emulator.plant("coffer/global/shell", undefined);
      const secrets = manager();
      expect(await secrets.hasSecret("shell")).toBe(true);
      expect((await failure(secrets.registerSecret({ name: "shell", values: {} }))).code).toBe("already_exists");
      await secrets.replaceSecret({ name: "shell", schema: "arbitrary", values: { user: "etl" } });
      expect((await secrets.getSecret("shell")).text).toEqual({ user: "etl" });
      const [outcome] = await collect(secrets.getSecrets(["shell"]));
      expect(outcome !== undefined && "secret" in outcome && outcome.secret.text).toEqual({ user: "etl" });
    }));
});

describe("T89 a name that a deletion has left reserved", () => {
  test("register says until when, and what can be done", () =>
    onEmulator(async ({ manager }) => {
      const secrets = manager();
      await secrets.registerSecret({ name: "db", values: { user: "first" } });
      await secrets.deleteSecret("db");
      const error = await failure(secrets.registerSecret({ name: "db", values: {} }));
      expect(error).toMatchObject({ code: "recently_deleted", retryable: false, outcome: "not_applied" });
      const until = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
      expect(error.message).toContain(`AWS keeps it until ${until}`);
      expect(error.hint).toMatch(/Restore.*onDeleted.*immediate/);
    }));

  test("the three ways out work: restore, onDeleted, immediate", () =>
    onEmulator(async ({ manager, emulator }) => {
      const secrets = manager();
      await secrets.registerSecret({ name: "db", values: { user: "first" } });
      await secrets.deleteSecret("db");
      await secrets.restoreSecret("db");
      expect((await secrets.getSecret("db")).text).toEqual({ user: "first" });
      await secrets.deleteSecret("db");
      await secrets.registerSecret({ name: "db", values: { user: "second" } }, { onDeleted: "restore" });
      expect((await secrets.getSecret("db")).text).toEqual({ user: "second" });
      await secrets.deleteSecret("db");
      await secrets.deleteSecret("db", { immediate: true });
      emulator.forcedDeletionMs = 400;
      await secrets.registerSecret({ name: "db", values: { user: "third" } });
      await secrets.deleteSecret("db", { immediate: true });
      await secrets.registerSecret({ name: "db", values: { user: "fourth" } });
      expect((await secrets.getSecret("db")).text).toEqual({ user: "fourth" });
    }));

  test("without the permission to look at the secret, register still says what is the matter", () =>
    onEmulator(async ({ manager, emulator }) => {
      const secrets = manager();
      await secrets.registerSecret({ name: "db", values: {} });
      await secrets.deleteSecret("db");
      emulator.deniedOperations.add("DescribeSecret");
      expect((await failure(secrets.registerSecret({ name: "db", values: {} }))).code).toBe("recently_deleted");
    }));

  test("a deletion for good that is still under way is waited for by register, also when deleting could not wait", () =>
    onEmulator(async ({ manager, emulator }) => {
      const secrets = manager();
      await secrets.registerSecret({ name: "db", values: {} });
      emulator.deniedOperations.add("DescribeSecret");
      emulator.forcedDeletionMs = 500;
      await secrets.deleteSecret("db", { immediate: true });
      await secrets.registerSecret({ name: "db", values: { user: "again" } });
      expect((await secrets.getSecret("db")).text).toEqual({ user: "again" });
    }));

  test("another tool's secret that is brought back is marked", () =>
    onEmulator(async ({ manager, emulator }) => {
      emulator.plant("theirs", "{}");
      const secrets = manager({ scope: "none" });
      await secrets.deleteSecret("theirs");
      await secrets.registerSecret({ name: "theirs", values: { user: "ours" } }, { onDeleted: "restore" });
      await secrets.replaceSecret({ name: "theirs", schema: "arbitrary", values: {} });
      expect((await collect(secrets.listSecrets())).map(({ managed }) => managed)).toEqual([true]);
    }));
});
