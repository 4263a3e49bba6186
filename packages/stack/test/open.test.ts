import { existsSync } from "node:fs";
import { join } from "node:path";
import { createRegistry, createSecretsManager, defineSecretSchema } from "@coffer/core";
import { mysql } from "@coffer/core/schemas";
import { memory } from "@coffer/testkit";
import { expect, test } from "vitest";
import { z } from "zod";
import {
  activeStack,
  copyComponent,
  currentStack,
  managerOpening,
  openStack,
  readConfiguration,
  registerComponent,
  registerStack,
  setActiveStack,
  storeRequiredSecret,
} from "../src/index.ts";
import { account, failure } from "./laboratory.ts";

test("two local managers and one in memory, in three stacks: isolated, switched with one word, copied between", async () => {
  const { where, home } = account();
  await copyComponent("secrets_manager", "default", "laptop", where);
  await registerComponent({ type: "secrets_manager", name: "other", flavor: "local" }, where);
  await registerComponent({ type: "secrets_manager", name: "memory", flavor: "cloud", settings: { region: "eu" } }, where);
  for (const name of ["laptop", "other", "memory"]) await registerStack({ name, secretsManager: name }, where);
  const names: Record<string, string[]> = {};
  for (const name of ["laptop", "other", "memory"]) {
    await setActiveStack(name, where);
    await using stack = await activeStack(where);
    expect(stack.name).toBe(name);
    await stack.secretsManager.registerSecret({ name: `of-${name}`, schema: mysql, values: { user: name } });
    names[name] = (await Array.fromAsync(stack.secretsManager.listSecrets())).map((secret) => secret.name);
  }
  expect(names).toEqual({ laptop: ["of-laptop"], other: ["of-other"], memory: ["of-memory"] });
  await using from = await openStack({ ...where, name: "laptop" });
  await using to = await openStack({ ...where, name: "memory" });
  await from.secretsManager.copySecret("of-laptop", "copied", { manager: to.secretsManager });
  expect((await to.secretsManager.getSecret("copied", mysql)).content.user).toBe("laptop");
  // A typed secret stays typed when register-secrets fills it.
  expect(await storeRequiredSecret(to.secretsManager, "copied", { password: "x" })).toBe("updated");
  expect((await to.secretsManager.getSecret("copied")).schema).toMatchObject({ type: "mysql", installed: true });
  // The default store was never touched.
  expect(existsSync(join(home, ".local/share/coffer/local/secrets.db"))).toBe(false);
});

test("53: a local manager has a store of its own, named by its id; the default one keeps the place of the first command", async () => {
  const { where, home } = account();
  const { component } = await registerComponent({ type: "secrets_manager", name: "mine", flavor: "local" }, where);
  expect(managerOpening(component, where.env)).toEqual({
    flavor: "local",
    settings: { path: join(home, ".local/share/coffer/local", component.id, "secrets.db") },
    options: { scope: "global", namespace: undefined, componentId: component.id },
  });
  const placed = await registerComponent(
    { type: "secrets_manager", name: "placed", flavor: "local", settings: { path: "/x/y.db" } },
    where,
  );
  expect(managerOpening(placed.component, where.env).settings).toEqual({ path: "/x/y.db" });
  const own = currentStack(readConfiguration(where)).secretsManager;
  expect(own === undefined ? undefined : managerOpening(own, where.env).settings).toEqual({});
});

test("the place is in the data directory of the local flavor, whatever the variables", async () => {
  const { defaultPaths } = await import("@coffer/local");
  const { localStorePath } = await import("../src/directories.ts");
  const { home } = account();
  for (const env of [{ HOME: home }, { HOME: home, XDG_DATA_HOME: "/data" }, { HOME: home, XDG_DATA_HOME: "relative" }])
    expect(localStorePath(env, "x")).toBe(join(defaultPaths(env).store, "../x/secrets.db"));
});

test("nothing opens before it is used, and everything that was opened is closed", async () => {
  const { where, opened } = account();
  await registerComponent({ type: "secrets_manager", name: "team", flavor: "cloud", settings: { region: "eu" } }, where);
  await registerComponent({ type: "orchestrator", name: "runner", flavor: "here" }, where);
  await registerStack({ name: "prod", secretsManager: "team", orchestrator: "runner" }, where);
  const stack = await openStack({ ...where, name: "prod" });
  const { secretsManager, orchestrator } = stack;
  expect(opened).toEqual([]);
  expect(stack.secretsManager).toBe(secretsManager);
  expect(stack.orchestrator).toBe(orchestrator);
  await secretsManager.hasSecret("x");
  await orchestrator.open();
  expect(opened).toEqual(["cloud eu", "here"]);
  await stack.close();
  await stack.close();
  expect(await failure(() => secretsManager.hasSecret("x"))).toMatchObject({ code: "closed" });
  expect(await failure(() => stack.secretsManager)).toMatchObject({ code: "closed" });
  expect(await failure(() => orchestrator.open())).toMatchObject({ code: "closed" });
});

test("closing closes what the orchestrator opened, too, and a failure to close one hides no other", async () => {
  const { where, registry } = account();
  const closed: string[] = [];
  registry.add({
    specVersion: 1,
    name: "more",
    flavors: [
      {
        type: "orchestrator",
        name: "closing",
        settings: z.strictObject({}),
        locality: () => "local",
        open: async () => ({ close: async () => void closed.push("closing") }),
      } as never,
    ],
    schemas: [],
  });
  await registerComponent({ type: "orchestrator", name: "o", flavor: "closing" }, where);
  await registerStack({ name: "prod", secretsManager: "default", orchestrator: "o" }, where);
  {
    await using stack = await openStack({ ...where, name: "prod" });
    await stack.orchestrator.open();
  }
  expect(closed).toEqual(["closing"]);
});

test("a stack without an orchestrator, and a flavor that is not installed, are told when they are used", async () => {
  const { where, config, write } = account();
  write(config, {
    version: 1,
    components: [{ type: "secrets_manager", name: "gone", id: "0b0f6c0e-6f3a-4b6c-9d53-0d9d8a1c2e11", flavor: "aws" }],
    stacks: [{ name: "prod", secrets_manager: "gone" }],
  });
  await using stack = await openStack({ ...where, name: "prod" });
  expect(await failure(() => stack.secretsManager)).toMatchObject({
    code: "unknown_flavor",
    hint: expect.stringContaining("npm install @coffer/aws") as unknown,
  });
  expect(await failure(() => stack.orchestrator)).toMatchObject({
    code: "invalid_settings",
    hint: expect.stringContaining("coffer stack update prod --orchestrator=NAME") as unknown,
  });
});

test("the registry that was given also has the schemas, and the options reach the manager", async () => {
  const { where, registry } = account();
  registry.addSchema(defineSecretSchema({ type: "label_api", fields: z.object({ size: z.number() }) }));
  await registerComponent({ type: "secrets_manager", name: "team", flavor: "cloud", settings: { region: "eu" } }, where);
  await using stack = await openStack({ ...where, secretsManager: "team", options: { readonly: true } });
  const writer = createSecretsManager(memory, {}, { registry });
  await writer.registerSecret({ name: "label", schema: "label_api", values: { size: "3" } });
  expect((await writer.getSecret("label")).content).toEqual({ size: 3 });
  expect(await failure(() => stack.secretsManager.registerSecret({ name: "x", values: { a: "1" } }))).toMatchObject({
    code: "unsupported",
  });
});

test("a registry that knows nothing still opens the default stack", async () => {
  const { where } = account();
  await using stack = await openStack({ ...where, registry: createRegistry() });
  await stack.secretsManager.registerSecret({ name: "db", values: { user: "etl" } });
  expect(await stack.secretsManager.hasSecret("db")).toBe(true);
});
