import * as fc from "fast-check";
import { expect, test } from "vitest";
import { damageIn } from "../src/damage.ts";

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test("finds damage exactly where JSON.parse finds some", () => {
  fc.assert(
    fc.property(
      fc.json({ depthSize: "medium" }),
      fc.nat(),
      fc.constantFrom("", "{", "]", '"', ",", ":", "1", "\n", "\\", "tru", "0", "\u0001"),
      (json, at, noise) => {
        const text = json.slice(0, at % (json.length + 1)) + noise + json.slice((at % (json.length + 1)) + (at % 3));
        expect(damageIn(text)?.problem === "not JSON", text).toBe(!parses(text) && damageIn(text)?.problem !== "the same key twice");
      },
    ),
    { numRuns: 3000 },
  );
});

test.each([
  ["", 1, 1],
  ['{"a": tru}', 1, 7],
  ['{\n  "a": 1,\n}', 3, 1],
  ['{"a": "x', 1, 7],
  ["[1 2]", 1, 4],
  ["{} x", 1, 4],
  ['{"a" 1}', 1, 6],
  ["[1,]", 1, 4],
  ["{,}", 1, 2],
  ["]", 1, 1],
  ['{"a":1]', 1, 7],
])("%j: line %i, column %i", (text, line, column) => {
  expect(damageIn(text)).toEqual({ line, column, problem: "not JSON" });
});

test("finds a key that is there twice, however it is written, in each object on its own", () => {
  expect(damageIn('{"a":1,"\\u0061":2}')).toEqual({ line: 1, column: 8, problem: "the same key twice" });
  expect(damageIn('[{"a":1},{"a":{"a":"a"}}]')).toBeUndefined();
});

test("a long text is no problem", () => {
  expect(damageIn(`["${"x\\n".repeat(500_000)}"]`)).toBeUndefined();
  expect(damageIn("[".repeat(100_000))).toMatchObject({ column: 100_001 });
});
