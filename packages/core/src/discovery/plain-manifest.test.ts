import * as fc from "fast-check";
import { expect, test } from "vitest";
import { manifestSchema } from "./manifest.ts";
import { plainManifest } from "./plain-manifest.ts";

const right = {
  specVersion: 1,
  entry: "./dist/index.js",
  flavors: [
    { type: "secrets_manager", name: "keeper", aliases: ["keep"] },
    { type: "orchestrator", name: "queue" },
  ],
  schemas: ["keeper"],
};

test("a right manifest needs no schema, and what is more in it is left out", () => {
  const flavors = [right.flavors[0], { type: "orchestrator", name: "queue", aliases: [] }];
  expect(plainManifest({ ...right, later: true })).toEqual({ ...right, flavors });
});

test("what is plainly right is what the schema takes, and comes out the same", () => {
  const strange = fc.oneof(
    fc.constantFrom(
      undefined,
      null,
      1,
      2,
      "",
      "Keeper",
      "../x.js",
      "./../x.js",
      "./a/../../b.js",
      "./x.ts",
      "./x.mjs",
      "x",
      [],
      {},
      ["a"],
      ["-"],
    ),
    fc.jsonValue(),
  );
  const flavor = fc.record(
    {
      type: fc.oneof(fc.constantFrom("secrets_manager", "orchestrator"), strange),
      name: fc.oneof(fc.constant("keeper"), strange),
      aliases: strange,
    },
    { requiredKeys: [] },
  );
  const manifest = fc.record(
    {
      specVersion: fc.oneof(fc.constant(1), strange),
      entry: fc.oneof(fc.constant("./dist/index.js"), strange),
      flavors: fc.oneof(fc.constant(right.flavors), fc.array(fc.oneof(flavor, strange), { maxLength: 2 }), strange),
      schemas: fc.oneof(fc.constant(["keeper"]), strange),
    },
    { requiredKeys: [] },
  );
  let plainlyRight = 0;
  fc.assert(
    fc.property(fc.oneof(manifest, strange), (value) => {
      const plain = plainManifest(value);
      plainlyRight += Number(plain !== undefined);
      expect(plain).toEqual(manifestSchema.safeParse(value).data);
    }),
    { numRuns: 3_000 },
  );
  expect(plainlyRight).toBeGreaterThan(10);
});
