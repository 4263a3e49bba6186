import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { escapeName, type EscapeRule, unescapeName } from "./escape.ts";
import { assertName, isPortableName, nameInScope, scopePrefix } from "./name.ts";
import { printable } from "./printable.ts";

describe("portable names", () => {
  test.each(["db", "team/db", "A-Z_0.9@+=", ".ssh/key", "CON", "x.", "constructor", "__proto__", "a".repeat(200)])("takes %j", (name) => {
    expect(isPortableName(name)).toBe(true);
  });
  test.each([
    "",
    "../x",
    "a/../../b",
    "/etc/x",
    ".",
    "..",
    "a/./b",
    "a//b",
    "a/",
    "a\0b",
    "a\nb",
    "a\rb",
    " x",
    "-rf",
    "--help",
    "a/-b",
    "ü",
    "＠",
    "e\u0301",
    "a b",
    "a".repeat(201),
  ])("T46 T49 T50: refuses %j before any request, with the rule", (name) => {
    expect(() => assertName(name, "global")).toThrow(
      expect.objectContaining({ code: "invalid_name", hint: expect.stringContaining("A name is") }),
    );
  });
  test("in scope none names are the service's own, yet nothing that would leave its place or its line", () => {
    for (const name of ["my secret", "ümlaut", "a//b", "-x"]) expect(() => assertName(name, "none")).not.toThrow();
    for (const name of ["", "a\nb", "a/../b", "x".repeat(1025)])
      expect(() => assertName(name, "none")).toThrow(expect.objectContaining({ code: "invalid_name" }));
  });
  test("T40 T41: what is refused is shown with its control, bidirectional and invisible characters visible", () => {
    expect(() => assertName("a\u001b[31m\u202eb\u200b", "global")).toThrow(String.raw`"a\x1b[31m\u202eb\u200b"`);
    expect(printable("tab\tback\\slash\u{e0041}")).toBe(String.raw`tab\x09back\\slash\u{e0041}`);
  });
});

describe("scopes", () => {
  test("checklist 16: each scope has its path", () => {
    expect(scopePrefix({ scope: "none" })).toBe("");
    expect(scopePrefix({})).toBe("coffer/global/");
    expect(scopePrefix({ scope: "namespace", namespace: "team-a" })).toBe("coffer/namespace/team-a/");
    expect(scopePrefix({ scope: "component", componentId: "0B9C2F2E-35F8-4F5C-9B49-9D3B3F2A6A11" })).toBe(
      "coffer/component/0b9c2f2e-35f8-4f5c-9b49-9d3b3f2a6a11/",
    );
  });
  test("checklist 17: a name outside the scope is not in it", () => {
    expect(nameInScope("coffer/global/db", "coffer/global/")).toBe("db");
    expect(nameInScope("coffer/namespace/team2/db", "coffer/namespace/team/")).toBeUndefined();
    expect(nameInScope("coffer/global/", "coffer/global/")).toBeUndefined();
  });
  test("checklist 15: the namespace scope needs a namespace", () => {
    expect(() => scopePrefix({ scope: "namespace" })).toThrow(expect.objectContaining({ code: "invalid_settings" }));
  });
  test.each(["a/b", "-x", "ü", "a b", ".."])("checklist 23: %j cannot be a namespace", (namespace) => {
    expect(() => scopePrefix({ scope: "namespace", namespace })).toThrow(expect.objectContaining({ code: "invalid_settings" }));
  });
});

describe("T60: escaping into a narrower alphabet", () => {
  const rules: Record<string, EscapeRule> = {
    letters_digits_hyphen: { allows: (character) => /[A-Za-z0-9-]/.test(character), introducer: "-x" },
    letters_digits_underscore_hyphen: { allows: (character) => /[A-Za-z0-9_-]/.test(character), introducer: "_x" },
    hexadecimal: { allows: (character) => /[A-Za-z0-9/_+.@-]/.test(character), introducer: "=" },
  };
  const portable = fc.stringMatching(/^[A-Za-z0-9_.@+=/-]{1,40}$/);
  test.each(Object.entries(rules))("%s is reversible and stays within its alphabet", (_name, rule) => {
    fc.assert(
      fc.property(portable, (name) => {
        const escaped = escapeName(name, rule);
        expect(unescapeName(escaped, rule)).toBe(name);
        for (const character of escaped) expect(rule.allows(character) || rule.introducer.includes(character)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
  test("two names never become one, and ordinary names stay as they are", () => {
    const rule = rules["letters_digits_hyphen"] as EscapeRule;
    const names = ["a_b", "a-b", "a-x5fb", "a-X5fb", "a/b", "a.b"];
    expect(new Set(names.map((name) => escapeName(name, rule))).size).toBe(names.length);
    expect(escapeName("warehouse-db", rule)).toBe("warehouse-db");
  });
});
