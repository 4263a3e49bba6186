import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { integrationCheck } from "@coffer/testkit";
import { expect, test } from "vitest";

test("the manifest, the exports and the registration of the package agree", async () => {
  const folder = fileURLToPath(new URL("..", import.meta.url));
  expect(await integrationCheck(folder, { load: () => import("../src/index.ts") })).toEqual([]);
});

test("importing the package loads neither the SDK nor zod; using its schema loads zod", async () => {
  const program = `
    import { registerHooks } from "node:module";
    import { globalRegistry } from "@coffer/core";
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    await import(${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)});
    const strangers = () => loaded.filter((url) => /node_modules/.test(url));
    const imported = strangers().length;
    await globalRegistry().requireSchema("aws");
    console.log(JSON.stringify([imported, strangers().length > 0, strangers().every((url) => /zod/.test(url)), loaded.length > 0]));`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=@coffer/source", "--input-type=module", "--eval", program],
    { cwd: fileURLToPath(new URL("..", import.meta.url)) },
  );
  expect(JSON.parse(stdout)).toEqual([0, true, true, true]);
});
