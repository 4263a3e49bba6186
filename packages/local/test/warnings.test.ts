import { expect, test } from "vitest";
import { runProgram, temporarySettings } from "./laboratory.ts";

test("a program hears its own warnings and none about SQLite", async () => {
  const program = `
    import { createSecretsManager } from "@coffer/core";
    import { local } from "@coffer/local";
    process.emitWarning("before");
    const manager = createSecretsManager(local, ${JSON.stringify(temporarySettings())});
    await manager.registerSecret({ name: "one", values: { key: "value" } });
    process.emitWarning("after", "ExperimentalWarning");
    await manager.close();`;
  const { code, stdout, stderr } = await runProgram(program);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
  expect(stderr).toContain("Warning: before");
  expect(stderr).toContain("ExperimentalWarning: after");
  expect(stderr).not.toContain("SQLite");
});

test("importing the package opens nothing, makes nothing and loads neither SQLite nor zod nor the driver", async () => {
  const program = `
    import { registerHooks } from "node:module";
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    await import("@coffer/local");
    const ours = loaded.filter((url) => /zod|keyring|driver\\.ts/.test(url));
    console.log(JSON.stringify({ ours, sqlite: process.moduleLoadList.some((name) => name.includes("sqlite")) }));`;
  const { code, stdout, stderr } = await runProgram(program, { env: { ...process.env, HOME: "/absent" } });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout)).toEqual({ ours: [], sqlite: false });
});
