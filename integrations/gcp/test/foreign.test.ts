import { afterAll, beforeAll, expect, test } from "vitest";
import type { SecretsManager } from "@coffer/core";
import { mysql } from "@coffer/core/schemas";
import type { GcpServer } from "@coffer/emulators/gcp/server";
import { gcpSchema } from "../src/schemas.ts";
import { collect, failureOf, managerOn, startServer } from "./laboratory.ts";

let server: GcpServer;
let plain: SecretsManager;
beforeAll(async () => {
  server = await startServer();
  plain = managerOn(server, { scope: "none" });
});
afterAll(async () => {
  await plain.close();
  await server.stop();
});

/** Stores a secret as the console, gcloud or Terraform would. */
function plant(id: string, data: string | Uint8Array | undefined, annotations: Record<string, string> = {}): void {
  const parent = `projects/${server.project}`;
  server.state.createSecret(parent, id, { replication: { automatic: {} }, labels: { "created-by": "terraform" }, annotations });
  if (data !== undefined) server.state.addSecretVersion(`${parent}/secrets/${id}`, Buffer.from(data), undefined);
}

test.each<[string, string | Uint8Array, Record<string, string>]>([
  ["plain", "correct horse", { value: "correct horse" }],
  ["line", "with its line end\n", { value: "with its line end\n" }],
  [
    "rds",
    '{"username":"u","port":3306,"big":12345678901234567890,"tls":true,"none":null,"hosts":["a","b"]}',
    {
      username: "u",
      port: "3306",
      big: "12345678901234567890",
      tls: "true",
      hosts: '["a","b"]',
    },
  ],
  ["dotnet", '{"$type":"System.Object, mscorlib","a":"1"}', { $type: "System.Object, mscorlib", a: "1" }],
  ["list", "[1,2]", { value: "[1,2]" }],
])("a secret of another tool: %s", async (id, data, text) => {
  plant(id, data);
  const secret = await plain.getSecret(id);
  expect({ ...secret.text }).toEqual(text);
  expect(secret.managed).not.toBe(true);
});

test("bytes are base64, and say so", async () => {
  plant("bytes", Uint8Array.of(0xff, 0, 0xfe));
  const secret = await plain.getSecret("bytes");
  expect([secret.encoding, secret.get("value")]).toEqual(["base64", "/wD+"]);
});

test("a payload of the system that this one follows has its schema", async () => {
  plant("former", '{"zenml_schema_name":"mysql","user":"etl"}');
  expect((await plain.getSecret("former", mysql)).content.user).toBe("etl");
});

test("an unmarked secret is replaced with adopt only, and keeps its labels", async () => {
  plant("theirs", "x", { owner: "somebody" });
  const change = { name: "theirs", schema: "arbitrary", values: { a: "1" } } as const;
  expect(await failureOf(plain.replaceSecret(change))).toMatchObject({
    code: "conflict",
    retryable: false,
    hint: expect.stringContaining("adopt"),
  });
  await plain.replaceSecret({ ...change, adopt: true });
  expect(server.state.getSecret(`projects/${server.project}/secrets/theirs`).entry).toMatchObject({
    labels: { "created-by": "terraform" },
    annotations: { owner: "somebody", "managed-by": "coffer" },
  });
});

test("a secret that another tool has made without a value is taken, and says how to give it one", async () => {
  plant("shell", undefined);
  expect(await failureOf(plain.registerSecret({ name: "shell", values: { a: "1" } }))).toMatchObject({
    code: "already_exists",
    hint: expect.stringContaining("adopt"),
  });
  expect(await plain.replaceSecret({ name: "shell", values: { a: "1" }, adopt: true })).toMatchObject({ revision: "1" });
});

test("T62: something else within the scope is listed as unmanaged, and can be read", async () => {
  const scoped = managerOn(server, { scope: "namespace", namespace: "team" });
  plant("coffer_x2fnamespace_x2fteam_x2fintruder", "not json");
  plant("coffer_x2fnamespace_x2fteam_x2F_needless_escape", "x");
  await scoped.registerSecret({ name: "ours", values: { a: "1" } });
  expect((await collect(scoped.listSecrets())).map(({ name, managed }) => [name, managed])).toEqual([
    ["intruder", false],
    ["ours", true],
  ]);
  expect((await scoped.getSecret("intruder")).text).toEqual({ value: "not json" });
  await scoped.close();
});

test("T61: namespaces that look alike list their own only", async () => {
  const names = ["team", "team2", "team_x2f"];
  const managers = names.map((namespace) => managerOn(server, { scope: "namespace", namespace: `${namespace}.alike` }));
  for (const [index, manager] of managers.entries()) await manager.registerSecret({ name: `own-${index}`, values: { a: "1" } });
  for (const [index, manager] of managers.entries()) {
    expect((await collect(manager.listSecrets())).map(({ name }) => name)).toEqual([`own-${index}`]);
    await manager.close();
  }
});

test("delete-all in scope none touches what is marked", async () => {
  const own = await startServer();
  const manager = managerOn(own, { scope: "none" });
  own.state.createSecret(`projects/${own.project}`, "theirs", { replication: { automatic: {} } });
  await manager.registerSecret({ name: "ours", values: { a: "1" } });
  expect(await manager.deleteAllSecrets()).toEqual({ deleted: 1 });
  expect((await collect(manager.listSecrets())).map(({ name }) => name)).toEqual(["theirs"]);
  await manager.close();
  await own.stop();
});

test("a newest version that is disabled or destroyed is said, never skipped, and a new one ends it", async () => {
  const secret = `projects/${server.project}/secrets/versions`;
  await plain.registerSecret({ name: "versions", values: { a: "1" } });
  for (const state of ["DISABLED", "DESTROYED"] as const) {
    await plain.replaceSecret({ name: "versions", schema: "arbitrary", values: { a: "2" } });
    server.state.setVersionState(`${secret}/versions/latest`, state, undefined);
    const error = await failureOf(plain.getSecret("versions"));
    expect(error).toMatchObject({ code: "disabled", hint: expect.stringMatching(/new one/) });
    expect(await failureOf(plain.hasSecret("versions"))).toMatchObject({ code: "disabled" });
  }
  expect((await collect(plain.history("versions"))).map(({ revision, current }) => [revision, current])).toEqual([
    ["2", false],
    ["1", false],
  ]);
  await plain.rollbackSecret("versions", "1");
  expect((await plain.getSecret("versions")).text).toEqual({ a: "1" });
});

test("whoever may read values and nothing else is told that a secret is not there", async () => {
  const { ServiceError } = await import("@coffer/emulators/gcp/service-error");
  const own = await startServer();
  own.state.getSecret = () => {
    throw new ServiceError("PERMISSION_DENIED", "Permission 'secretmanager.secrets.get' denied.");
  };
  expect(await managerOn(own).hasSecret("absent")).toBe(false);
  await own.stop();
});

test("the schema gcp takes a JSON object as text, and nothing else", async () => {
  const register = (token: string) => plain.registerSecret({ name: "login", schema: gcpSchema, values: { token } });
  for (const token of ["canary, no JSON", "[1]", '"text"', "null", "{cut"]) {
    const error = await failureOf(register(token));
    expect(error).toMatchObject({ code: "schema_violation", keys: ["token"] });
    expect(String(error)).not.toContain("canary");
  }
  await register('{"type":"service_account"}');
  expect((await plain.getSecret("login", gcpSchema)).content.token).toBe('{"type":"service_account"}');
});
