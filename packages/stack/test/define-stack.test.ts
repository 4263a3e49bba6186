import { createRegistry, defineFlavor, type OrchestratorFlavor } from "@coffer/core";
import { local } from "@coffer/local";
import { memory } from "@coffer/testkit";
import { expect, test } from "vitest";
import { z } from "zod";
import { defineStack, orchestrator, secretsManager } from "../src/index.ts";
import { failure } from "./laboratory.ts";

const runner = (locality: "local" | "remote"): OrchestratorFlavor => ({
  type: "orchestrator",
  name: "runner",
  settings: z.strictObject({ url: z.string().optional() }),
  locality: () => locality,
  open: async (settings) => settings,
});

test("a program's own stack: opened lazily, references resolved, closed", async () => {
  const stack = await defineStack({
    name: "program",
    secretsManager: secretsManager(memory, {}, { registry: createRegistry() }),
    orchestrator: orchestrator(runner("local"), { url: "{{pg.url}}" }),
  });
  expect(stack.requiredSecrets).toEqual([{ secret: "pg", keys: ["url"] }]);
  expect(await stack.missingSecrets("SECRET_EXISTS")).toEqual([
    { component: "runner", setting: "url", secret: "pg", key: "url", missing: "secret" },
  ]);
  await stack.secretsManager.registerSecret({ name: "pg", values: { url: "pg://x" } });
  await stack.assertSecrets();
  expect(await stack.orchestrator.open()).toEqual({ url: "pg://x" });
  await stack.close();
  expect(await failure(() => stack.secretsManager)).toMatchObject({ code: "closed" });
});

test("112: where the types do not say, a local component with a remote orchestrator is refused when the stack is made", async () => {
  const file = defineFlavor({
    name: "file",
    settings: z.object({ url: z.string() }),
    locality: ({ url }) => (url.startsWith("file:") ? "local" : "remote"),
    open: () => Promise.reject(new Error("never")),
  });
  const make = (url: string): Promise<unknown> =>
    defineStack({ name: "prod", secretsManager: secretsManager(file, { url }), orchestrator: orchestrator(runner("remote")) });
  await make("https://x");
  expect(await failure(() => make("file:///x"))).toMatchObject({
    code: "invalid_settings",
    message:
      'The stack "prod" cannot work: its orchestrator "runner" (flavor runner) is remote and could not reach its secrets manager "file" (flavor file), which is local.',
  });
});

test("without a secrets manager, without an orchestrator", async () => {
  await using bare = await defineStack({ name: "bare", orchestrator: orchestrator(runner("local"), { url: "{{a.b}}" }) });
  expect(await failure(() => bare.secretsManager)).toMatchObject({ code: "no_secrets_manager" });
  expect(await failure(() => bare.assertSecrets())).toMatchObject({ code: "no_secrets_manager" });
  await using only = await defineStack({ name: "only", secretsManager: secretsManager(local, {}) });
  expect(await failure(() => only.orchestrator)).toMatchObject({ code: "invalid_settings" });
});
