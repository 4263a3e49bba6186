import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const testkit = join(import.meta.dirname, "..");
const root = join(testkit, "../..");
const CONDITION = "--conditions=@coffer/source";
const PACKAGE_JSON = {
  name: "acme-flavor",
  version: "1.0.0",
  type: "module",
  sideEffects: ["./dist/index.js"],
  peerDependencies: { "@coffer/core": "^1.0.0", zod: "^4.0.0" },
  coffer: { specVersion: 1, entry: "./dist/index.js", flavors: [{ type: "secrets_manager", name: "acme" }], schemas: [] },
};

let project = "";
let blocks: readonly { readonly path: string; readonly text: string }[] = [];

/** Runs a program of this repository in the reader's project; answers what it printed. */
async function run(entry: string, ...args: readonly string[]): Promise<string> {
  // The runner that runs this test leaves marks in the environment that its child would mistake for its own.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VITEST|TEST$|NODE_ENV$|NODE_TEST|FORCE_COLOR)/.test(name)),
  );
  const ended = await promisify(execFile)(process.execPath, [entry, ...args], {
    cwd: project,
    env: { ...env, NODE_OPTIONS: CONDITION, NO_COLOR: "1" },
    maxBuffer: 2 ** 24,
  }).catch((error: { readonly stdout?: string; readonly stderr?: string }) => error);
  return `${ended.stdout}${ended.stderr}`;
}

/** The file behind a command of a package. */
function command(name: string, bin: string): string {
  const require = createRequire(join(root, "package.json"));
  return join(dirname(require.resolve(`${name}/package.json`)), bin);
}

beforeAll(async () => {
  const readme = await readFile(join(testkit, "README.md"), "utf8");
  blocks = [...readme.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)].map(([, path = "", text = ""]) => ({ path, text }));
  project = await realpath(await mkdtemp(join(tmpdir(), "coffer-readme-")));
  const files: Record<string, string> = Object.fromEntries(blocks.map(({ path, text }) => [path, text]));
  files["package.json"] = JSON.stringify(PACKAGE_JSON);
  files["tsconfig.json"] = JSON.stringify({ extends: join(root, "tsconfig.base.json"), include: ["src", "test"] });
  files["vitest.config.ts"] =
    `export default { ssr: { resolve: { conditions: ["@coffer/source", "module", "node"] } }, test: { include: ["test/*.test.ts"], exclude: ["**/*.node.test.ts"] } };`;
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), text);
  }
  // What the reader has written already: the flavor, and the server that its tests use.
  await cp(join(import.meta.dirname, "readme"), project, { recursive: true });
  await mkdir(join(project, "node_modules/@coffer"), { recursive: true });
  for (const [from, to] of [
    [testkit, "@coffer/testkit"],
    [join(root, "packages/core"), "@coffer/core"],
    [join(testkit, "node_modules/zod"), "zod"],
    [join(testkit, "node_modules/vitest"), "vitest"],
    [join(root, "node_modules/@types"), "@types"],
  ] as const)
    await symlink(from, join(project, "node_modules", to));
});
afterAll(() => rm(project, { recursive: true, force: true }));

test("every TypeScript block of the README is a file with a name", async () => {
  const readme = await readFile(join(testkit, "README.md"), "utf8");
  expect(readme.match(/^```(?:ts|typescript|js)/gm)).toHaveLength(blocks.length);
  expect(blocks.map(({ path }) => path)).toContain("test/conformance.test.ts");
});

test("the files of the README compile", async () => {
  expect(await run(command("typescript", "bin/tsc"), "-p", ".")).toBe("");
});

test("the test files of the README pass under vitest", async () => {
  const said = await run(command("vitest", "vitest.mjs"), "run", "--reporter=json", "--outputFile=result.json");
  const result = JSON.parse(await readFile(join(project, "result.json"), "utf8").catch(() => JSON.stringify(said))) as {
    readonly success: boolean;
    readonly numPassedTests: number;
    readonly testResults: readonly { readonly name: string }[];
  };
  expect(result.success ? "" : said).toBe("");
  expect(result.testResults.map(({ name }) => name.slice(project.length + 1)).toSorted()).toEqual(
    blocks
      .map(({ path }) => path)
      .filter((path) => path.endsWith(".test.ts") && !path.includes(".node."))
      .toSorted(),
  );
  expect(result.numPassedTests).toBeGreaterThan(80);
});

test("the suite runs under Node's own runner, and shows why a case is skipped", async () => {
  const said = await run("--test", "--test-reporter=tap", "test/conformance.node.test.ts");
  expect(said).toMatch(/^# fail 0$/m);
  expect(said).toContain('# SKIP the subject brings no fault "garble"');
});

test("what the README says of a subject, of capabilities and of faults is all there is", async () => {
  const readme = await readFile(join(testkit, "README.md"), "utf8");
  const { createMemoryService } = await import("../src/index.ts");
  const { memorySubject } = await import("./memory-subject.ts");
  const { faults, outOfBand } = memorySubject();
  for (const name of [...Object.keys(createMemoryService().capabilities), ...Object.keys(faults ?? {}), ...Object.keys(outOfBand ?? {})])
    expect(readme).toMatch(new RegExp(`\`${name}[\`(]`));
});
