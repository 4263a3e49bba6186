import { describe, expect, test } from "vitest";
import {
  copyStack,
  deleteStack,
  describeStack,
  initProject,
  listStacks,
  openStack,
  registerComponent,
  registerStack,
  removeFromStack,
  renameStack,
  setActiveStack,
  updateComponent,
  updateStack,
} from "../src/index.ts";
import { account, failure } from "./laboratory.ts";

const team = { type: "secrets_manager", name: "team", flavor: "cloud", settings: { region: "eu" } } as const;

describe("the default stack", () => {
  test("is there without any file, with a local secrets manager and a local orchestrator", () => {
    const { where } = account();
    const stack = describeStack(undefined, where);
    expect(stack).toMatchObject({
      name: "default",
      secretsManager: { flavor: "local" },
      orchestrator: { flavor: "local" },
      origin: "default",
      file: null,
    });
    expect(listStacks(where)).toEqual([{ ...stack, active: true }]);
  });

  test("cannot be deleted or renamed, can be changed, and is there again without the change", async () => {
    const { where } = account();
    expect(await failure(() => deleteStack("default", where))).toMatchObject({ code: "unsupported" });
    expect(await failure(() => renameStack("default", "x", where))).toMatchObject({ code: "unsupported" });
    await registerComponent(team, where);
    expect(await updateStack("default", { secretsManager: "team" }, where)).toMatchObject({
      secretsManager: { name: "team" },
      orchestrator: { name: "default" },
      origin: "user",
    });
    expect(describeStack(undefined, where).secretsManager?.name).toBe("team");
    await deleteStack("default", where);
    expect(describeStack(undefined, where).secretsManager?.name).toBe("default");
  });
});

describe("103: stacks", () => {
  test("are registered, changed, emptied and described", async () => {
    const { where, config, json } = account();
    await registerComponent(team, where);
    const stack = await registerStack({ name: "prod", secretsManager: "team", orchestrator: "default" }, where);
    expect(stack).toMatchObject({
      name: "prod",
      secretsManager: { name: "team" },
      orchestrator: { name: "default" },
      origin: "user",
      file: config,
    });
    expect(describeStack("prod", where)).toEqual(stack);
    expect(await updateStack("prod", { secretsManager: "default" }, where)).toMatchObject({ secretsManager: { name: "default" } });
    expect(await removeFromStack("prod", ["secrets_manager"], where)).not.toHaveProperty("secretsManager");
    expect(json(config)["stacks"]).toEqual([{ name: "prod", orchestrator: "default" }]);
    expect(await failure(() => removeFromStack("prod", ["secrets_manager"], where))).toMatchObject({ code: "not_found" });
  });

  test("a component that is not there, a name that is taken, a name that is none", async () => {
    const { where } = account();
    await registerComponent(team, where);
    const missing = await failure(() => registerStack({ name: "prod", secretsManager: "taem" }, where));
    expect(missing).toMatchObject({ code: "not_found", hint: "Did you mean team? There is: default, team." });
    await registerStack({ name: "prod" }, where);
    expect(await failure(() => registerStack({ name: "prod" }, where))).toMatchObject({ code: "already_exists" });
    expect(await failure(() => registerStack({ name: "default" }, where))).toMatchObject({ code: "already_exists" });
    expect(await failure(() => registerStack({ name: "a/b" }, where))).toMatchObject({ code: "invalid_name" });
  });

  test("are switched with one word, outside of projects and in each project on its own", async () => {
    const { where, home } = account();
    for (const name of ["work", "shop"]) await registerStack({ name, secretsManager: "default" }, where);
    await setActiveStack("work", where);
    expect(describeStack(undefined, where).name).toBe("work");
    await initProject(where);
    expect(describeStack(undefined, where).name).toBe("work");
    await setActiveStack("shop", where);
    expect(describeStack(undefined, where).name).toBe("shop");
    expect(describeStack(undefined, { ...where, cwd: `${home}/work` }).name).toBe("work");
    expect(
      listStacks(where)
        .filter(({ active }) => active)
        .map(({ name }) => name),
    ).toEqual(["shop"]);
    expect(await failure(() => setActiveStack("shopp", where))).toMatchObject({
      code: "not_found",
      hint: expect.stringContaining("Did you mean shop?") as unknown,
    });
  });

  test("are named by COFFER_STACK and by the caller, who wins", async () => {
    const { where } = account();
    for (const name of ["work", "shop"]) await registerStack({ name }, where);
    const env = { ...where.env, COFFER_STACK: "shop" };
    expect(describeStack(undefined, { ...where, env }).name).toBe("shop");
    expect(describeStack("work", { ...where, env }).name).toBe("work");
    expect(await failure(() => describeStack(undefined, { ...where, env: { ...env, COFFER_STACK: "nope" } }))).toMatchObject({
      code: "not_found",
    });
  });

  test("stay active over a rename; an active one is not deleted", async () => {
    const { where } = account();
    await registerStack({ name: "work" }, where);
    await setActiveStack("work", where);
    await renameStack("work", "job", where);
    expect(describeStack(undefined, where).name).toBe("job");
    expect(await failure(() => deleteStack("job", where))).toMatchObject({ code: "conflict", retryable: false });
    await setActiveStack("default", where);
    await deleteStack("job", where);
    expect(listStacks(where).map(({ name }) => name)).toEqual(["default"]);
  });

  test("are copied with the same components", async () => {
    const { where } = account();
    await registerComponent(team, where);
    await registerStack({ name: "prod", secretsManager: "team" }, where);
    expect(await copyStack("prod", "test", where)).toMatchObject({ name: "test", secretsManager: { name: "team" } });
    expect(await copyStack("default", "mine", where)).toMatchObject({ secretsManager: { name: "default" }, origin: "user" });
  });
});

test("a stack whose component is gone is named, and can be mended or deleted", async () => {
  const { where, config, write } = account();
  write(config, { version: 1, stacks: [{ name: "prod", secrets_manager: "gone", orchestrator: "default" }] });
  for (const call of [() => describeStack("prod", where), () => openStack({ ...where, name: "prod" }), () => listStacks(where)]) {
    const error = await failure(call);
    expect(error).toMatchObject({ code: "not_found", message: 'The stack "prod" has a secrets manager "gone" that is not defined.' });
    expect(error.hint).toContain("coffer stack update prod --secrets-manager=NAME");
  }
  expect(await updateStack("prod", { secretsManager: "default" }, where)).toMatchObject({ secretsManager: { name: "default" } });
  write(config, { version: 1, stacks: [{ name: "prod", secrets_manager: "gone" }] });
  expect(await removeFromStack("prod", ["secrets_manager"], where)).not.toHaveProperty("secretsManager");
  write(config, { version: 1, stacks: [{ name: "prod", secrets_manager: "gone" }] });
  await deleteStack("prod", where);
  expect(listStacks(where)).toHaveLength(1);
});

test("100: without a secrets manager the error names the stack and the command that adds one", async () => {
  const { where } = account();
  await registerStack({ name: "bare" }, where);
  await using stack = await openStack({ ...where, name: "bare" });
  const error = await failure(() => stack.secretsManager);
  expect(error).toMatchObject({ code: "no_secrets_manager", message: 'The stack "bare" has no secrets manager.' });
  expect(error.hint).toContain("coffer stack update bare --secrets-manager=NAME");
});

describe("112: a remote orchestrator and a local secrets manager", () => {
  const cluster = { type: "orchestrator", name: "cluster", flavor: "cluster" } as const;
  const refusal = {
    code: "invalid_settings",
    message:
      'The stack "prod" cannot work: its orchestrator "cluster" (flavor cluster) is remote and could not reach its secrets manager "default" (flavor local), which is local.',
  };

  test("T117 are refused when a stack is registered, updated, set and opened, naming component, type and flavor", async () => {
    const { where, config, write, json } = account();
    await registerComponent(cluster, where);
    await registerComponent(team, where);
    expect(await failure(() => registerStack({ name: "prod", secretsManager: "default", orchestrator: "cluster" }, where))).toMatchObject(
      refusal,
    );
    await registerStack({ name: "prod", secretsManager: "team", orchestrator: "cluster" }, where);
    expect(await failure(() => updateStack("prod", { secretsManager: "default" }, where))).toMatchObject(refusal);
    // By hand:
    const document = json(config) as { stacks: { secrets_manager: string }[] };
    write(config, { ...document, stacks: document.stacks.map((stack) => ({ ...stack, secrets_manager: "default" })) });
    expect(await failure(() => setActiveStack("prod", where))).toMatchObject(refusal);
    expect(await failure(() => openStack({ ...where, name: "prod" }))).toMatchObject(refusal);
  });

  test("are refused when another manager is picked for one command", async () => {
    const { where } = account();
    await registerComponent(cluster, where);
    await registerComponent(team, where);
    await registerStack({ name: "prod", secretsManager: "team", orchestrator: "cluster" }, where);
    expect(await failure(() => openStack({ ...where, name: "prod", secretsManager: "default" }))).toMatchObject(refusal);
  });

  test("a change of a component that would make a stack so is refused", async () => {
    const { where, registry } = account();
    registry.add({
      specVersion: 1,
      name: "more",
      flavors: [
        {
          ...((await registry.flavor("orchestrator", "here")) as object),
          name: "either",
          locality: (settings: { url?: string }) => (settings.url === undefined ? "local" : "remote"),
        } as never,
      ],
      schemas: [],
    });
    await registerComponent({ type: "orchestrator", name: "either", flavor: "either" }, where);
    await registerStack({ name: "prod", secretsManager: "default", orchestrator: "either" }, where);
    const error = await failure(() => updateComponent("orchestrator", "either", { settings: { url: "pg://x" } }, where));
    expect(error.message).toContain('its orchestrator "either" (flavor either) is remote');
  });

  test("of an orchestrator that is not installed nobody can say; opening it names the package", async () => {
    const { where } = account();
    await using stack = await openStack(where);
    expect(await failure(() => stack.orchestrator.open())).toMatchObject({
      code: "unknown_flavor",
      hint: "It comes with: npm install @coffer/pipelines",
    });
  });
});
