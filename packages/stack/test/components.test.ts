import { readFileSync } from "node:fs";
import { createSecretsManager, defineFlavor } from "@coffer/core";
import { memory } from "@coffer/testkit";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import {
  copyComponent,
  deleteComponent,
  describeStack,
  findComponent,
  flavorOf,
  initProject,
  listComponents,
  managerOpening,
  openStack,
  readConfiguration,
  registerComponent,
  registerStack,
  removeAttributes,
  renameComponent,
  settingsFromText,
  updateComponent,
} from "../src/index.ts";
import { account, failure } from "./laboratory.ts";

const UUID = /^[0-9a-f-]{36}$/;
const team = { type: "secrets_manager", name: "team", flavor: "cloud", settings: { region: "eu" } } as const;

describe("registering", () => {
  test("101, 11: writes the component down with an id; its scope is global, which is told", async () => {
    const { where, config, json } = account();
    const { component, warnings } = await registerComponent(team, where);
    expect(component).toEqual({ ...team, id: expect.stringMatching(UUID) as unknown, scope: "global", origin: "user", file: config });
    expect(warnings).toEqual([]);
    expect(json(config)).toEqual({
      $schema: "https://unpkg.com/@coffer/stack/schema/config.schema.json",
      version: 1,
      components: [{ ...team, id: component.id, scope: "global" }],
      stacks: [],
    });
    expect(findComponent(readConfiguration(where), "secrets_manager", "team")).toEqual(component);
  });

  test("102: bad attributes are explained, all at once, with those that are allowed and no value", async () => {
    const { where } = account();
    const error = await failure(() => registerComponent({ ...team, settings: { regoin: "canary", retries: "canary" } }, where));
    expect(error).toMatchObject({
      code: "invalid_settings",
      flavor: "cloud",
      keys: expect.arrayContaining(["region", "retries", "regoin"]) as unknown,
    });
    expect(error.message).toContain("regoin: not a setting of this flavor");
    expect(error.message).toContain("region: expected string");
    expect(error.hint).toContain("Allowed: region, retries, fast, token, scope, namespace");
    expect(`${error.message}${error.hint}`).not.toContain("canary");
  });

  test("102: a flavor that is not installed, and one of the other type", async () => {
    const { where } = account();
    const unknown = await failure(() => registerComponent({ ...team, flavor: "clud" }, where));
    expect(unknown).toMatchObject({ code: "unknown_flavor", hint: expect.stringContaining("Did you mean cloud?") as unknown });
    expect(await failure(() => registerComponent({ ...team, flavor: "cluster" }, where))).toMatchObject({ code: "unknown_flavor" });
  });

  test("T107 a missing flavor package is told with the install command, and nothing is written", async () => {
    const { where } = account();
    const error = await failure(() => registerComponent({ ...team, flavor: "gcp_secrets_manager" }, where));
    expect(error.hint).toContain("npm install @coffer/gcp");
    expect(readConfiguration(where).user).toBeUndefined();
  });

  test("T101 a flavor that is no name is refused before anything is imported", async () => {
    const { where } = account();
    for (const flavor of ["../../evil", "/abs", "file:///x.mjs", "data:text/javascript,1", "http://x", "a b"])
      expect(await failure(() => registerComponent({ ...team, flavor }, where)), flavor).toMatchObject({ code: "unknown_flavor" });
  });

  test("an alias is written down as the flavor's own name", async () => {
    const { where } = account();
    expect((await registerComponent({ ...team, flavor: "cloud_old" }, where)).component.flavor).toBe("cloud");
  });

  test("a name that is taken, and a name that is none", async () => {
    const { where } = account();
    await registerComponent(team, where);
    expect(await failure(() => registerComponent(team, where))).toMatchObject({ code: "already_exists" });
    expect(await failure(() => registerComponent({ ...team, name: "default" }, where))).toMatchObject({ code: "already_exists" });
    for (const name of ["", "-x", ".x", "__proto__", "a/b", "a b", "a\u202Eb", "x".repeat(65)])
      expect(await failure(() => registerComponent({ ...team, name }, where)), name).toMatchObject({ code: "invalid_name" });
    // The same name of another type is another component.
    await registerComponent({ type: "orchestrator", name: "team", flavor: "here" }, where);
  });

  test("10: a secret reference in a setting of a secrets manager is refused, naming the attribute", async () => {
    const { where } = account();
    for (const text of ["{{vault.token}}", "{{a.b#c.d}}"]) {
      const error = await failure(() => registerComponent({ ...team, settings: { region: "eu", token: text } }, where));
      expect(error).toMatchObject({ code: "invalid_settings", keys: ["token"] });
      expect(error.message).toContain("token");
    }
    await registerComponent(team, where);
    expect(await failure(() => updateComponent("secrets_manager", "team", { settings: { region: "{{a.b}}" } }, where))).toMatchObject({
      keys: ["region"],
    });
  });

  test("14: the scope none is accepted with a warning", async () => {
    const { where } = account();
    const { component, warnings } = await registerComponent({ ...team, scope: "none" }, where);
    expect(component.scope).toBe("none");
    expect(warnings).toEqual([expect.stringContaining("--scope=global")]);
  });

  test("15: the scope namespace needs a namespace, which has to be one", async () => {
    const { where } = account();
    expect(await failure(() => registerComponent({ ...team, scope: "namespace" }, where))).toMatchObject({ code: "invalid_settings" });
    expect(await failure(() => registerComponent({ ...team, scope: "namespace", namespace: "a/b" }, where))).toMatchObject({
      code: "invalid_settings",
    });
    expect(await failure(() => registerComponent({ ...team, namespace: "a/b" }, where))).toMatchObject({ code: "invalid_settings" });
    const { component } = await registerComponent({ ...team, scope: "namespace", namespace: "team-a" }, where);
    expect(component).toMatchObject({ scope: "namespace", namespace: "team-a" });
  });

  test("an orchestrator has neither scope nor namespace", async () => {
    const { where } = account();
    const error = await failure(() => registerComponent({ type: "orchestrator", name: "x", flavor: "here", scope: "global" }, where));
    expect(error).toMatchObject({ code: "invalid_settings", keys: ["scope"] });
    expect(error.hint).toBe("Allowed: url, workers, password, nested. `coffer orchestrator flavor describe here` describes them.");
  });

  test("settings that look like secrets: a warning for the user, an error in a project's file, fine as a reference", async () => {
    const { where } = account();
    const { warnings } = await registerComponent({ ...team, settings: { region: "eu", token: "canary" } }, where);
    expect(warnings).toEqual([expect.stringContaining("stored in clear text: token")]);
    expect(warnings.join()).not.toContain("canary");
    await initProject(where);
    const runner = { type: "orchestrator", name: "r", flavor: "here" } as const;
    const error = await failure(() => registerComponent({ ...runner, settings: { password: "canary" } }, { ...where, in: "project" }));
    expect(error).toMatchObject({ code: "invalid_settings", keys: ["password"] });
    await registerComponent({ ...runner, settings: { password: "{{runner.password}}" } }, { ...where, in: "project" });
  });

  test("settings that no file can hold", async () => {
    const { where } = account();
    const settings = { region: "eu", retries: Number.NaN, fast: () => true };
    expect(await failure(() => registerComponent({ ...team, settings }, where))).toMatchObject({
      code: "invalid_settings",
      keys: ["retries", "fast"],
    });
  });

  test("text from a command line becomes what the schema of the flavor wants", async () => {
    const { registry } = account();
    const cloud = await flavorOf(registry, "secrets_manager", "cloud");
    expect(await settingsFromText(cloud, { region: "7", retries: "3", fast: "yes", other: "1" })).toEqual({
      region: "7",
      retries: 3,
      fast: true,
      other: "1",
    });
    expect(await settingsFromText(cloud, { retries: "three", fast: "maybe" })).toEqual({ retries: "three", fast: "maybe" });
    expect(Object.keys(await settingsFromText(cloud, JSON.parse('{"__proto__":"x"}') as Record<string, string>))).toEqual(["__proto__"]);
    const settings = z.object({ version: z.literal([1, 2]), kind: z.enum(["a", "b"]), tags: z.record(z.string(), z.string()) });
    const choosy = defineFlavor({ name: "choosy", settings, open: () => Promise.reject(new Error("not opened")) });
    expect(await settingsFromText(choosy, { version: "2", kind: "a", tags: '{"a":"b"}' })).toEqual({
      version: 2,
      kind: "a",
      tags: { a: "b" },
    });
    expect(await settingsFromText(choosy, { version: "3", tags: "none" })).toEqual({ version: "3", tags: "none" });
  });
});

describe("changing", () => {
  test("101: an update merges, undefined removes, and what results is checked", async () => {
    const { where } = account();
    const { component } = await registerComponent(
      { ...team, settings: { region: "eu", retries: 3 }, scope: "namespace", namespace: "a" },
      where,
    );
    const updated = await updateComponent(
      "secrets_manager",
      "team",
      { settings: { fast: true, retries: undefined }, namespace: "b" },
      where,
    );
    expect(updated.component).toEqual({ ...component, settings: { region: "eu", fast: true }, namespace: "b" });
    expect(await failure(() => updateComponent("secrets_manager", "team", { settings: { region: undefined } }, where))).toMatchObject({
      keys: ["region"],
    });
    expect(await failure(() => updateComponent("secrets_manager", "team", { namespace: undefined }, where))).toMatchObject({
      code: "invalid_settings",
    });
    expect(findComponent(readConfiguration(where), "secrets_manager", "team")).toEqual(updated.component);
  });

  test("101: attributes are removed by name; those that are not there are told", async () => {
    const { where } = account();
    await registerComponent({ ...team, settings: { region: "eu", retries: 3 }, namespace: "a" }, where);
    const { component } = await removeAttributes("secrets_manager", "team", ["retries", "namespace"], where);
    expect(component.settings).toEqual({ region: "eu" });
    expect(component).not.toHaveProperty("namespace");
    const error = await failure(() => removeAttributes("secrets_manager", "team", ["name", "retries"], where));
    expect(error).toMatchObject({
      code: "invalid_settings",
      keys: ["name", "retries"],
      hint: expect.stringContaining("It has: region, scope.") as unknown,
    });
    expect(await failure(() => removeAttributes("secrets_manager", "team", ["region"], where))).toMatchObject({ code: "invalid_settings" });
  });

  test("101: a rename keeps the id and takes the stacks of the file along; a copy has its own id", async () => {
    const { where } = account();
    const { component } = await registerComponent(team, where);
    await registerStack({ name: "prod", secretsManager: "team" }, where);
    expect(await renameComponent("secrets_manager", "team", "crew", where)).toEqual({ ...component, name: "crew" });
    const copy = await copyComponent("secrets_manager", "crew", "other", where);
    expect(copy).toEqual({ ...component, name: "other", id: expect.stringMatching(UUID) as unknown });
    expect(copy.id).not.toBe(component.id);
    await using stack = await openStack({ ...where, name: "prod" });
    expect(stack.secretsManager.flavor).toBe("cloud");
    expect(await failure(() => renameComponent("secrets_manager", "crew", "other", where))).toMatchObject({ code: "already_exists" });
    expect(await failure(() => renameComponent("secrets_manager", "team", "x", where))).toMatchObject({ code: "not_found" });
  });

  test("101: a component in use is not deleted, and the stacks are named", async () => {
    const { where } = account();
    await registerComponent(team, where);
    await registerStack({ name: "prod", secretsManager: "team" }, where);
    await registerStack({ name: "test", secretsManager: "team" }, where);
    const error = await failure(() => deleteComponent("secrets_manager", "team", where));
    expect(error).toMatchObject({ code: "conflict", retryable: false });
    expect(error.message).toContain('the stacks "prod", "test"');
    await registerComponent({ ...team, name: "free" }, where);
    await deleteComponent("secrets_manager", "free", where);
    expect(listComponents("secrets_manager", where).map(({ name }) => name)).toEqual(["default", "team"]);
  });

  test("an unknown name is answered with the one that was meant, and all that there are", async () => {
    const { where } = account();
    await registerComponent(team, where);
    const error = await failure(() => updateComponent("secrets_manager", "taem", {}, where));
    expect(error).toMatchObject({ code: "not_found", hint: "Did you mean team? There is: default, team." });
  });

  test("what is refused changes no byte", async () => {
    const { where, config } = account();
    await registerComponent(team, where);
    const before = readFileSync(config);
    await failure(() => registerComponent(team, where));
    await failure(() => updateComponent("secrets_manager", "team", { settings: { region: 7 } }, where));
    await updateComponent("secrets_manager", "team", {}, where);
    expect(readFileSync(config).equals(before)).toBe(true);
  });
});

describe("the default components", () => {
  test("are there without any file, are written down when they change, and stay the same component", async () => {
    const { where, home } = account();
    const [manager] = listComponents("secrets_manager", where);
    expect(manager).toMatchObject({ name: "default", flavor: "local", origin: "default", file: null });
    const { component } = await updateComponent("secrets_manager", "default", { settings: { revisions: 3 } }, where);
    expect(component).toMatchObject({ id: manager?.id, settings: { revisions: 3 }, origin: "user" });
    // No path of its own: the default store, which the very first command has made.
    expect(managerOpening(component, { HOME: home }).settings).toEqual({ revisions: 3 });
    expect(describeStack(undefined, where).secretsManager).toEqual(component);
    await deleteComponent("secrets_manager", "default", where);
    expect(listComponents("secrets_manager", where)).toEqual([manager]);
  });

  test("cannot be deleted or renamed, and can be copied", async () => {
    const { where } = account();
    expect(await failure(() => deleteComponent("secrets_manager", "default", where))).toMatchObject({ code: "unsupported" });
    expect(await failure(() => renameComponent("secrets_manager", "default", "mine", where))).toMatchObject({ code: "unsupported" });
    await updateComponent("secrets_manager", "default", { settings: { revisions: 3 } }, where);
    expect(await failure(() => renameComponent("secrets_manager", "default", "mine", where))).toMatchObject({ code: "unsupported" });
    expect(await copyComponent("secrets_manager", "default", "mine", where)).toMatchObject({ flavor: "local", settings: { revisions: 3 } });
  });
});

describe("scopes", () => {
  // Here a scope is a prefix that core writes in front of every name, so there is no flavor that cannot have one.
  test("12: a flavor that knows nothing of scopes has the scope global like any other", async () => {
    const { where } = account();
    expect((await registerComponent({ ...team, flavor: "memory", settings: {} }, where)).component.scope).toBe("global");
  });

  test("13: any scope can be chosen on it, and it holds", async () => {
    const { where, services } = account();
    await registerComponent({ ...team, scope: "namespace", namespace: "a" }, where);
    await registerStack({ name: "prod", secretsManager: "team" }, where);
    await using stack = await openStack({ ...where, name: "prod" });
    await stack.secretsManager.registerSecret({ name: "db", values: { user: "etl" } });
    const whole = createSecretsManager(memory, { service: services.get("eu") }, { scope: "none" });
    expect((await Array.fromAsync(whole.listSecrets())).map(({ name }) => name)).toEqual(["coffer/namespace/a/db"]);
  });

  test("18: two managers of the scope component on one service share nothing; a rename takes the secrets along", async () => {
    const { where } = account();
    await registerComponent({ ...team, name: "one", scope: "component" }, where);
    await copyComponent("secrets_manager", "one", "two", where);
    for (const name of ["one", "two"]) await registerStack({ name, secretsManager: name }, where);
    {
      await using stack = await openStack({ ...where, name: "one" });
      await stack.secretsManager.registerSecret({ name: "db", values: { user: "one" } });
    }
    await renameComponent("secrets_manager", "one", "first", where);
    await using first = await openStack({ ...where, name: "one" });
    await using second = await openStack({ ...where, name: "two" });
    expect(await first.secretsManager.hasSecret("db")).toBe(true);
    expect(await second.secretsManager.hasSecret("db")).toBe(false);
  });

  test("19: two managers of the scope global on one service share their secrets", async () => {
    const { where } = account();
    for (const name of ["one", "two"]) {
      await registerComponent({ ...team, name }, where);
      await registerStack({ name, secretsManager: name }, where);
    }
    await using first = await openStack({ ...where, name: "one" });
    await using second = await openStack({ ...where, name: "two" });
    await first.secretsManager.registerSecret({ name: "db", values: { user: "etl" } });
    expect(await second.secretsManager.hasSecret("db")).toBe(true);
  });

  test("8: deleting all empties the manager's own scope only", async () => {
    const { where } = account();
    for (const name of ["one", "two"]) {
      await registerComponent({ ...team, name, scope: "component" }, where);
      await registerStack({ name, secretsManager: name }, where);
    }
    await using first = await openStack({ ...where, name: "one" });
    await using second = await openStack({ ...where, name: "two" });
    for (const { secretsManager } of [first, second]) await secretsManager.registerSecret({ name: "db", values: { user: "etl" } });
    expect(await first.secretsManager.deleteAllSecrets()).toEqual({ deleted: 1 });
    expect(await second.secretsManager.hasSecret("db")).toBe(true);
  });
});
