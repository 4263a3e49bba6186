import { assert, property, string } from "fast-check";
import { describe, expect, test } from "vitest";
import { leakForms } from "../src/index.ts";

/** The forms in which the value is found in this text. */
function foundIn(text: string, value: string): string[] {
  return [...new Set(leakForms(value).flatMap(({ form, text: piece }) => (text.includes(piece) ? [form] : [])))];
}

const VALUE = 'correct horse"battery/staple+é';

describe("a value is recognised", () => {
  test.each<[string, string, string]>([
    ["as it is", `password=${VALUE};`, "raw"],
    ["cut after its first characters", "password=correct …", "first 8 characters"],
    ["in JSON", JSON.stringify({ password: VALUE }), "JSON"],
    ["in JSON in JSON", JSON.stringify({ body: JSON.stringify({ password: VALUE }) }), "JSON"],
    ["in a path", `/secrets/${encodeURIComponent(VALUE)}`, "URL"],
    ["in a form", new URLSearchParams({ password: "correct horse battery" }).toString(), "URL"],
    ["as hexadecimal digits", Buffer.from(VALUE).toString("hex"), "hex"],
    ["as capital hexadecimal digits", Buffer.from(VALUE).toString("hex").toUpperCase(), "hex"],
    ["as base64", Buffer.from(VALUE).toString("base64"), "base64"],
    ["as base64 for URLs", Buffer.from(VALUE).toString("base64url"), "base64"],
  ])("%s", (_how, text, form) => {
    expect(foundIn(text, form === "URL" && text.includes("+") ? "correct horse battery" : VALUE)).toContain(form);
  });
});

test("base64 gives a value away wherever it stands in what was encoded", () => {
  assert(
    property(string({ unit: "grapheme", minLength: 8, maxLength: 40 }), string(), string(), (value, before, after) => {
      expect(foundIn(Buffer.from(before + value + after).toString("base64"), value)).toContain("base64");
    }),
  );
});

test("a text without the value is not taken for one with it", () => {
  const other = "Tr0ub4dor&3 was another password";
  expect(
    foundIn(JSON.stringify({ other, hex: Buffer.from(other).toString("hex"), base64: Buffer.from(other).toString("base64") }), VALUE),
  ).toEqual([]);
});

test("pieces that would be found by chance are no forms", () => {
  expect(leakForms("ab")).toEqual([]);
  for (const { text } of leakForms("short1")) expect(text.length).toBeGreaterThanOrEqual(6);
});

test("a form is told once", () => {
  const texts = leakForms("plain-letters-only").map(({ text }) => text);
  expect(texts).toEqual([...new Set(texts)]);
});
