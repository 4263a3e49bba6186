import { describe, expect, test } from "vitest";
import { COMMANDS } from "./app.ts";
import { parse, type Request } from "./parse.ts";
import { UsageError } from "./stop.ts";

function call(...argv: string[]): Extract<Request, { kind: "call" }>["call"] {
  const request = parse(argv, COMMANDS);
  if (request.kind !== "call") throw new Error(`understood as ${request.kind}`);
  return request.call;
}

function mistake(...argv: string[]): UsageError {
  try {
    parse(argv, COMMANDS);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error(`understood: ${argv.join(" ")}`);
}

const pairs = (...argv: string[]): readonly (readonly [string, string])[] =>
  call("secret", "register", "db", ...argv).pairs.map(({ key, value }) => [key, value]);

describe("keys and values", () => {
  test("90: a value arrives byte for byte, whatever it looks like", () => {
    expect(pairs("--a=b=c==", "--b=", "--c=007", "--d=@file", "--e=--x", "--f= ", "--g.h-i_1=-")).toEqual([
      ["a", "b=c=="],
      ["b", ""],
      ["c", "007"],
      ["d", "@file"],
      ["e", "--x"],
      ["f", " "],
      ["g.h-i_1", "-"],
    ]);
  });

  test("T11: what is an option without dashes in front of it is a key behind them", () => {
    const { pairs: keys, options } = call(
      "secret",
      "register",
      "db",
      "--schema=mysql",
      "--",
      "--schema=s",
      "--name=n",
      "--help=h",
      "--interactive=i",
      "--output=o",
    );
    expect(options.value("schema")).toBe("mysql");
    expect(options.has("help")).toBe(false);
    expect(keys.map(({ key, value }) => `${key}:${value}`)).toEqual(["schema:s", "name:n", "help:h", "interactive:i", "output:o"]);
  });

  test("--project alone is ours, and with a value the setting of that name", () => {
    const register = (...more: string[]) => call("secrets-manager", "register", "team", "--flavor=gcp", ...more);
    const both = register("--project=my-project", "--project");
    expect(both.pairs.map(({ key, value }) => [key, value])).toEqual([["project", "my-project"]]);
    expect(both.options.has("project")).toBe(true);
    expect(register("--project=my-project").options.has("project")).toBe(false);
    expect(register("--project").pairs).toEqual([]);
    expect(mistake("stack", "register", "work", "--project=x")).toMatchObject({ message: '"--project" takes no value.' });
  });

  test.each([
    ["--help=z", "-- --help=VALUE"],
    ["--interactive=z", "-- --interactive=VALUE"],
    ["--no-warn=z", "-- --no-warn=VALUE"],
    ["--output=secret", "-- --output=VALUE"],
    ["--name=z", "-- --name=VALUE"],
  ])("T11: %s is never captured silently: the message shows %s", (token, form) => {
    const error = mistake("secret", "register", "db", token);
    expect(error.hint).toContain(form);
    expect(error.message + error.hint).not.toContain("=z");
    expect(error.message + error.hint).not.toContain("=secret");
  });

  test("a doubled key, a bare key, a key without a name: each message shows the right form and no value", () => {
    expect(mistake("secret", "register", "db", "--a=1", "--a=2").message).toBe('The key "a" was given twice.');
    expect(mistake("secret", "register", "db", "--password", "hunter2").hint).toContain("--password=VALUE");
    expect(mistake("secret", "register", "db", "--password", "hunter2").message).not.toContain("hunter2");
    expect(mistake("secret", "register", "db", "--=hunter2").message).not.toContain("hunter2");
    expect(mistake("secret", "register", "db", "password=hunter2")).toMatchObject({ message: 'The key "password" lacks its two dashes.' });
    expect(mistake("secret", "register", "db", "--note=a", "hunter2").message).not.toContain("hunter2");
    expect(mistake("secret", "register", "db", "--", "hunter2").message).not.toContain("hunter2");
  });

  test("a key that nearly is an option is asked about where it has no value", () => {
    expect(mistake("secret", "register", "db", "--shema").hint).toContain("--schema");
  });
});

describe("options", () => {
  test.each([
    [["--schema=mysql"], "mysql"],
    [["--schema", "mysql"], "mysql"],
    [["-s", "mysql"], "mysql"],
    [["-s=mysql"], "mysql"],
  ])("%j", (argv, value) => {
    expect(call("secret", "register", "db", "-i", ...argv).options.value("schema")).toBe(value);
  });

  test("switches can be written together; one with a value ends such a group", () => {
    expect(call("secret", "delete", "db", "-yo", "json").options.value("output")).toBe("json");
    expect(mistake("secret", "delete", "db", "-oy", "json").message).toContain("-o");
  });

  test("an option twice, an option without a value, an unknown value, an unknown option", () => {
    expect(mistake("secret", "get", "db", "--key=a", "--key=b").message).toContain("twice");
    expect(mistake("secret", "get", "db", "--key").hint).toContain("--key=KEY");
    expect(mistake("secret", "get", "db", "--key", "--masked").hint).toContain("--key=KEY");
    expect(mistake("secret", "get", "db", "--output=xml").message).toContain("table, json, yaml");
    expect(mistake("secret", "get", "db", "--kye=x").hint).toContain("--key");
  });

  test("options for every command may stand in front of its words", () => {
    const { options } = call("--output", "json", "secret", "--no-warn", "register", "db", "--output2=x");
    expect(options.value("output")).toBe("json");
    expect(options.has("no-warn")).toBe(true);
    expect(options.amongKeys.size).toBe(0);
  });

  test("help wins over mistakes, also behind the name", () => {
    expect(parse(["secret", "register", "db", "-i", "--help"], COMMANDS).kind).toBe("help");
    expect(parse(["secret", "get", "--nonsense", "--help"], COMMANDS).kind).toBe("help");
    expect(parse(["--help"], COMMANDS).kind).toBe("help");
    expect(parse(["secret", "-h"], COMMANDS).kind).toBe("help");
    expect(parse(["--version"], COMMANDS).kind).toBe("version");
  });
});

describe("words", () => {
  test.each([
    [["secert", "list"], "coffer secret"],
    [["secret", "lst"], "coffer secret list"],
    [["secret", "create", "db"], "coffer secret register"],
    [["secret", "rm"], "coffer secret delete"],
    [["list"], "coffer secret list"],
    [["secrets-manager", "flavour", "list"], "coffer secrets-manager flavor"],
  ])("%j: did you mean %s", (argv, meant) => {
    expect(mistake(...argv).hint).toContain(`Did you mean: ${meant}`);
  });

  test("a word too few lists what may follow, without what is hidden", () => {
    expect(mistake("secret").hint).toContain("register|get|list");
    expect(mistake("secret").hint).not.toContain("cleanup");
    expect(mistake("--no-warn").hint).toContain("--help");
    expect(parse([], COMMANDS)).toMatchObject({ kind: "help", words: [] });
  });

  test("a missing or a surplus argument", () => {
    expect(mistake("secret", "get").message).toContain("NAME");
    expect(mistake("secret", "rename", "a").message).toContain("NEW_NAME");
    expect(mistake("schema", "list", "x").message).toContain("no arguments");
  });
});

test("every command has a sentence, an example that is understood, and options that do not clash", () => {
  for (const command of COMMANDS) {
    expect(command.sentence).toMatch(/\.$/);
    for (const example of command.examples) {
      const argv = example
        .split(" ")
        .slice(1)
        .map((word) => word.replaceAll("'", ""));
      expect(parse(argv, COMMANDS)).toMatchObject({ kind: "call", call: { command: { words: command.words } } });
    }
    const names = command.options.map((option) => option.name);
    const shorts = command.options.flatMap((option) => option.short ?? []);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(shorts).size).toBe(shorts.length);
  }
});
