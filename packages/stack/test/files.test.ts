import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  checkDefinitions,
  describeStack,
  readConfiguration,
  registerComponent,
  registerStack,
  renameComponent,
  setActiveStack,
} from "../src/index.ts";
import { account, failure, makeFifo, runProgram, sourceUrl } from "./laboratory.ts";

const team = { type: "secrets_manager", name: "team", flavor: "cloud", settings: { region: "eu" } } as const;
const id = "0b0f6c0e-6f3a-4b6c-9d53-0d9d8a1c2e11";

/** Makes a program run as a user for whom the bits of a directory count: root is stopped by none. */
function asSomebody(home: string): string {
  if (process.geteuid?.() !== 0) return "";
  execFileSync("chown", ["-R", "65534", home]);
  return "process.setuid(65534);";
}

describe("what is read", () => {
  test("T29 damage is told with path, line and column, and never with the content", async () => {
    const { where, config, write } = account();
    const whole = JSON.stringify({ version: 1, components: [{ ...team, id, settings: { region: "canary-canary" } }] }, null, 2);
    for (let length = 1; length < whole.length; length += 7) {
      write(config, whole.slice(0, length));
      const error = await failure(() => describeStack(undefined, where));
      expect(error, whole.slice(0, length)).toMatchObject({ code: "corrupt" });
      expect(error.message).toMatch(/^\S+config\.json is not JSON: line \d+, column \d+\.$/);
      expect(`${error.message}${error.hint}`).not.toContain("canary");
      expect(await failure(() => registerStack({ name: "x" }, where))).toMatchObject({ code: "corrupt" });
      expect(readFileSync(config, "utf8")).toBe(whole.slice(0, length));
    }
  });

  test("a newer version is refused and left byte for byte as it is", async () => {
    const { where, config, write } = account();
    const text = '{"version": 2, "components": {"a": 1}}';
    write(config, text);
    for (const call of [() => describeStack(undefined, where), () => registerStack({ name: "x" }, where)])
      expect(await failure(call)).toMatchObject({ code: "unsupported", hint: "Update Coffer. The file was left as it is." });
    expect(readFileSync(config, "utf8")).toBe(text);
  });

  test("a file that is JSON and not ours says where", async () => {
    const { where, config, write } = account();
    for (const [content, place] of [
      ["[]", "the top"],
      ["{}", "version"],
      ['{"version":1,"stacks":{}}', "stacks"],
      ['{"version":1,"stacks":[7]}', "stacks[0]"],
      ['{"version":1,"stacks":[{"name":"default","secrets_manager":7}]}', "stacks[0].secrets_manager"],
      ['{"version":1,"stacks":[{"name":"default"},{"name":"default"}]}', "stacks[1].name"],
      ['{"version":1,"components":[{"type":"secrets_manager","name":"default","id":"7","flavor":"local"}]}', "components[0].id"],
      [`{"version":1,"components":[{"type":"secrets_manager","name":"default","id":"${id}","flavor":"../evil"}]}`, "components[0].flavor"],
      [
        `{"version":1,"components":[{"type":"secrets_manager","name":"default","id":"${id}","flavor":"local","scope":"x"}]}`,
        "components[0].scope",
      ],
      [
        `{"version":1,"components":[{"type":"secrets_manager","name":"default","id":"${id}","flavor":"local","settings":[]}]}`,
        "components[0].settings",
      ],
    ] as const) {
      write(config, content);
      const error = await failure(() => describeStack(undefined, where));
      expect(error, content).toMatchObject({ code: "corrupt" });
      expect(error.message, content).toContain(`${place}:`);
      expect(await failure(() => registerStack({ name: "x" }, where)), content).toMatchObject({ code: "corrupt" });
    }
  });

  test("all problems are told at once by the full check, which also asks the flavors", async () => {
    const { where, config, write } = account();
    write(config, { version: 1, components: [{ ...team, id, flavor: "x/y" }, { type: "b" }], stacks: [{ name: "-" }] });
    expect((await checkDefinitions(where)).map(({ problem }) => problem.split(":")[0])).toEqual([
      "components[0].flavor",
      "components[1].type",
      "components[1].name",
      "components[1].id",
      "components[1].flavor",
      "stacks[0].name",
    ]);
    write(config, {
      version: 1,
      components: [{ ...team, id, settings: { region: 7 } }],
      stacks: [{ name: "a", secrets_manager: "nobody" }],
    });
    expect((await checkDefinitions(where)).map(({ problem }) => problem)).toEqual([
      'components[0]: The settings of the secrets manager "team" (flavor cloud) are not valid: region: expected string.',
      'stacks[0]: The stack "a" has a secrets manager "nobody" that is not defined.',
    ]);
    write(config, { version: 1, components: [{ ...team, id }], stacks: [{ name: "a", secrets_manager: "team" }] });
    expect(await checkDefinitions(where)).toEqual([]);
  });

  test("a byte order mark is no damage; a key that is there twice is, before it would be lost", async () => {
    const { where, config, write } = account();
    write(config, `\uFEFF{"version":1,"stacks":[{"name":"a"}]}`);
    expect(describeStack("a", where).name).toBe("a");
    write(config, `{"version":1,\n "stacks":[{"name":"a"}],\n "stacks":[]}`);
    const error = await failure(() => registerStack({ name: "b" }, where));
    expect(error.message).toContain("line 3, column 2: the same key twice");
    writeFileSync(config, Buffer.from([...Buffer.from('{"version":1,"note":"'), 0xff, ...Buffer.from('"}')]));
    expect((await failure(() => registerStack({ name: "b" }, where))).message).toContain("it is not UTF-8");
  });

  test.skipIf(process.platform === "win32")("T53 a file that others can write is refused with the command that mends it", async () => {
    const { where, config, state, write } = account();
    for (const path of [config, state]) {
      write(path, { version: 1 });
      chmodSync(path, 0o666);
      expect(await failure(() => readConfiguration(where))).toMatchObject({ code: "permission_denied", hint: `chmod go-w ${path}` });
      chmodSync(path, 0o644);
      readConfiguration(where);
    }
  });

  test("neither a directory nor a FIFO nor a huge file is waited for or read", async () => {
    const { where, config, write } = account();
    mkdirSync(config, { recursive: true });
    expect(await failure(() => readConfiguration(where))).toMatchObject({
      code: "permission_denied",
      message: expect.stringContaining("not a regular file") as unknown,
    });
    const other = account();
    mkdirSync(dirname(other.config), { recursive: true });
    makeFifo(other.config);
    expect(await failure(() => readConfiguration(other.where))).toMatchObject({ code: "permission_denied" });
    const huge = account();
    write(huge.config, `{"version":1,"note":"${"x".repeat(5 * 2 ** 20)}"}`);
    expect(await failure(() => readConfiguration(huge.where))).toMatchObject({ message: expect.stringContaining("too large") as unknown });
  });

  test("T75 without a home directory it says which variable to set; in a directory that is gone there is no project", async () => {
    const { where } = account();
    expect(readConfiguration({ cwd: join(where.cwd, "gone"), env: where.env }).project).toBeUndefined();
    const env = { HOME: "relative" };
    expect(await failure(() => readConfiguration({ env }))).toMatchObject({
      code: "invalid_settings",
      hint: "Set HOME or XDG_CONFIG_HOME.",
    });
  });

  test("the directories are those of the variables", () => {
    const { home, write, where } = account();
    const read = (env: Record<string, string>): string => readConfiguration({ cwd: where.cwd, env: { HOME: home, ...env } }).configFile;
    expect(read({})).toBe(join(home, ".config/coffer/config.json"));
    expect(read({ XDG_CONFIG_HOME: "/x" })).toBe("/x/coffer/config.json");
    expect(read({ XDG_CONFIG_HOME: "relative" })).toBe(join(home, ".config/coffer/config.json"));
    expect(read({ XDG_CONFIG_HOME: "/x", COFFER_CONFIG_DIR: "/y" })).toBe("/y/config.json");
    write(join(home, "state/coffer/state.json"), { version: 1, active: { stack: "default", origin: "default" } });
    expect(readConfiguration({ cwd: where.cwd, env: { HOME: home, XDG_STATE_HOME: join(home, "state") } }).state).toBeDefined();
  });
});

describe("what is written", () => {
  test("unknown fields stay, to the digits of a number, the order and the indentation", async () => {
    const { where, config, write } = account();
    const text = `{
\t"later": { "big": 12345678901234567890, "exact": 1.10, "__proto__": { "x": 1 }, "text": "é" },
\t"version": 1,
\t"components": [
\t\t{
\t\t\t"note": [1e3],
\t\t\t"type": "secrets_manager",
\t\t\t"name": "team",
\t\t\t"id": "${id}",
\t\t\t"flavor": "cloud",
\t\t\t"settings": { "region": "eu", "retries": 1e1 }
\t\t}
\t],
\t"stacks": [{ "name": "prod", "secrets_manager": "team", "icon": "boat" }]
}
`;
    write(config, text);
    await renameComponent("secrets_manager", "team", "crew", where);
    const written = readFileSync(config, "utf8");
    for (const kept of ["12345678901234567890", "1.10", '"__proto__"', '"note"', "1e3", '"retries": 1e1', '"icon": "boat"', "\n\t\t\t"])
      expect(written).toContain(kept);
    expect(Object.keys(JSON.parse(written) as object)).toEqual(["later", "version", "components", "stacks"]);
    expect(
      written
        .replace('"name": "crew"', '"name": "team"')
        .replace('"secrets_manager": "crew"', '"secrets_manager": "team"')
        .replaceAll(/\s/g, ""),
    ).toBe(text.replaceAll(/\s/g, ""));
  });

  test.skipIf(process.platform === "win32")("T51 files are 0600 in directories of 0700 under any umask", async () => {
    for (const umask of ["000", "022", "077", "777"]) {
      const { home, config, state, project } = account();
      const program = `process.umask(0o${umask});
        const { registerStack, setActiveStack } = await import(${JSON.stringify(sourceUrl("index.ts"))});
        await registerStack({ name: "work" });
        await setActiveStack("work");`;
      expect(await runProgram(program, { HOME: home }, project), umask).toMatchObject({ code: 0, stderr: "" });
      for (const path of [config, state]) {
        expect(statSync(path).mode & 0o777, umask).toBe(0o600);
        expect(statSync(dirname(path)).mode & 0o777, umask).toBe(0o700);
      }
    }
  });

  test("T55, T56 leave nothing behind, and remove what a killed process has left", async () => {
    const { where, config } = account();
    await registerStack({ name: "a" }, where);
    const stale = join(dirname(config), `.config.json.${id}.tmp`);
    writeFileSync(stale, "half");
    await registerStack({ name: "b" }, where);
    await failure(() => registerStack({ name: "b" }, where));
    expect(readdirSync(dirname(config))).toEqual(["config.json"]);
  });

  test.skipIf(process.platform === "win32")("a configuration that is linked into place stays linked", async () => {
    const { where, home, config, write } = account();
    const real = join(home, "dotfiles/coffer.json");
    write(real, { version: 1 });
    mkdirSync(dirname(config), { recursive: true });
    symlinkSync(real, config);
    await registerStack({ name: "a" }, where);
    expect(lstatSync(config).isSymbolicLink()).toBe(true);
    expect(realpathSync(config)).toBe(real);
    expect(readFileSync(real, "utf8")).toContain('"name": "a"');
  });

  test.skipIf(process.platform === "win32")("T54 a planted link in the place of a temporary file is not followed", async () => {
    const { where, home, config } = account();
    await registerStack({ name: "a" }, where);
    const victim = join(home, "victim");
    writeFileSync(victim, "mine");
    symlinkSync(victim, join(dirname(config), `.config.json.${id}.tmp`));
    await registerStack({ name: "b" }, where);
    expect(readFileSync(victim, "utf8")).toBe("mine");
  });

  test.skipIf(process.platform === "win32")("a directory that cannot be written says so, and nothing is lost", async () => {
    const { home, where, project, config } = account();
    await registerStack({ name: "a" }, where);
    const before = readFileSync(config);
    chmodSync(dirname(config), 0o555);
    const program = `${asSomebody(home)}
      const { registerStack } = await import(${JSON.stringify(sourceUrl("index.ts"))});
      await registerStack({ name: "b" }).catch((error) => console.log(error.code, error.message));`;
    const { stdout } = await runProgram(program, { HOME: home }, project);
    chmodSync(dirname(config), 0o700);
    expect(stdout).toBe(`permission_denied ${dirname(config)} cannot be written: its directory is read-only or belongs to another user.\n`);
    expect(readFileSync(config).equals(before)).toBe(true);
    expect(readdirSync(dirname(config))).toEqual(["config.json"]);
  });

  test("T57 reading creates nothing", () => {
    const { where, home } = account();
    describeStack(undefined, where);
    expect(existsSync(join(home, ".config"))).toBe(false);
    expect(existsSync(join(home, ".local"))).toBe(false);
  });

  test("the active stack is state: no file of definitions changes", async () => {
    const { where, config, state, json } = account();
    await registerStack({ name: "a" }, where);
    const before = readFileSync(config);
    await setActiveStack("a", where);
    expect(readFileSync(config).equals(before)).toBe(true);
    expect(json(state)).toEqual({ version: 1, active: { stack: "a", origin: "user" } });
  });

  test("registering a component and a stack takes no key of the prototype", async () => {
    const { where, config, write } = account();
    write(
      config,
      `{"version":1,"components":[{"type":"secrets_manager","name":"team","id":"${id}","flavor":"cloud","settings":{"__proto__":{"region":"eu"}}}]}`,
    );
    expect(await failure(() => renameComponent("secrets_manager", "constructor", "x", where))).toMatchObject({ code: "not_found" });
    await registerComponent({ ...team, name: "constructor" }, where);
    expect(({} as { region?: string }).region).toBeUndefined();
    expect(readFileSync(config, "utf8")).toContain('"__proto__"');
  });
});
