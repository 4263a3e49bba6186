import { expect, test } from "vitest";
import { z } from "zod";
import { checkSettings } from "./settings.ts";

const flavor = {
  settings: z.strictObject({ region: z.string(), retries: z.number().default(3), mode: z.enum(["fast", "safe"]).optional() }),
};

test("hands over what the schema makes of the settings", async () => {
  expect(await checkSettings(flavor, { region: "eu" })).toEqual({ value: { region: "eu", retries: 3 } });
  expect(await checkSettings({ ...flavor, checkPlainly: () => ({ plain: true }) }, {})).toEqual({ value: { plain: true } });
});

test("tells everything that is wrong at once, without a value", async () => {
  const { problems = [] } = await checkSettings(flavor, { region: 7, mode: "canary", tokn: "canary" });
  expect(problems).toEqual([
    { keys: ["region"], text: "region: expected string", unknown: false },
    { keys: ["mode"], text: 'mode: expected one of "fast", "safe"', unknown: false },
    { keys: ["tokn"], text: "tokn: not a setting of this flavor", unknown: true },
  ]);
  expect(JSON.stringify(problems)).not.toContain("canary");
});
