import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createRedactor, MASK } from "./redaction.ts";

const PEM = "-----BEGIN KEY-----\nAbCdEfGh/1234+zz\nqwertyuiop\n-----END KEY-----\n";

test("T30: every line of a multi-line value is masked, together and alone", () => {
  const redactor = createRedactor([PEM]);
  expect(redactor.redact(`before ${PEM} after`)).toBe(`before ${MASK} after`);
  expect(redactor.redact("a line: qwertyuiop")).toBe(`a line: ${MASK}`);
});

test.each([
  ["as it is", (value: string) => value],
  ["in JSON", (value: string) => JSON.stringify({ value })],
  ["in JSON within JSON", (value: string) => JSON.stringify(JSON.stringify({ value }))],
  ["in a URL", (value: string) => `https://host/?q=${encodeURIComponent(value)}`],
  ["in a URL with small digits", (value: string) => encodeURIComponent(value).toLowerCase()],
  ["in JSON of ASCII alone", (value: string) => JSON.stringify(value).replaceAll("é", "\\u00e9").replaceAll("ü", "\\u00fc")],
  ["in a form", (value: string) => new URLSearchParams({ value }).toString()],
  ["in hexadecimal", (value: string) => Buffer.from(value).toString("hex")],
  ["in base64", (value: string) => Buffer.from(value).toString("base64")],
  ["in base64, one byte in", (value: string) => Buffer.from(`x${value}`).toString("base64")],
  ["in base64, two bytes in", (value: string) => Buffer.from(`xy${value}z`).toString("base64")],
  ["in base64 for URLs", (value: string) => Buffer.from(value).toString("base64url")],
  ["as a bearer", (value: string) => `Bearer ${value}`],
])("T31: a value is masked %s", (_form, dress) => {
  const value = 'p"a/s+s\\w?o&rd é ü canary';
  const shown = createRedactor([value]).redact(dress(value));
  expect(shown).toContain(MASK);
  for (const part of ["canary", Buffer.from("canary").toString("hex"), "Y2FuYXJ5"]) expect(shown).not.toContain(part);
});

test("T32: characters with a meaning in expressions and replacements are text", () => {
  expect(createRedactor(["a$&b.*c$1"]).redact("x a$&b.*c$1 y aXbc")).toBe(`x ${MASK} y aXbc`);
});

test("T33: of overlapping values nothing remains", () => {
  expect(createRedactor(["abc", "abcdef", "defghi"]).redact("abcdefghi")).toBe(MASK);
});

test("T33: matches of one value and of several that reach into each other are masked to their last character", () => {
  const redactor = createRedactor(["aba", "bab", "xaba"]);
  expect(redactor.redact("1ababab2xababa3")).toBe(`1${MASK}2${MASK}3`);
  expect(createRedactor(["aaaa"]).redact("aaaaaaa")).toBe(MASK);
});

test("T34: what is held back is no more than the longest form of a value", () => {
  const stream = createRedactor(["secret-value-1"]).stream();
  expect(stream.write("x".repeat(1000)).length).toBeGreaterThan(900);
});

test("T34: a value that is split over pieces is masked", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(40), { maxLength: 8 }), (cuts) => {
      const text = "start secret-value-1 middle secret-value-12 end";
      const redactor = createRedactor(["secret-value-1", "secret-value-12"]);
      const stream = redactor.stream();
      let shown = "";
      let position = 0;
      for (const cut of [...cuts].toSorted((a, b) => a - b)) {
        shown += stream.write(text.slice(position, cut));
        position = Math.max(position, cut);
      }
      shown += stream.write(text.slice(position)) + stream.end();
      expect(shown).toBe(`start ${MASK} middle ${MASK} end`);
    }),
  );
});

test("T35: values of one or two characters are no patterns", () => {
  expect(createRedactor(["a", "ab", ""]).redact("abcab")).toBe("abcab");
});

test("T36: when masking fails the text is dropped", () => {
  const redactor = createRedactor(["canary-value"]);
  const hostile = { toString: () => "canary-value" };
  expect(redactor.redact(Object.assign(Object.create(null), hostile) as string)).toBe("[redaction failed]");
});

test("T37: masking comes before cutting", () => {
  const text = `${"x".repeat(290)}canary-value-long`;
  expect(createRedactor(["canary-value-long"]).redact(text).slice(0, 300)).not.toContain("canary");
});
