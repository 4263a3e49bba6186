import { leakScan } from "@coffer/testkit";
import { expect, test } from "vitest";
import { describeStack, exportStack, importStack, openStack, registerComponent, registerStack } from "../src/index.ts";
import { account, type Account, failure } from "./laboratory.ts";

async function team(): Promise<Account> {
  const lab = account();
  await registerComponent(
    { type: "secrets_manager", name: "vault", flavor: "cloud", settings: { region: "eu", token: "canary-canary" }, scope: "component" },
    lab.where,
  );
  await registerComponent(
    { type: "orchestrator", name: "runner", flavor: "here", settings: { url: "{{pg.url}}", password: "{{pg.password}}" } },
    lab.where,
  );
  await registerStack({ name: "prod", secretsManager: "vault", orchestrator: "runner" }, lab.where);
  return lab;
}

test("a stack travels with its components, their ids and references, and without a secret", async () => {
  const lab = await team();
  {
    await using stack = await openStack({ ...lab.where, name: "prod" });
    await stack.secretsManager.registerSecret({ name: "pg", values: { url: "canary-canary", password: "canary-canary" } });
  }
  const { exported, omitted } = exportStack("prod", lab.where);
  expect(omitted).toEqual([{ component: "vault", setting: "token" }]);
  expect(await leakScan({ canary: ["canary-canary"], texts: { exported: JSON.stringify(exported) } })).toEqual([]);
  expect(exported).toEqual(JSON.parse(JSON.stringify(exported)));
  const other = account();
  const { stack, reused, warnings } = await importStack(JSON.parse(JSON.stringify(exported)), other.where);
  expect(stack).toEqual(describeStack("prod", other.where));
  expect([reused, warnings]).toEqual([[], []]);
  expect(stack.secretsManager).toMatchObject({
    id: describeStack("prod", lab.where).secretsManager?.id,
    scope: "component",
    settings: { region: "eu" },
  });
  expect(stack.orchestrator?.settings).toEqual({ url: "{{pg.url}}", password: "{{pg.password}}" });
});

test("the default components are those of whoever imports", async () => {
  const { exported } = exportStack("default", account().where);
  const other = account();
  expect(await importStack(exported, { ...other.where, name: "copy" })).toMatchObject({ reused: ["default", "default"] });
  expect(other.json(other.config)["components"]).toEqual([]);
});

test("a name that is taken by something else stops all of it; other names and what is the same already do not", async () => {
  const lab = await team();
  const { exported } = exportStack("prod", lab.where);
  const other = account();
  await registerComponent({ type: "secrets_manager", name: "vault", flavor: "cloud", settings: { region: "us" } }, other.where);
  const error = await failure(() => importStack(exported, other.where));
  expect(error).toMatchObject({
    code: "already_exists",
    message: 'There is already another secrets manager "vault". Nothing was imported.',
  });
  expect(other.json(other.config)["stacks"]).toEqual([]);
  const { stack } = await importStack(exported, { ...other.where, rename: { vault: "team-vault" } });
  expect(stack.secretsManager).toMatchObject({ name: "team-vault", id: exported.components[0]?.id });
  expect(await failure(() => importStack(exported, { ...other.where, rename: { vault: "team-vault" } }))).toMatchObject({
    message: expect.stringContaining('stack "prod"') as unknown,
  });
  expect(await importStack(exported, { ...other.where, name: "again", rename: { vault: "team-vault" } })).toMatchObject({
    reused: ["team-vault", "runner"],
  });
  // Under a second name on one machine it is another component.
  const twice = await importStack(exported, { ...other.where, name: "twice", rename: { vault: "second", runner: "runner2" } });
  expect(twice.stack.secretsManager?.id).not.toBe(exported.components[0]?.id);
});

test("what is no export, what is newer, and what does not fit is refused with a word and no content", async () => {
  const { where } = account();
  const { exported } = exportStack("prod", (await team()).where);
  for (const [data, code] of [
    [7, "invalid_request"],
    [{ ...exported, version: 2 }, "unsupported"],
    [{ ...exported, stack: { name: "../x" } }, "invalid_request"],
    [{ ...exported, components: [] }, "invalid_request"],
    [{ ...exported, components: exported.components.map((one) => ({ ...one, flavor: "file:///canary" })) }, "invalid_request"],
    [{ ...exported, components: exported.components.map((one) => ({ ...one, flavor: "unknown" })) }, "unknown_flavor"],
    [{ ...exported, components: exported.components.map((one) => ({ ...one, settings: { canary: 1 } })) }, "invalid_settings"],
  ] as const) {
    const error = await failure(() => importStack(data, where));
    expect(error, JSON.stringify(data)).toMatchObject({ code });
    expect(error.message).not.toContain("file:///canary");
  }
});
