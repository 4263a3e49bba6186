import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Home, inPairs } from "./support/home.ts";

const BATCHES = 20;
const BATCH = 500;

const SPECIAL = [
  "",
  "0123",
  "1e5",
  "0x1F",
  "NO",
  "~",
  "null",
  "true",
  "{{x.y}}",
  "@x",
  "@@x",
  "@-",
  "--x",
  "a=b",
  "$&",
  "%s",
  "\r\n",
  "\uFEFFx",
  "\u0000",
  "\u001B[2J",
  "'\"`\\",
  "line\n",
  "\u2028",
  "e\u0301",
  "\u{1F512}",
  " ",
  "\t",
  '{"a":1}',
  "- a",
  "# c",
  "a: b",
  "|\n  x",
  "\\u0041",
];

/** A value of a secret: mostly text of any kind, sometimes long. Halves of characters are no text, and refused. */
const value: fc.Arbitrary<string> = fc
  .oneof(
    { weight: 5, arbitrary: fc.string({ unit: "binary", maxLength: 60 }) },
    { weight: 3, arbitrary: fc.string({ unit: "grapheme", maxLength: 40 }) },
    { weight: 2, arbitrary: fc.constantFrom(...SPECIAL) },
    { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...SPECIAL), fc.string({ unit: "binary", maxLength: 20 })).map(([a, b]) => a + b) },
  )
  .filter((text) => text.isWellFormed());

// What stands for 64 kB values: few, as they make the batches large.
const long = fc
  .tuple(fc.string({ unit: "binary", minLength: 1, maxLength: 8 }), fc.integer({ min: 1_000, max: 8_000 }))
  .map(([text, times]) => text.repeat(times))
  .filter((text) => text.isWellFormed() && text.length <= 65_536);

describe("T13: whatever is stored comes back byte for byte", () => {
  test(`${BATCHES * BATCH} random values, through --values=@- and --output=json`, { timeout: 120_000 }, async () => {
    const home = new Home();
    await inPairs(Array.from({ length: BATCHES }).keys(), async (batch) => {
      const values = fc.sample(value, BATCH - 1);
      const big = fc.sample(long, 1);
      const content = Object.fromEntries([...values, ...big].map((text, index) => [`key${index}`, text]));
      const name = `batch${batch}`;
      await home.succeed(["secret", "register", name, "--values=@-"], { input: JSON.stringify(content) });
      const { bytes } = await home.succeed(["secret", "get", name, "--output=json"]);
      const read = (JSON.parse(bytes.toString("utf8")) as { readonly content: unknown }).content;
      // Compared as text first: on a difference a diff of 500 keys helps nobody.
      const wrong = Object.entries(content).filter(([key, text]) => (read as Record<string, unknown>)[key] !== text);
      expect(wrong).toEqual([]);
      expect(Object.keys(read as object)).toHaveLength(BATCH);
    });
  });

  test("one value alone, with --key: exactly its bytes", async () => {
    const home = new Home();
    const values = [...SPECIAL, ...fc.sample(value, 20), ...fc.sample(long, 2)];
    const content = Object.fromEntries(values.map((text, index) => [`key${index}`, text]));
    await home.succeed(["secret", "register", "s", "--values=@-"], { input: JSON.stringify(content) });
    await inPairs(Object.entries(content), async ([key, text]) => {
      const { bytes } = await home.succeed(["secret", "get", "s", `--key=${key}`]);
      expect({ key, same: bytes.equals(Buffer.from(text)) }).toEqual({ key, same: true });
    });
  });

  test("from stdin: the same bytes", async () => {
    const home = new Home();
    await inPairs([...SPECIAL, ...fc.sample(value, 10)], async (text, index) => {
      await home.succeed(["secret", "register", `s${index}`, "--k=@-", "--no-warn"], { input: text });
      const { bytes } = await home.succeed(["secret", "get", `s${index}`, "-k", "k"]);
      expect({ text, same: bytes.equals(Buffer.from(text)) }).toEqual({ text, same: true });
    });
  });
});
