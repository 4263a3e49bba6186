import { parse as parseYaml } from "yaml";
import { describe, expect, test } from "vitest";
import { jsonText } from "./json.ts";
import { tableText } from "./table.ts";
import { visible } from "./visible.ts";
import { yamlText } from "./yaml.ts";

const NASTY = ["\x1B[2J", "a\x07\b\rb", "\u202Egpj.exe", "zero\u200Bwidth", "\x9B31m", "\u{E0041}tag", "back\\slash", "Ünïcödé 😀 漢字"];

describe("T40, T41: what a terminal would act on is shown, not obeyed", () => {
  test("tables: one line per row, in every column", () => {
    const text = [
      ...tableText(
        ["NAME", "SCHEMA"],
        NASTY.map((name) => [name, name]),
      ),
    ].join("");
    // eslint-disable-next-line no-control-regex -- that none is left is what is tested
    expect(text).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u200B\u202E]/);
    expect(text.split("\n")).toHaveLength(NASTY.length + 2);
    expect(text).toContain("\\x1b[2J");
  });

  test("a name with a line break stays in its row; a value of several lines stands under itself", () => {
    expect(
      [
        ...tableText(
          ["KEY", "VALUE"],
          [
            ["a\nb", "one\ntwo"],
            ["c", "three"],
          ],
        ),
      ].join(""),
    ).toBe("KEY     VALUE\na\\x0ab  one\n        two\nc       three\n");
  });

  test("a backslash stays one, so that what is copied from the terminal is right", () => {
    expect(visible("C:\\dir\\x1b")).toBe("C:\\dir\\x1b");
  });

  test("JSON and YAML read back as the same text, and hold nothing raw that a terminal acts on", () => {
    for (const text of NASTY) {
      const value = { [text]: text, nested: [text] };
      const json = jsonText(value);
      const yaml = yamlText(value);
      expect(JSON.parse(json)).toEqual(value);
      expect(parseYaml(yaml)).toEqual(value);
      // eslint-disable-next-line no-control-regex -- that none is left is what is tested
      expect(json + yaml).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u200B\u202E]/);
    }
  });
});

describe("typed values", () => {
  test("whole numbers of any size are numbers in JSON", () => {
    expect(jsonText({ id: 12345678901234567890n })).toBe('{"id":12345678901234567890}');
  });

  test("YAML keeps text that looks like something else text", () => {
    const value = {
      zero: "0123",
      no: "NO",
      tilde: "~",
      empty: "",
      date: "2026-11-24",
      number: 5,
      flag: true,
      nothing: null,
      list: [],
      on: "x",
      "a b": "y",
      __proto__2: "z",
    };
    expect(parseYaml(yamlText(value))).toEqual(value);
    expect(parseYaml(yamlText(value), { version: "1.1" })).toEqual(value);
  });

  test("a list of maps", () => {
    const value = [
      { name: "a", schema: null, aliases: ["x", "y"], inner: { deep: "1" } },
      { name: "b", schema: "mysql", aliases: [], inner: {} },
    ];
    expect(parseYaml(yamlText(value))).toEqual(value);
  });
});
