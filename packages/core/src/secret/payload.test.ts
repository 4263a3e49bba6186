import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodePayload, encodePayload } from "./payload.ts";
import { textOf, textValues } from "./values.ts";

const plain = (values: object): Record<string, unknown> => Object.fromEntries(Object.entries(values));

test("a payload is a flat JSON object with sorted keys and the schema's type", () => {
  expect(
    encodePayload({
      schema: "mysql",
      values: textValues([
        ["user", "etl"],
        ["password", "x"],
      ]),
    }),
  ).toBe('{"$type":"mysql","password":"x","user":"etl"}');
});

test("T13: any text comes back byte for byte", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,12}$/), fc.string({ unit: "binary" })), (values) => {
      const record = { values: textOf(values) };
      expect(plain(decodePayload(encodePayload(record)).record.values)).toEqual(plain(record.values));
    }),
    { numRuns: 5000 },
  );
});

test("T17: __proto__ and its friends are data", () => {
  const values = textOf({ ["__proto__"]: "a", constructor: "b" });
  const { record } = decodePayload(encodePayload({ values }));
  expect(Object.keys(record.values).toSorted()).toEqual(["__proto__", "constructor"]);
  expect(record.values["__proto__"]).toBe("a");
  expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
});

test("what other tools have written is read key by key, with every digit", () => {
  const { record } = decodePayload(
    '{"username":"u","port":3306,"id":12345678901234567890,"tls":true,"none":null,"nested":{"big":98765432109876543210,"a":[1, 2]}}',
  );
  expect(plain(record.values)).toEqual({
    username: "u",
    port: "3306",
    id: "12345678901234567890",
    tls: "true",
    nested: '{"big":98765432109876543210,"a":[1,2]}',
  });
  expect(record.schema).toBeUndefined();
});

test.each(["just text", "[1,2]", "12", '"quoted"', "null", "{broken", ""])("what is no JSON object is one key: %j", (text) => {
  expect(plain(decodePayload(text).record.values)).toEqual({ value: text });
});

test("bytes that are no text are base64, and never damaged", () => {
  const decoded = decodePayload(Uint8Array.of(0xff, 0x00, 0xfe));
  expect(decoded).toMatchObject({ encoding: "base64", record: { values: { value: "/wD+" } } });
});

test("the former system's type is recognised and is no value", () => {
  expect(decodePayload('{"user":"u","zenml_schema_name":"mysql"}').record).toMatchObject({ schema: "mysql", values: { user: "u" } });
  expect(decodePayload('{"user":"u","zenml_schema_name":"arbitrary"}').record.schema).toBeUndefined();
});

test("beside a type of ours the former system's word is a key like any other", () => {
  for (const schema of [undefined, "mysql"]) {
    const record = { ...(schema === undefined ? {} : { schema }), values: textValues([["zenml_schema_name", "basic_auth"]]) };
    expect(decodePayload(encodePayload(record)).record).toEqual(record);
  }
  const other = { values: textValues([["zenml_schema_name", "no type, but text"]]) };
  expect(encodePayload(other)).not.toContain("$type");
  expect(decodePayload(encodePayload(other)).record).toEqual(other);
});

test("T15: half a surrogate pair is a TypeError that names the key", () => {
  expect(() => textOf({ broken: "\ud800" })).toThrow(
    new TypeError('The value of "broken" is not well-formed Unicode: it holds half of a surrogate pair.'),
  );
});

test("checklist 89: a key that is no identifier is refused with the rule, all at once, unless it is stored already", () => {
  expect(() => textOf({ "1a": "x", $type: "y", good: "z" })).toThrow(
    expect.objectContaining({ code: "invalid_key", keys: ["1a", "$type"] }),
  );
  expect(plain(textOf({ "1a": "x" }, textValues([["1a", "old"]])))).toEqual({ "1a": "x" });
});

test("a $type that can be no schema is a key of the other tool, and stays one when it is written back", () => {
  const payload = '{"$type":"System.String, mscorlib","a":"1"}';
  const { record } = decodePayload(payload);
  expect([record.schema, { ...record.values }]).toEqual([undefined, { $type: "System.String, mscorlib", a: "1" }]);
  expect(encodePayload(record)).toBe(payload);
});
