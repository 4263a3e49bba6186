import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import { createSecretsManager, defineFlavor, defineSecretSchema, type Secret, type SecretsManager } from "../index.ts";
import { mysql, textBoolean, textNumber } from "../schemas.ts";

declare const manager: SecretsManager;
const custom = defineSecretSchema({
  type: "custom",
  fields: z.object({ port: textNumber(), tls: textBoolean().default(true), note: z.string().optional() }),
});
const keeper = defineFlavor({
  name: "keeper",
  settings: z.strictObject({ address: z.string(), retries: z.number().default(3) }),
  open: async (settings) => {
    expectTypeOf(settings.retries).toEqualTypeOf<number>();
    throw new TypeError(settings.address);
  },
});

test("the content is inferred from a schema, and from the type of a known one", async () => {
  expectTypeOf((await manager.getSecret("db", mysql)).content.ssl_verify_server_cert).toEqualTypeOf<boolean>();
  expectTypeOf((await manager.getSecret("db", "mysql")).content.user).toEqualTypeOf<string | undefined>();
  const content = (await manager.getSecret("db", custom)).content;
  expectTypeOf(content.port).toEqualTypeOf<number>();
  expectTypeOf(content.tls).toEqualTypeOf<boolean>();
  // @ts-expect-error: not a key of the schema
  void content.prt;
  // @ts-expect-error: no schema of this type is known
  await manager.getSecret("db", "mysqll");
  // @ts-expect-error: content cannot be assigned to
  content.port = 1;
});

test("values are checked against the schema that they are written with", async () => {
  await manager.registerSecret({ name: "a", schema: custom, values: { port: 5432, tls: "yes" } });
  await manager.registerSecret({ name: "a", schema: mysql, values: { user: "etl", ssl_verify_server_cert: true } });
  await manager.registerSecret({ name: "a", schema: "mysql", values: { user: "etl" } });
  await manager.registerSecret({ name: "a", values: { anything: "goes" } });
  // @ts-expect-error: `port` is required
  await manager.registerSecret({ name: "a", schema: custom, values: { tls: true } });
  // @ts-expect-error: an unknown key of a typed secret
  await manager.registerSecret({ name: "a", schema: mysql, values: { usr: "etl" } });
  // @ts-expect-error: an object has no exact text form
  await manager.registerSecret({ name: "a", values: { nested: {} } });
});

test("values are checked against the type of a known schema, in all that write a whole secret", async () => {
  await manager.replaceSecret({ name: "a", schema: "mysql", values: { ssl_verify_server_cert: "no" }, adopt: true });
  await manager.upsertSecret({ name: "a", schema: mysql, values: { user: "etl" } });
  const text: string = "known when the program runs";
  await manager.registerSecret({ name: "a", schema: text, values: { anything: "goes" } });
  const either: typeof mysql | undefined = mysql;
  await manager.registerSecret({ name: "a", schema: either, values: { user: "etl" } });
  // @ts-expect-error: an unknown key of a typed secret
  await manager.registerSecret({ name: "a", schema: "mysql", values: { usr: "etl" } });
  // @ts-expect-error: an unknown key of a typed secret
  await manager.replaceSecret({ name: "a", schema: "mysql", values: { usr: "etl" } });
  // @ts-expect-error: `password` is required
  await manager.upsertSecret({ name: "a", schema: "basic_auth", values: { username: "etl" } });
});

test("what was not checked is text, whatever schema was asked for", async () => {
  expectTypeOf(await manager.getSecret("db", mysql, { validate: false })).toEqualTypeOf<Secret>();
  expectTypeOf(await manager.getSecret("db", "mysql", { validate: false })).toEqualTypeOf<Secret>();
  expectTypeOf(await manager.getSecret("db", { validate: false })).toEqualTypeOf<Secret>();
  expectTypeOf((await manager.getSecret("db", mysql, { timeoutMs: 1 })).content.ssl_verify_server_cert).toEqualTypeOf<boolean>();
  // @ts-expect-error: a bulk read is of what is current
  manager.getSecrets(["db"], { revision: "1" });
});

test("settings of a flavor are checked", () => {
  createSecretsManager(keeper, { address: "x" }, { scope: "namespace", namespace: "team-a" });
  // @ts-expect-error: a misspelt setting
  createSecretsManager(keeper, { adress: "x" });
  // @ts-expect-error: a misspelt option of ours
  createSecretsManager(keeper, { address: "x" }, { scop: "global" });
});
