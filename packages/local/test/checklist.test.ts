// The behaviour of the system that Coffer follows, item by item; docs/design.md maps each to its test and names what was decided otherwise.
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createRegistry,
  createSecretsManager,
  defineIntegration,
  defineSecretSchema,
  nameInScope,
  schemaFields,
  scopePrefix,
  type SecretsError,
  type SecretsManager,
  type SecretsManagerOptions,
} from "@coffer/core";
import { mysql } from "@coffer/core/schemas";
import { afterAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { local } from "../src/index.ts";

const work = mkdtempSync(join(tmpdir(), "coffer-checklist-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));
const UUID = "0b0f6c0e-6f3a-4b6c-9d53-0d9d8a1c2e11";
let stores = 0;

function settings(): { readonly path: string; readonly key_file: string } {
  stores += 1;
  return { path: join(work, `${stores}/data/secrets.db`), key_file: join(work, `${stores}/state/key`) };
}

function manager(options: SecretsManagerOptions = {}, at = settings()): SecretsManager {
  return createSecretsManager(local, at, options);
}

async function names(of: SecretsManager): Promise<string[]> {
  return (await Array.fromAsync(of.listSecrets())).map(({ name }) => name);
}

const aws = defineSecretSchema({
  type: "aws",
  fields: z.object({ aws_access_key_id: z.string(), aws_secret_access_key: z.string(), aws_session_token: z.string().optional() }),
});

describe("a secrets manager", () => {
  test("1: registers, reads, lists, updates, deletes one and deletes all", async () => {
    await using secrets = manager();
    await secrets.registerSecret({ name: "db", values: { user: "etl" } });
    await secrets.registerSecret({ name: "mail", values: { user: "post" } });
    expect((await secrets.getSecret("db")).content).toEqual({ user: "etl" });
    expect(await names(secrets)).toEqual(["db", "mail"]);
    await secrets.updateSecret("db", { values: { user: "other" } });
    expect((await secrets.getSecret("db")).content).toEqual({ user: "other" });
    await secrets.deleteSecret("db");
    expect(await names(secrets)).toEqual(["mail"]);
    expect(await secrets.deleteAllSecrets()).toEqual({ deleted: 1 });
    expect(await names(secrets)).toEqual([]);
  });

  test("2: registering a name that is taken fails and leaves the old value", async () => {
    await using secrets = manager();
    await secrets.registerSecret({ name: "db", values: { user: "etl" } });
    await expect(secrets.registerSecret({ name: "db", values: { user: "new" } })).rejects.toMatchObject({ code: "already_exists" });
    expect((await secrets.getSecret("db")).content).toEqual({ user: "etl" });
  });

  test("3, 4, 5: a name that does not exist cannot be read, updated or deleted, also when there is no store at all", async () => {
    for (const stored of [false, true]) {
      await using secrets = manager();
      if (stored) await secrets.registerSecret({ name: "db", values: { user: "etl" } });
      const missing = { code: "not_found", secretName: "nope" };
      await expect(secrets.getSecret("nope")).rejects.toMatchObject(missing);
      await expect(secrets.updateSecret("nope", { values: { user: "x" } })).rejects.toMatchObject(missing);
      await expect(secrets.replaceSecret({ name: "nope", values: { user: "x" } })).rejects.toMatchObject(missing);
      await expect(secrets.deleteSecret("nope")).rejects.toMatchObject(missing);
    }
  });

  test("6: listing gives the names of secrets, not their keys, and no values", async () => {
    await using secrets = manager();
    await secrets.registerSecret({ name: "db", values: { user: "etl", password: "cAnArY-in-a-list" } });
    const listed = await Array.fromAsync(secrets.listSecrets());
    expect(listed.map(({ name }) => name)).toEqual(["db"]);
    expect(JSON.stringify(listed)).not.toMatch(/password|cAnArY/);
  });

  test("7: replacing replaces the whole content; updating merges", async () => {
    await using secrets = manager();
    await secrets.registerSecret({ name: "db", values: { user: "etl", password: "pw" } });
    await secrets.updateSecret("db", { values: { host: "h" } });
    expect((await secrets.getSecret("db")).content).toEqual({ user: "etl", password: "pw", host: "h" });
    await secrets.replaceSecret({ name: "db", values: { user: "only" } });
    expect((await secrets.getSecret("db")).content).toEqual({ user: "only" });
  });

  test("9: it is a component of the type secrets_manager", () => {
    expect(local).toMatchObject({ type: "secrets_manager", name: "local" });
    expect(local.locality({})).toBe("local");
  });
});

describe("scopes", () => {
  test("15: the scope namespace needs a namespace", () => {
    expect(() => manager({ scope: "namespace" })).toThrow(expect.objectContaining({ code: "invalid_settings" }));
  });

  test("16: the path of each scope", () => {
    expect(scopePrefix({ scope: "none" })).toBe("");
    expect(scopePrefix({ scope: "global" })).toBe("coffer/global/");
    expect(scopePrefix({ scope: "namespace", namespace: "team-a" })).toBe("coffer/namespace/team-a/");
    expect(scopePrefix({ scope: "component", componentId: UUID })).toBe(`coffer/component/${UUID}/`);
  });

  test("17: a name outside of the scope is none of ours", () => {
    const prefix = scopePrefix({ scope: "namespace", namespace: "team" });
    expect(nameInScope("coffer/namespace/team/db", prefix)).toBe("db");
    expect(nameInScope("coffer/namespace/team2/db", prefix)).toBeUndefined();
    expect(nameInScope("coffer/global/db", prefix)).toBeUndefined();
    expect(nameInScope(prefix, prefix)).toBeUndefined();
  });

  test("20, 21: a namespace is shared with the same namespace only; one name holds a value in each scope; 8: deleting all empties its own", async () => {
    const at = settings();
    await using one = manager({ scope: "namespace", namespace: "team" }, at);
    await using same = manager({ scope: "namespace", namespace: "team" }, at);
    await using other = manager({ scope: "namespace", namespace: "team2" }, at);
    await using everyone = manager({}, at);
    await one.registerSecret({ name: "db", values: { of: "team" } });
    await other.registerSecret({ name: "db", values: { of: "team2" } });
    await everyone.registerSecret({ name: "db", values: { of: "all" } });
    expect((await same.getSecret("db")).content).toEqual({ of: "team" });
    expect((await other.getSecret("db")).content).toEqual({ of: "team2" });
    expect((await everyone.getSecret("db")).content).toEqual({ of: "all" });
    await same.deleteAllSecrets();
    expect(await names(one)).toEqual([]);
    expect(await names(other)).toEqual(["db"]);
    expect(await names(everyone)).toEqual(["db"]);
  });

  test("22: what was written by Coffer is marked, with its schema, in every scope", async () => {
    const at = settings();
    await using scoped = manager({}, at);
    await scoped.registerSecret({ name: "db", schema: mysql, values: { user: "etl" } });
    await using whole = manager({ scope: "none" }, at);
    expect(await Array.fromAsync(whole.listSecrets())).toMatchObject([{ name: "coffer/global/db", schema: "mysql", managed: true }]);
  });

  test("23: a namespace that is no portable name is refused", () => {
    for (const namespace of ["", "a/b", "..", "a b", "ä", "-a"]) {
      expect(() => manager({ scope: "namespace", namespace }), namespace).toThrow(expect.objectContaining({ code: "invalid_settings" }));
    }
  });
});

describe("secrets and schemas", () => {
  test("24, 33: a secret is a named group of keys and values; its content is all of them", async () => {
    await using secrets = manager();
    await secrets.registerSecret({ name: "db", schema: mysql, values: { user: "etl", password: "pw" } });
    const secret = await secrets.getSecret("db", mysql);
    expect(secret.name).toBe("db");
    expect({ ...secret.content }).toEqual({ user: "etl", password: "pw", ssl_verify_server_cert: false });
  });

  test("25: without a schema any key is allowed, and the schema is arbitrary", async () => {
    await using secrets = manager();
    await secrets.registerSecret({ name: "any", values: { whatever: "1", "with-dash": "2", "with.dot": "3" } });
    const secret = await secrets.getSecret("any");
    expect(secret.schema.type).toBe("arbitrary");
    expect(secret.keys()).toEqual(["whatever", "with-dash", "with.dot"]);
  });

  test("26: the schema aws has two required keys and an optional one", async () => {
    await using secrets = manager();
    await expect(secrets.registerSecret({ name: "a", schema: aws, values: { aws_session_token: "t" } as never })).rejects.toMatchObject({
      code: "schema_violation",
      keys: ["aws_access_key_id", "aws_secret_access_key"],
    });
    await secrets.registerSecret({ name: "a", schema: aws, values: { aws_access_key_id: "id", aws_secret_access_key: "key" } });
    expect({ ...(await secrets.getSecret("a", aws)).content }).toEqual({ aws_access_key_id: "id", aws_secret_access_key: "key" });
  });

  test("27: the schema mysql", () => {
    expect(schemaFields(mysql).map(({ key, required, type }) => [key, required, type])).toEqual([
      ["user", false, "string"],
      ["password", false, "string"],
      ["ssl_ca", false, "string"],
      ["ssl_cert", false, "string"],
      ["ssl_key", false, "string"],
      ["ssl_verify_server_cert", false, "boolean"],
    ]);
    expect(schemaFields(mysql).at(-1)).toMatchObject({ default: false });
  });

  test("28, 34: keys left out take their default; content leaves out what has none, and the name", async () => {
    await using secrets = manager();
    await secrets.registerSecret({ name: "db", schema: "mysql", values: { user: "etl" } });
    expect(Object.keys((await secrets.getSecret("db", mysql)).content)).toEqual(["user", "ssl_verify_server_cert"]);
    // The default is filled in on read: a schema can change it.
    expect((await secrets.getSecret("db", mysql)).text).toEqual({ user: "etl" });
  });

  test("29, 30, 32: a missing key, a value that does not fit and an unknown key are errors, told together and without a value", async () => {
    await using secrets = manager();
    const error: SecretsError = await secrets
      .registerSecret({
        name: "a",
        schema: defineSecretSchema({ type: "strict", fields: z.object({ port: z.number(), user: z.string() }) }),
        values: { port: "cAnArY-no-number", more: "cAnArY-unknown" } as never,
      })
      .then(
        () => expect.fail("it was stored"),
        (reason: SecretsError) => reason,
      );
    expect(error).toMatchObject({ code: "schema_violation", secretName: "a" });
    expect(error.keys?.toSorted()).toEqual(["more", "port", "user"]);
    expect(error.message).not.toContain("cAnArY");
    expect(await secrets.hasSecret("a")).toBe(false);
  });

  test("31: true, as the command line gives it, becomes a boolean", async () => {
    await using secrets = manager();
    await secrets.registerSecret({ name: "db", schema: "mysql", values: { ssl_verify_server_cert: "true" } });
    expect((await secrets.getSecret("db", "mysql")).content.ssl_verify_server_cert).toBe(true);
    await secrets.updateSecret("db", { values: { ssl_verify_server_cert: "no" } });
    expect((await secrets.getSecret("db", "mysql")).content.ssl_verify_server_cert).toBe(false);
  });

  test("35, 36, 37: a schema of one's own is registered by its type, alone or with an integration", async () => {
    const registry = createRegistry();
    registry.addSchema(defineSecretSchema({ type: "ftp", fields: z.object({ host: z.string(), port: z.number().default(21) }) }));
    registry.add(defineIntegration({ specVersion: 1, name: "acme", flavors: [], schemas: [aws] }));
    await using secrets = manager({ registry });
    await secrets.registerSecret({ name: "ftp", schema: "ftp", values: { host: "h" } });
    expect({ ...(await secrets.getSecret("ftp")).content }).toEqual({ host: "h", port: 21 });
    await secrets.registerSecret({ name: "a", schema: "aws", values: { aws_access_key_id: "i", aws_secret_access_key: "k" } });
    expect((await secrets.getSecret("a")).schema).toMatchObject({ type: "aws", installed: true });
  });

  test("38: an unknown schema names the known ones and the command that may install it", async () => {
    await using secrets = manager();
    await expect(secrets.registerSecret({ name: "x", schema: "gcp", values: { token: "{}" } })).rejects.toMatchObject({
      code: "unknown_schema",
      hint: expect.stringMatching(/arbitrary, basic_auth, mysql.*npm install @coffer\/gcp/),
    });
  });

  test("41: a literal accepts its literal alone", async () => {
    await using secrets = manager();
    const schema = defineSecretSchema({
      type: "s3",
      fields: z.object({ storage_type: z.literal("S3").default("S3"), bucket: z.string() }),
    });
    await expect(secrets.registerSecret({ name: "x", schema, values: { storage_type: "s3", bucket: "b" } })).rejects.toMatchObject({
      code: "schema_violation",
      keys: ["storage_type"],
    });
    await secrets.registerSecret({ name: "x", schema, values: { bucket: "b" } });
    expect((await secrets.getSecret("x", schema)).content.storage_type).toBe("S3");
  });

  test("42: the type of the schema survives, also in a new process' manager, a copy and a rename", async () => {
    const at = settings();
    await using writer = manager({}, at);
    await writer.registerSecret({ name: "db", schema: "mysql", values: { user: "etl" } });
    await writer.copySecret("db", "copy");
    await writer.renameSecret("copy", "renamed");
    await using reader = manager({}, at);
    expect((await reader.getSecret("renamed")).schema.type).toBe("mysql");
    expect((await Array.fromAsync(reader.listSecrets())).map(({ schema }) => schema)).toEqual(["mysql", "mysql"]);
  });

  test("43: Unicode, line breaks and empty values survive", async () => {
    await using secrets = manager();
    const values = { empty: "", crlf: "a\r\nb\n", unicode: "Zoë 日本 🔑 \u0000 \uFEFF", number: "0123" };
    await secrets.registerSecret({ name: "odd", values });
    expect({ ...(await secrets.getSecret("odd")).content }).toEqual(values);
  });

  test("44: registering a schema of one's own again warns and replaces it", async () => {
    const registry = createRegistry();
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    try {
      registry.addSchema(defineSecretSchema({ type: "ftp", fields: z.object({ host: z.string() }) }));
      registry.addSchema(defineSecretSchema({ type: "ftp", fields: z.object({ user: z.string() }) }));
      expect(warn).toHaveBeenCalledTimes(1);
    } finally {
      warn.mockRestore();
    }
    expect(schemaFields(await registry.requireSchema("ftp")).map(({ key }) => key)).toEqual(["user"]);
  });

  test("45: the keys of a schema come in the order of their declaration, without the name", () => {
    expect(schemaFields(aws).map(({ key }) => key)).toEqual(["aws_access_key_id", "aws_secret_access_key", "aws_session_token"]);
  });
});

describe("the flavor local", () => {
  test("48, 50: keeps secrets in a local file, encrypted", async () => {
    const at = settings();
    await using secrets = manager({}, at);
    await secrets.registerSecret({ name: "db", values: { password: "cAnArY-in-the-file" } });
    expect(statSync(at.path).isFile()).toBe(true);
    const { leakScan } = await import("@coffer/testkit");
    expect(await leakScan({ canary: "cAnArY-in-the-file", directories: [join(at.path, "../..")] })).toEqual([]);
  });

  test("51: without a file there are no secrets", async () => {
    await using secrets = manager();
    expect(await names(secrets)).toEqual([]);
    expect(await secrets.deleteAllSecrets()).toEqual({ deleted: 0 });
  });

  test("52: after deleting all, the list is empty, and names can be used again", async () => {
    await using secrets = manager();
    for (const name of ["a", "b", "c"]) await secrets.registerSecret({ name, values: { name } });
    expect(await secrets.deleteAllSecrets()).toEqual({ deleted: 3 });
    expect(await names(secrets)).toEqual([]);
    await secrets.registerSecret({ name: "a", values: { again: "1" } });
    expect((await secrets.getSecret("a")).content).toEqual({ again: "1" });
  });

  test("53: two managers with files of their own are isolated", async () => {
    await using one = manager();
    await using other = manager();
    await one.registerSecret({ name: "db", values: { of: "one" } });
    expect(await other.hasSecret("db")).toBe(false);
    await other.registerSecret({ name: "db", values: { of: "other" } });
    expect((await one.getSecret("db")).content).toEqual({ of: "one" });
  });
});
