import { describe, expect, test } from "vitest";
import { z } from "zod";
import * as mini from "zod/mini";
import { defineSecretSchema } from "./define.ts";
import { schemaFields } from "./fields.ts";
import { basicAuth, mysql } from "./builtin.ts";
import { textBoolean, textNumber } from "./text.ts";
import { parseValues } from "./validate.ts";

const every = defineSecretSchema({
  type: "every",
  fields: z.object({
    flag: z.boolean(),
    count: z.number().optional(),
    big: z.bigint().optional(),
    kind: z.literal("S3").default("S3"),
    level: z.enum(["low", "high"]).optional(),
    text_flag: textBoolean().optional(),
    text_number: textNumber().optional(),
    email: z.email().optional(),
  }),
});
const parse = async (values: Record<string, string>) => parseValues(every, { flag: "true", ...values });

describe("text to value, exactly", () => {
  test.each(["true", "TRUE", "1", "yes", "Y", "on", "t"])("checklist 31: %j is true", async (text) => {
    expect(await parse({ flag: text, text_flag: text })).toMatchObject({ content: { flag: true, text_flag: true } });
  });
  test.each(["false", "False", "0", "no", "N", "off", "f"])("%j is false", async (text) => {
    expect(await parse({ flag: text, text_flag: text })).toMatchObject({ content: { flag: false, text_flag: false } });
  });
  test.each(["", " true", "2", "ja", "truee"])("checklist 30: %j is no boolean", async (text) => {
    expect(await parse({ flag: text })).toEqual({ issues: [{ key: "flag", problem: "invalid", expected: "true or false" }] });
    expect((await parse({ text_flag: text })).issues).toHaveLength(1);
  });
  test.each([
    ["0", 0],
    ["-12.50", -12.5],
    ["007", 7],
  ])("%j is a number", async (text, number) => {
    expect(await parse({ count: text, text_number: text })).toMatchObject({ content: { count: number, text_number: number } });
  });
  test.each(["", "1e5", "0x1F", " 1", "1.", ".5", "Infinity", "NaN", "9007199254740993"])("%j is no number", async (text) => {
    expect((await parse({ count: text })).issues).toHaveLength(1);
    expect((await parse({ text_number: text })).issues).toHaveLength(1);
  });
  test("a whole number of any length is a bigint", async () => {
    expect(await parse({ big: "90071992547409931234" })).toMatchObject({ content: { big: 90071992547409931234n } });
  });
  test("checklist 41: literals and enums take their own text only", async () => {
    expect(await parse({ kind: "S3", level: "high" })).toMatchObject({ content: { kind: "S3", level: "high" } });
    expect(await parse({ kind: "s3", level: "High" })).toEqual({
      issues: [
        { key: "kind", problem: "invalid", expected: 'exactly "S3"' },
        { key: "level", problem: "invalid", expected: 'one of "low", "high"' },
      ],
    });
  });
});

test("checklist 28 29 32: defaults are filled in; missing, unknown and unfit keys are reported together", async () => {
  expect(await parseValues(mysql, { user: "u" })).toMatchObject({ content: { user: "u", ssl_verify_server_cert: false } });
  expect(await parseValues(basicAuth, { usename: "canary", password: "canary" })).toEqual({
    issues: [
      { key: "usename", problem: "unknown" },
      { key: "username", problem: "missing", expected: "text" },
    ],
  });
});

test("T19: no issue holds a value, whatever a refinement says", async () => {
  const talkative = defineSecretSchema({
    type: "talkative",
    fields: z.object({ pin: z.string().refine(() => false, { error: (issue) => `canary ${String(issue.input)}` }), mail: z.email() }),
  });
  expect(JSON.stringify(await parseValues(talkative, { pin: "canary-1", mail: "canary-2" }))).not.toContain("canary");
});

test("checks that take time are waited for", async () => {
  const slow = defineSecretSchema({
    type: "slow",
    fields: z.object({ pin: z.string().refine(async (pin) => Promise.resolve(pin === "ok")) }),
  });
  expect(await parseValues(slow, { pin: "ok" })).toMatchObject({ content: { pin: "ok" } });
  expect(await parseValues(slow, { pin: "no" })).toMatchObject({ issues: [{ key: "pin" }] });
});

test("a schema of zod/mini works the same", async () => {
  const small = defineSecretSchema({ type: "small", fields: mini.object({ on: mini._default(mini.boolean(), true), n: mini.number() }) });
  expect(await parseValues(small, { n: "4" })).toMatchObject({ content: { on: true, n: 4 } });
});

test("a loose object takes more keys", async () => {
  const loose = defineSecretSchema({ type: "loose", fields: z.looseObject({ a: z.string() }) });
  expect(await parseValues(loose, { a: "1", b: "2" })).toMatchObject({ content: { a: "1", b: "2" } });
});

test("coercion is refused when the schema is defined", () => {
  expect(() => defineSecretSchema({ type: "bad", fields: z.object({ flag: z.coerce.boolean() }) })).toThrow(/key "flag".*coerces/);
  expect(() => defineSecretSchema({ type: "bad", fields: z.object({ count: z.coerce.number().optional() }) })).toThrow(
    /key "count".*coerces/,
  );
});

test("checklist 45: the fields of a schema are in the order of their declaration, with what a prompt needs", () => {
  expect(schemaFields(mysql).map((field) => field.key)).toEqual([
    "user",
    "password",
    "ssl_ca",
    "ssl_cert",
    "ssl_key",
    "ssl_verify_server_cert",
  ]);
  expect(schemaFields(every)).toContainEqual({
    key: "kind",
    required: false,
    expected: 'exactly "S3"',
    type: "literal",
    default: "S3",
    choices: ["S3"],
  });
  expect(schemaFields(every)[0]).toMatchObject({ key: "flag", required: true, expected: "true or false" });
});
