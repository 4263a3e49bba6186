import { type CaseDefinition, demand, fixtures, limitsPayloads, writes } from "../definition.ts";
import { type Lab, recordOf } from "../lab.ts";

/** Stores these values under one secret each key, and reads them back byte for byte. */
function roundTrip(name: string, values: Readonly<Record<string, string>>): CaseDefinition {
  return demand(name, [fixtures], async (lab) => {
    await lab.stored(lab.name("values"), values);
  });
}

/** Values come back byte for byte. */
export const valueCases: readonly CaseDefinition[] = [
  roundTrip("values: keys and values come back", { user: "etl", password: "correct horse battery staple", port: "5432" }),

  roundTrip("values: the empty value is a value", { empty: "", other: "x" }),

  roundTrip("values: white space and line ends are kept", {
    spaces: "  in the middle  of spaces  ",
    tab: "\tx\t",
    newline: "one line\n",
    crlf: "-----BEGIN-----\r\nabc\r\n-----END-----\r\n",
    cr: "a\rb\r",
    blank: " ",
    lines: "\n\n",
  }),

  roundTrip("values: Unicode is kept as it is, not normalised", {
    composed: "\u00e9",
    decomposed: "e\u0301",
    emoji: "👩‍👩‍👧‍👦 🗝️",
    fullwidth: "＠Ａ",
    scripts: "пароль 密码 كلمة السر",
    bidi: "abc\u202edef\u200b",
    separators: "a\u2028b\u2029c\u00a0d\u0085e",
    highest: "\u{10ffff}\ufffd",
  }),

  roundTrip("values: a byte order mark is kept", { front: "\ufefftext", alone: "\ufeff", end: "text\ufeff" }),

  roundTrip("values: NUL and other control characters are kept", {
    nul: "a\u0000b",
    end: "a\u0000",
    escape: "\u001b[31mred\u001b[0m",
    all: "\u0001\u0007\u0008\u000b\u000c\u001f\u007f",
  }),

  roundTrip("values: text that looks like JSON, YAML or code stays text", {
    object: '{"a":1,"$type":"mysql"}',
    array: "[1, 2]",
    quoted: '"text"',
    null: "null",
    true: "true",
    no: "NO",
    tilde: "~",
    octal: "0123",
    exponent: "1e5",
    hex: "0x1F",
    long: "12345678901234567890",
    fraction: "1.10",
    reference: "{{other.key}}",
    shell: "$HOME ${HOME} `id` $(id) %HOME% \\n \\u0041",
    markup: "<a href='x'>&amp;</a>",
    base64: "aGVsbG8=",
    percent: "100%25 a%2Fb a+b",
  }),

  demand("values: a secret of many keys comes back whole", [fixtures], async (lab) => {
    const values = Array.from({ length: 100 }, (_, index) => [`key_${index}`, `value ${index}`] as const);
    await lab.stored(lab.name("many"), values);
  }),

  demand("values: a secret without a key is a secret", [fixtures], async (lab) => {
    await lab.stored(lab.name("bare"), {});
  }),

  demand("values: a large value comes back whole", [fixtures], async (lab) => {
    const limit = Math.min(lab.capabilities.maxValueBytes ?? 262_144, 262_144);
    await lab.stored(lab.name("large"), { text: "0123456789abcdef".repeat(Math.floor(limit / 2 / 16)) });
  }),

  demand("values: a payload of exactly the declared limit is stored", [fixtures, limitsPayloads], async (lab) => {
    await lab.stored(lab.name("limit"), { text: filling(lab, 0) });
  }),

  demand(
    "values: one byte more than the declared limit is refused with too_large, and nothing is stored",
    [writes, limitsPayloads],
    async (lab) => {
      const name = lab.name("beyond");
      await lab.expectCode("too_large", "create", lab.create(name, recordOf({ text: filling(lab, 1) })));
      await lab.expectMissing(name);
      await lab.stored(name, { text: "small" });
      await lab.expectCode("too_large", "replace", lab.replace(name, recordOf({ text: filling(lab, 1) })));
      await lab.expectContent(name, recordOf({ text: "small" }));
    },
  ),

  demand("schema: the type comes back with the values", [fixtures], async (lab) => {
    await lab.stored(lab.name("typed"), { user: "etl", ssl_verify_server_cert: "true" }, "mysql");
    await lab.stored(lab.name("untyped"), { user: "etl" });
  }),

  demand("schema: the type changes and goes with replace", [writes], async (lab) => {
    const name = lab.name("typed");
    await lab.stored(name, { user: "a" });
    for (const record of [recordOf({ user: "b" }, "arbitrary_type"), recordOf({ user: "c" })]) {
      await lab.replace(name, record);
      await lab.expectContent(name, record);
    }
  }),

  demand("values: changing what was passed or answered does not change what is stored", [fixtures], async (lab) => {
    const name = lab.name("kept");
    const values = { user: "etl" };
    const record = recordOf(values);
    await lab.create(name, record);
    Reflect.set(record.values, "user", "somebody else");
    await lab.expectContent(name, recordOf(values));
    const answer = await lab.read(name);
    if (answer?.state === "value") Reflect.set(answer.record.values, "user", "somebody else");
    await lab.expectContent(name, recordOf(values));
  }),
];

/** A value with which the payload of a secret with the one key `text` has the declared limit and so many bytes more. */
function filling(lab: Lab, more: number): string {
  const frame = Buffer.byteLength(JSON.stringify({ text: "" }));
  return "v".repeat((lab.capabilities.maxValueBytes ?? 0) - frame + more);
}
