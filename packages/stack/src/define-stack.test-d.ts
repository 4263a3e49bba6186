import type { OrchestratorFlavor, SecretsManagerFlavor } from "@coffer/core";
import { local } from "@coffer/local";
import { expectTypeOf, test } from "vitest";
import { defineStack, orchestrator, secretsManager } from "./define-stack.ts";
import type { Stack } from "./stack.ts";

declare const cluster: OrchestratorFlavor<unknown, "remote">;
declare const here: OrchestratorFlavor<unknown, "local">;
declare const either: OrchestratorFlavor;
declare const vault: SecretsManagerFlavor<{ url: string }, { url: string }, "remote">;

test("T117 a local secrets manager with a remote orchestrator does not compile", () => {
  // @ts-expect-error: a remote orchestrator cannot reach it
  void defineStack({ name: "wrong", secretsManager: secretsManager(local, {}), orchestrator: orchestrator(cluster) });
});

test("every other pair does", () => {
  expectTypeOf(defineStack({ name: "a", secretsManager: secretsManager(local, {}), orchestrator: orchestrator(here) })).toEqualTypeOf<
    Promise<Stack>
  >();
  void defineStack({ name: "b", secretsManager: secretsManager(vault, { url: "x" }), orchestrator: orchestrator(cluster) });
  void defineStack({ name: "c", secretsManager: secretsManager(vault, { url: "x" }), orchestrator: orchestrator(here) });
  // The settings decide: then it is refused when the stack is made.
  void defineStack({ name: "d", secretsManager: secretsManager(local, {}), orchestrator: orchestrator(either) });
  void defineStack({ name: "e", secretsManager: secretsManager(local, {}) });
  void defineStack({ name: "f", orchestrator: orchestrator(cluster) });
});

test("settings are those of the flavor", () => {
  // @ts-expect-error: a misspelt setting
  secretsManager(vault, { ulr: "x" });
});
