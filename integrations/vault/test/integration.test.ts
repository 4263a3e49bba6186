import { fileURLToPath } from "node:url";
import { integrationCheck } from "@coffer/testkit";
import { expect, test } from "vitest";

test("the manifest, the exports and the registration of the package agree", async () => {
  const folder = fileURLToPath(new URL("..", import.meta.url));
  expect(await integrationCheck(folder, { load: () => import("../src/index.ts") })).toEqual([]);
});
