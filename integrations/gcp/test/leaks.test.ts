import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { leakScan } from "@coffer/testkit";
import { failureOf, accountFile, keyLines, managerOn, startServer } from "./laboratory.ts";

/** Everything that a program might print of an error. */
function textsOf(error: Error): Record<string, string> {
  return {
    text: String(error),
    stack: error.stack ?? "",
    inspect: inspect(error, { depth: 12, showHidden: true, maxStringLength: null }),
    json: JSON.stringify(error),
    cause: inspect(error.cause, { depth: 12, showHidden: true }),
  };
}

test.each([
  { kind: "echo" },
  { kind: "deny" },
  { kind: "unauthenticated" },
  { kind: "html", status: 502 },
  { kind: "cut_json" },
  { kind: "throttle", times: 100 },
  { kind: "reset_before", times: 100 },
] as const)("T27, T28: an error shows neither values nor credentials: $kind", async (fault) => {
  const server = await startServer();
  const canary = randomUUID();
  const manager = managerOn(server, {}, { max_retries: 1 });
  await manager.registerSecret({ name: "there", values: { password: canary } });
  server.faults.inject(fault);
  for (const call of [
    () => manager.registerSecret({ name: "a", values: { password: canary } }),
    () => manager.replaceSecret({ name: "there", schema: "arbitrary", values: { password: `${canary}2` } }),
  ])
    expect(await leakScan({ canary: [canary, ...keyLines], texts: textsOf(await failureOf(call())) })).toEqual([]);
  await server.stop();
});

test.each(["rest", "grpc"])("T25: with every debug output on, nothing is printed over %s", { timeout: 60_000 }, async (transport) => {
  const { sdkProtos } = await import("./laboratory.ts");
  const server = await startServer({ protos: sdkProtos() });
  const canary = randomUUID();
  const settings = {
    project: server.project,
    ...(transport === "rest"
      ? { endpoint: server.rest.url, credentials_file: accountFile }
      : { endpoint: `http://127.0.0.1:${server.grpc?.port}`, anonymous: true, transport }),
  };
  const program = `
    import { createSecretsManager } from "@coffer/core";
    import { gcp } from ${JSON.stringify(join(import.meta.dirname, "../src/index.ts"))};
    const manager = createSecretsManager(gcp, ${JSON.stringify(settings)});
    const values = { password: process.env.CANARY };
    await manager.registerSecret({ name: "a", values });
    const secret = await manager.getSecret("a");
    if (secret.text.password !== process.env.CANARY) throw new Error("not what was written");
    await manager.replaceSecret({ name: "a", schema: "arbitrary", values });
    await manager.getSecret("absent").catch((error) => console.error(error));
    await manager.registerSecret({ name: "a", values }).catch((error) => console.error(error));
    await manager.close();
    console.error("done");
  `;
  const child = spawn(process.execPath, ["--conditions=@coffer/source", "--input-type=module", "-e", program], {
    cwd: join(import.meta.dirname, ".."),
    env: {
      ...process.env,
      CANARY: canary,
      DEBUG: "*",
      NODE_DEBUG: "http,https,net,tls,fetch,undici",
      GOOGLE_SDK_NODE_LOGGING: "all",
    },
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect([code, output.stderr.includes("done")]).toEqual([0, true]);
  // The token of a service account is a signed text that begins like every other of its kind.
  expect(output.stdout + output.stderr).not.toMatch(/eyJ[\w-]{20,}/);
  expect(await leakScan({ canary: [canary, ...keyLines], texts: output })).toEqual([]);
  await server.stop();
});

test("importing the package loads neither the SDK nor zod", { timeout: 30_000 }, async () => {
  const program = `
    import { createRequire, registerHooks } from "node:module";
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    await import(${JSON.stringify(join(import.meta.dirname, "../src/index.ts"))});
    console.log(loaded.filter((url) => /google|grpc|protobuf|zod/.test(url.replace(/^.*node_modules/, ""))).filter((url) => url.includes("node_modules")).length);
  `;
  const child = spawn(process.execPath, ["--conditions=@coffer/source", "--input-type=module", "-e", program], {
    cwd: join(import.meta.dirname, ".."),
  });
  let stdout = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  await new Promise((resolve) => child.on("close", resolve));
  expect(stdout.trim()).toBe("0");
});
