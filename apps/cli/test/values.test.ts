import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Home } from "./support/home.ts";

const CANARY = "cAnArY-7d1e55-value";

const stored = (home: Home): Promise<unknown> => home.content("s");

async function register(
  values: string,
  file: string,
): Promise<{ readonly home: Home; readonly status: number | null; readonly stderr: string }> {
  const home = new Home();
  writeFileSync(join(home.path, file), values);
  const { status, stderr } = await home.run(["secret", "register", "s", `--values=@${file}`]);
  return { home, status, stderr };
}

describe("--values", () => {
  test("JSON: numbers and words keep their text", async () => {
    const { home, status } = await register(
      '\uFEFF{"text": "a\\nb", "big": 12345678901234567890, "dec": 0.10, "exp": 1e5, "neg": -0, "yes": true}',
      "v.json",
    );
    expect(status).toBe(0);
    expect(await stored(home)).toEqual({ text: "a\nb", big: "12345678901234567890", dec: "0.10", exp: "1e5", neg: "-0", yes: "true" });
  });

  test("YAML: what is written is what is stored", async () => {
    const { home, status, stderr } = await register(
      'zero: 0123\nno: NO\ntilde: ~\nempty:\nexp: 1e5\nhex: 0x1F\nquoted: "a\\nb"\nblock: |\n  one\n  two\ndate: 2026-11-24\n',
      "v.yaml",
    );
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(await stored(home)).toEqual({
      zero: "0123",
      no: "NO",
      tilde: "~",
      empty: "",
      exp: "1e5",
      hex: "0x1F",
      quoted: "a\nb",
      block: "one\ntwo\n",
      date: "2026-11-24",
    });
  });

  test.each(["v.env", ".env", ".env.local"])("%s", async (file) => {
    const { home, status, stderr } = await register("# comment\nexport A=1\nB=\"two\\nlines\"\nC='si#ngle'\nD=007\nE=\n", file);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(await stored(home)).toEqual({ A: "1", B: "two\nlines", C: "si#ngle", D: "007", E: "" });
  });

  test("from stdin, as JSON or as --values-format says; together with pairs", async () => {
    const home = new Home();
    expect((await home.run(["secret", "register", "s", "--values=@-", "--c=3"], { input: '{"a":"1","b":"2"}' })).status).toBe(0);
    expect(await stored(home)).toEqual({ a: "1", b: "2", c: "3" });
    expect((await home.run(["secret", "update", "s", "--values=@-", "--values-format=yaml"], { input: "a: 01\n" })).status).toBe(0);
    expect(await stored(home)).toEqual({ a: "01", b: "2", c: "3" });
  });

  test("given on the command line they are warned about", async () => {
    const home = new Home();
    const { status, stderr } = await home.run(["secret", "register", "s", `--values={"pw":"${CANARY}"}`]);
    expect(status).toBe(0);
    expect(stderr).toMatch(/warning: .*pw/);
    expect(stderr).not.toContain(CANARY);
  });

  test.each([
    ["v.json", `{"a": "1", "a": "${CANARY}"}`, "twice"],
    ["v.json", `{"\\u0061": "1", "a": "${CANARY}"}`, "twice"],
    ["v.json", `{"a": {"b": "${CANARY}"}}`, '"a"'],
    ["v.json", `{"a": ["${CANARY}"]}`, '"a"'],
    ["v.json", `{"a": null, "b": "${CANARY}"}`, "null"],
    ["v.json", `{"a": "${CANARY}"`, "not valid JSON"],
    ["v.json", `["${CANARY}"]`, "not an object"],
    ["v.json", `"${CANARY}"`, "not an object"],
    ["v.json", "{}", "no keys"],
    ["v.json", `{"a": "${CANARY}\\ud800"}`, "surrogate"],
    ["v.yaml", `a: 1\na: ${CANARY}\n`, "not valid YAML (line 2"],
    ["v.yaml", `a: ${CANARY}\n  b: 1\n`, "not valid YAML"],
    ["v.yaml", `a: [${CANARY}]\n`, '"a"'],
    ["v.yaml", `a:\n  b: ${CANARY}\n`, '"a"'],
    ["v.yaml", `- ${CANARY}\n`, "not one map"],
    ["v.yaml", `a: 1\n---\nb: ${CANARY}\n`, "not one map"],
    ["v.yaml", `a: !!binary ${CANARY}\n`, '"a"'],
    ["v.yaml", `a: !!int ${CANARY}\n`, "not valid YAML"],
    ["v.env", `A=1\nA=${CANARY}\n`, "twice"],
    ["v.env", `__proto__=${CANARY}\n`, "__proto__"],
    ["v.env", `${CANARY}\n`, "no keys"],
    ["v.txt", `{"a": "${CANARY}"}`, "--values-format"],
  ])("%s %j is refused (%s), without its text", async (file, text, reason) => {
    const { status, stderr } = await register(text, file);
    expect(status).toBe(2);
    expect(stderr).toContain(reason);
    expect(stderr).toContain("hint: ");
    expect(stderr).not.toContain(CANARY);
  });

  test("a file that cannot be read: the reason, not the path", async () => {
    const { status, stderr } = await new Home().run(["secret", "register", "s", `--values=@${CANARY}.json`]);
    expect(status).toBe(2);
    expect(stderr).toContain("ENOENT");
    expect(stderr).not.toContain(CANARY);
  });
});
