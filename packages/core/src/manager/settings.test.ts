import { expect, test } from "vitest";
import { z } from "zod";
import * as zodMini from "zod/mini";
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

test("tells the rule that a setting breaks in the words of its flavor, and bounds by themselves", async () => {
  const bounded = {
    settings: zodMini.strictObject({
      region: zodMini.string().check(zodMini.refine((text) => text.includes("-"), "a region, like eu-central-1")),
      token: zodMini.string().check(zodMini.refine(() => false, { error: ({ input }) => `not a token: ${String(input)}` })),
      retries: zodMini.int().check(zodMini.lte(10)),
      label: zodMini.string().check(zodMini.minLength(1)),
      other: zodMini.string().check(zodMini.refine(() => false)),
    }),
  };
  const { problems = [] } = await checkSettings(bounded, {
    region: "canary",
    token: "canary-token",
    retries: 11,
    label: "",
    other: "canary",
  });
  expect(problems.map(({ text }) => text)).toEqual([
    "region: a region, like eu-central-1",
    "token: not a value that is allowed here",
    "retries: at most 10",
    "label: at least 1 characters",
    "other: not a value that is allowed here",
  ]);
  expect(JSON.stringify(problems)).not.toContain("canary");
  const classic = { settings: z.object({ retries: z.number().max(10), name: z.string().regex(/^a/) }) };
  expect((await checkSettings(classic, { retries: 11, name: "canary" })).problems?.map(({ text }) => text)).toEqual([
    "retries: at most 10",
    "name: not a value that is allowed here",
  ]);
});

test("settings that lead back to themselves, as a client does, are told from those that are wrong", async () => {
  const client: Record<string, unknown> = {};
  client["self"] = client;
  const withClient = {
    settings: zodMini.strictObject({ region: zodMini.string().check(zodMini.refine(() => false, "a region")), client: zodMini.any() }),
  };
  const { problems = [] } = await checkSettings(withClient, { region: "nowhere", client });
  expect(problems.map(({ text }) => text)).toEqual(["region: a region"]);
});
