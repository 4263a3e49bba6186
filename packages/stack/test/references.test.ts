import { createSecretsManager, createRegistry } from "@coffer/core";
import { mysql } from "@coffer/core/schemas";
import { memory } from "@coffer/testkit";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  openStack,
  parseReference,
  referencesIn,
  registerComponent,
  registerStack,
  requiredSecrets,
  resolveReferences,
  storeRequiredSecret,
  updateComponent,
  validationLevel,
} from "../src/index.ts";
import { account, failure } from "./laboratory.ts";

describe("reading a reference", () => {
  test.each([
    ["{{db.password}}", "db", "password"],
    ["{{team/db.v2.password}}", "team/db.v2", "password"],
    ["{{db#tls.key}}", "db", "tls.key"],
    ["{{a.b#c}}", "a.b", "c"],
    ["{{a.b#c.d#e}}", "a.b", "c.d#e"],
  ])("%s", (text, secret, key) => {
    expect(parseReference(text)).toEqual({ secret, key });
  });

  test.each(["{{db}}", "{{.x}}", "{{x.}}", "{{#x}}", "{{x#}}", "{{ a.b }}", "x{{a.b}}", "{{a.b}}x", "{a.b}", "{{{a.b}}}", "", 7, null])(
    "%j is none",
    (text) => {
      expect(parseReference(text)).toBeUndefined();
    },
  );

  test("what is written with # is read again, whatever the name", () => {
    const word = fc.stringMatching(/^[A-Za-z0-9_.@+=/-]{1,30}$/);
    fc.assert(
      fc.property(word, word, (secret, key) => {
        expect(parseReference(`{{${secret}#${key}}}`)).toEqual({ secret, key });
      }),
    );
  });

  test("references are found at any depth and listed once", () => {
    const settings = {
      url: "{{pg.url}}",
      nested: { list: ["{{pg.password}}", { deep: "{{mail#smtp.password}}" }] },
      text: "{{not one",
      again: "{{pg.url}}",
    };
    expect(referencesIn(settings).map(({ setting }) => setting)).toEqual(["url", "nested.list[0]", "nested.list[1].deep", "again"]);
    expect(requiredSecrets({ settings })).toEqual([
      { secret: "mail", keys: ["smtp.password"] },
      { secret: "pg", keys: ["password", "url"] },
    ]);
  });
});

const runner = { type: "orchestrator", name: "runner", flavor: "here" } as const;

async function stackWith(settings: Record<string, unknown>): Promise<ReturnType<typeof account>> {
  const lab = account();
  await registerComponent({ type: "secrets_manager", name: "team", flavor: "cloud", settings: { region: "eu" } }, lab.where);
  await registerComponent({ ...runner, settings }, lab.where);
  await registerStack({ name: "prod", secretsManager: "team", orchestrator: "runner" }, lab.where);
  return lab;
}

describe("113: resolving", () => {
  test("gives the flavor the text of the keys, when the component is opened", async () => {
    const { where, opened } = await stackWith({ url: "{{pg.url}}", nested: [{ password: "{{pg#pass.word}}" }] });
    await using stack = await openStack({ ...where, name: "prod" });
    expect(opened).toEqual([]);
    await stack.secretsManager.registerSecret({ name: "pg", values: { url: "pg://x", "pass.word": "{{pg.url}}" } });
    expect(await stack.orchestrator.open()).toEqual({ url: "pg://x", nested: [{ password: "{{pg.url}}" }] });
    expect(await stack.orchestrator.open()).toBe(await stack.orchestrator.open());
    expect(opened).toEqual(["cloud eu", "here"]);
  });

  test("a missing manager, secret and key are three different errors", async () => {
    const { where } = await stackWith({ url: "{{pg.url}}" });
    await registerStack({ name: "bare", orchestrator: "runner" }, where);
    await using bare = await openStack({ ...where, name: "bare" });
    expect(await failure(() => bare.orchestrator.open())).toMatchObject({ code: "no_secrets_manager" });
    await using stack = await openStack({ ...where, name: "prod" });
    const noSecret = await failure(() => stack.orchestrator.open());
    expect(noSecret).toMatchObject({ code: "not_found", secretName: "pg" });
    expect(noSecret.keys).toBeUndefined();
    await stack.secretsManager.registerSecret({ name: "pg", values: { uri: "canary" } });
    const noKey = await failure(() => stack.orchestrator.open());
    expect(noKey).toMatchObject({
      code: "not_found",
      secretName: "pg",
      keys: ["url"],
      message: 'The secret "pg" has no key "url".',
      hint: "It has: uri.",
    });
    expect(`${noKey.message}${noKey.hint}`).not.toContain("canary");
    // What was missing is found the next time.
    await stack.secretsManager.updateSecret("pg", { values: { url: "pg://x" } });
    expect(await stack.orchestrator.open()).toEqual({ url: "pg://x" });
  });

  test("a key of the prototype is no key", async () => {
    const manager = createSecretsManager(memory, {});
    await manager.registerSecret({ name: "a", values: { x: "1" } });
    for (const key of ["constructor", "__proto__", "toString"])
      expect(await failure(() => resolveReferences({ x: `{{a.${key}}}` }, () => manager))).toMatchObject({ keys: [key] });
  });
});

describe("114: a reference is stored as it is written", () => {
  test("nothing is looked up at registration, and a field of another type may hold one", async () => {
    const { where, config, json, opened } = await stackWith({ url: "{{pg.url}}", workers: "{{pg.workers}}" });
    expect((json(config)["components"] as { settings: unknown }[])[1]?.settings).toEqual({ url: "{{pg.url}}", workers: "{{pg.workers}}" });
    expect(opened).toEqual([]);
    await using stack = await openStack({ ...where, name: "prod" });
    await stack.secretsManager.registerSecret({ name: "pg", values: { url: "pg://x", workers: "canary" } });
    const error = await failure(() => stack.orchestrator.open());
    expect(error).toMatchObject({ code: "invalid_settings", keys: ["workers"] });
    expect(error.message).not.toContain("canary");
  });

  test("an unknown setting is not hidden by a reference; text that only looks like one is told", async () => {
    const { where } = await stackWith({});
    expect(await failure(() => updateComponent("orchestrator", "runner", { settings: { ulr: "{{pg.url}}" } }, where))).toMatchObject({
      keys: ["ulr"],
    });
    const { warnings } = await updateComponent("orchestrator", "runner", { settings: { url: "pg://{{pg.password}}@x" } }, where);
    expect(warnings).toEqual([expect.stringContaining("url is taken as text")]);
  });
});

describe("115, 116: validation", () => {
  const settings = { url: "{{pg.url}}", nested: ["{{pg.password}}", "{{mail.user}}"] };

  test("what is missing is data for a warning, and an error at a run that names all of it and the way out", async () => {
    const { where } = await stackWith(settings);
    await using stack = await openStack({ ...where, name: "prod" });
    await stack.secretsManager.registerSecret({ name: "pg", values: { url: "pg://x" } });
    expect(await stack.missingSecrets()).toEqual([
      { component: "runner", setting: "nested[0]", secret: "pg", key: "password", missing: "key" },
      { component: "runner", setting: "nested[1]", secret: "mail", key: "user", missing: "secret" },
    ]);
    const error = await failure(() => stack.assertSecrets());
    expect(error).toMatchObject({ code: "not_found" });
    expect(error.message).toContain('the key "password" of the secret "pg" (setting nested[0] of "runner"); the secret "mail"');
    expect(error.hint).toContain("coffer stack register-secrets prod");
    expect(error.hint).toContain("COFFER_SECRET_VALIDATION_LEVEL");
  });

  test("116: SECRET_EXISTS looks at names only and reads no value, NONE looks at nothing", async () => {
    const { where, services } = await stackWith(settings);
    const withLevel = (level: string): Promise<Awaited<ReturnType<typeof openStack>>> =>
      openStack({ ...where, name: "prod", env: { ...where.env, COFFER_SECRET_VALIDATION_LEVEL: level } });
    {
      await using stack = await withLevel("");
      await stack.secretsManager.registerSecret({ name: "pg", values: { url: "pg://x" } });
    }
    services.get("eu")?.inject({ kind: "deny", name: "coffer/global/pg" });
    await using names = await withLevel("SECRET_EXISTS");
    expect(await names.missingSecrets()).toEqual([
      { component: "runner", setting: "nested[1]", secret: "mail", key: "user", missing: "secret" },
    ]);
    await using none = await withLevel("NONE");
    await none.assertSecrets();
    await using wrong = await withLevel("nothing");
    expect(await failure(() => wrong.missingSecrets())).toMatchObject({
      code: "invalid_settings",
      hint: expect.stringContaining("SECRET_EXISTS") as unknown,
    });
    expect(validationLevel({})).toBe("SECRET_AND_KEY_EXISTS");
  });

  test("references without a secrets manager are told as that", async () => {
    const { where } = await stackWith(settings);
    await registerStack({ name: "bare", orchestrator: "runner" }, where);
    await using stack = await openStack({ ...where, name: "bare" });
    const error = await failure(() => stack.assertSecrets());
    expect(error).toMatchObject({ code: "no_secrets_manager" });
    expect(error.message).toContain("It refers to secrets: pg, mail.");
  });

  test("a service that cannot be asked is an error, never a missing secret", async () => {
    const { where } = await stackWith(settings);
    await using stack = await openStack({ ...where, name: "prod" });
    await stack.secretsManager.close();
    expect(await failure(() => stack.missingSecrets())).toMatchObject({ code: "closed" });
  });
});

test("104: register-secrets asks for what is missing only, writes what is changed only, and keeps the schema", async () => {
  const manager = createSecretsManager(memory, {}, { registry: createRegistry() });
  await manager.registerSecret({ name: "warehouse", schema: mysql, values: { user: "etl" } });
  const [first] = (await Array.fromAsync(manager.history("warehouse"))).map(({ revision }) => revision);
  expect(await storeRequiredSecret(manager, "warehouse", { user: "etl" })).toBe("unchanged");
  expect((await manager.getSecret("warehouse")).revision).toBe(first);
  expect(await storeRequiredSecret(manager, "warehouse", { user: "other", password: "x" })).toBe("updated");
  const secret = await manager.getSecret("warehouse", mysql);
  expect(secret.content).toEqual({ user: "other", password: "x", ssl_verify_server_cert: false });
  expect(await failure(() => storeRequiredSecret(manager, "warehouse", { ssl_verify_server_cert: "maybe" }))).toMatchObject({
    code: "schema_violation",
  });
  expect(await storeRequiredSecret(manager, "mail", { user: "post" })).toBe("registered");
});
