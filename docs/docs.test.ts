// The documents are held to what they say: links lead somewhere, tables agree with the code, examples run.
import { execFile } from "node:child_process";
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { ERROR_CODES } from "../packages/core/src/errors/codes.ts";
import { afterAll, describe, expect, test } from "vitest";
import { EXIT, EXIT_OF_CODE } from "../apps/cli/src/exit-codes.ts";

const root = join(import.meta.dirname, "..");
const work = mkdtempSync(join(tmpdir(), "coffer-docs-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const documents = globSync(["*.md", "docs/*.md", "{packages,integrations,apps}/*/*.md"], { cwd: root }).map((path) =>
  path.replaceAll("\\", "/"),
);
const textOf = (path: string): string => readFileSync(join(root, path), "utf8");

/** The code blocks of a document in one language. */
function blocks(path: string, language: string): string[] {
  return [...textOf(path).matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map((match) => match[1] ?? "");
}

const testFiles = new Map(
  globSync("{packages,integrations,apps,docs}/*/{src,test}/**/*.test.ts", { cwd: root })
    .concat("docs/docs.test.ts")
    .map((path) => [path.replaceAll("\\", "/"), textOf(path)] as const),
);

function numbers(...ranges: readonly (readonly [from: number, to: number])[]): number[] {
  return ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, index) => from + index));
}

/** Whether a title of a test begins with this number, perhaps among others: "28, T34: …". */
function isTested(number: string, text: string): boolean {
  return new RegExp(`(?:["'\`]|[,;] )${number}(?:, T?\\d+)*[: ]`).test(text);
}

function anchorsOf(path: string): string[] {
  return [...textOf(path).matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] ?? "")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** The environment of a person who has nothing set: an empty home directory. */
function emptyHome(): Record<string, string> {
  const home = mkdtempSync(join(work, "home-"));
  return { PATH: process.env["PATH"] ?? "", HOME: home, npm_config_cache: join(work, "npm-cache"), npm_config_update_notifier: "false" };
}

describe("documents", () => {
  test.each(documents)("%s: every link within the repository leads to something", (path) => {
    const targets = [...textOf(path).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map((match) => match[1] ?? "");
    const broken = targets.filter((target) => {
      const [file = "", anchor] = target.split("#");
      const linked = file === "" ? path : join(dirname(path), file);
      return !existsSync(join(root, linked)) || (anchor !== undefined && !anchorsOf(linked).includes(anchor));
    });
    expect(broken).toEqual([]);
  });

  test("T122: no document promises what cannot be kept, and one says what is not protected", () => {
    for (const path of documents) {
      const promises = textOf(path).match(/\b(zeroi[sz]e|zeroes|zeroing|wipes?|wiped|military|unbreakable|bulletproof|100 ?%)/gi);
      expect(promises, path).toBeNull();
    }
    const section = /## What Coffer does not protect\n(.*)/s.exec(textOf("docs/security.md"))?.[1] ?? "";
    for (const named of [/memory/i, /swap/, /core dump/, /under your account/]) expect(section).toMatch(named);
  });

  test("docs/errors.md lists every code with its exit status, and every other status", () => {
    const rows = [...textOf("docs/errors.md").matchAll(/^\| `([a-z_]+)` \|.*\| (\d+) \|$/gm)].map((match) => [match[1], Number(match[2])]);
    expect(rows).toEqual(ERROR_CODES.map((code) => [code, EXIT_OF_CODE[code]]));
    const told = textOf("docs/errors.md").match(/\d+/g)?.map(Number);
    for (const [name, status] of Object.entries(EXIT)) expect(told, `${name} (${status})`).toContain(status);
  });

  test("docs/design.md maps every item of the checklist to a test that is there", () => {
    const rows = [...textOf("docs/design.md").matchAll(/^\| (\d+) \| `([^`]+)` \|/gm)].map(([, item, file]) => ({ item, file }));
    const wanted = numbers([1, 38], [41, 48], [50, 64], [66, 74], [76, 105], [113, 116], [119, 119]);
    expect(wanted.filter((item) => !rows.some((row) => row.item === String(item)))).toEqual([]);
    expect(rows.filter(({ item = "", file = "" }) => !isTested(item, testFiles.get(file) ?? ""))).toEqual([]);
  });

  test("every security test that is due has a test with its number", () => {
    const due = numbers([1, 47], [49, 66], [68, 73], [75, 90], [92, 107], [122, 122], [124, 124]);
    const all = [...testFiles.values()].join("\n");
    expect(due.filter((number) => !isTested(`T${number}`, all)).map((number) => `T${number}`)).toEqual([]);
  });

  test("docs/design.md shows each security test that is about services on each of them", () => {
    const [heading = "", , ...rows] =
      /## The security tests on the services\n.*?\n(\|.*)/s.exec(textOf("docs/design.md"))?.[1]?.trim().split("\n") ?? [];
    const cellsOf = (row: string): string[] =>
      row
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim());
    expect(rows.map((row) => cellsOf(row)[0])).toEqual(
      numbers([25, 25], [27, 28], [49, 49], [61, 62], [79, 90], [92, 99]).map((number) => `T${number}`),
    );
    for (const row of rows) {
      const [number = "", ...cells] = cellsOf(row);
      expect(cells, number).toHaveLength(cellsOf(heading).length - 1);
      for (const cell of cells) {
        const [, file] = /^`([^`]+)`$/.exec(cell) ?? [];
        expect(file === undefined ? cell.length > 0 : isTested(number, testFiles.get(file) ?? ""), `${number} in ${cell}`).toBe(true);
      }
    }
  });
});

describe("README.md", () => {
  test("its two commands, as printed", async () => {
    const env = emptyHome();
    const commands = blocks("README.md", "sh").flatMap((block) => block.trim().split("\n"));
    expect(commands).toHaveLength(2);
    const outputs: string[] = [];
    for (const command of commands) outputs.push((await promisify(execFile)("sh", ["-c", command], { cwd: root, env })).stdout);
    const [printed = ""] = blocks("README.md", "json");
    expect(outputs[0]).toBe("");
    expect(JSON.parse(outputs[1] ?? "")).toMatchObject(JSON.parse(printed));
  });

  test.each(["README.md", "packages/core/README.md"])("%s: the example compiles and runs", async (path) => {
    const project = join(work, path.replaceAll("/", "-"));
    mkdirSync(join(project, "node_modules/@coffer"), { recursive: true });
    for (const name of ["core", "local"]) symlinkSync(join(root, "packages", name), join(project, "node_modules/@coffer", name), "dir");
    symlinkSync(join(root, "packages/core/node_modules/zod"), join(project, "node_modules/zod"), "dir");
    symlinkSync(join(root, "node_modules/@types"), join(project, "node_modules/@types"), "dir");
    cpSync(join(root, "tsconfig.base.json"), join(project, "tsconfig.base.json"));
    writeFileSync(join(project, "package.json"), '{ "type": "module" }');
    writeFileSync(join(project, "tsconfig.json"), '{ "extends": "./tsconfig.base.json", "include": ["example.ts"] }');
    writeFileSync(join(project, "example.ts"), blocks(path, "ts").join("\n"));
    const run = promisify(execFile);
    // The compiler writes its findings to stdout, and of a failed command only stderr is shown.
    const compiled = await run(join(root, "node_modules/.bin/tsc"), ["--noEmit", "-p", project]).catch(
      (error: { readonly stdout?: string }) => error,
    );
    expect(compiled.stdout).toBe("");
    const { stderr } = await run(process.execPath, ["--conditions=@coffer/source", join(project, "example.ts")], {
      cwd: project,
      env: emptyHome(),
    });
    expect(stderr).toBe("");
  });
});
