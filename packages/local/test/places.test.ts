import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { defaultPaths } from "../src/index.ts";
import {
  canaryOf,
  isRoot,
  open,
  runProgram,
  snapshotOf,
  temporaryFolder,
  temporarySettings,
  type TestSettings,
  using,
} from "./laboratory.ts";

const CANARY = canaryOf("places");
// Nobody's account on most systems; it needs none.
const STRANGER = 65_534;
// Only root can become somebody else, who must then be able to run this Node and to read this clone: not so below the home directory of root.
const strangerCanRun =
  isRoot &&
  spawnSync(process.execPath, ["-e", "require('node:fs').accessSync('package.json')"], {
    cwd: join(import.meta.dirname, ".."),
    uid: STRANGER,
    gid: STRANGER,
  }).status === 0;

describe("T75 the default places", () => {
  test("XDG_DATA_HOME and XDG_STATE_HOME, when they are absolute", () => {
    expect(defaultPaths({ XDG_DATA_HOME: "/data", XDG_STATE_HOME: "/state" })).toEqual({
      store: "/data/coffer/local/secrets.db",
      keyDirectory: "/state/coffer/local",
    });
    const home = temporaryFolder();
    expect(defaultPaths({ XDG_DATA_HOME: "data", XDG_STATE_HOME: "", HOME: home })).toEqual({
      store: join(home, ".local/share/coffer/local/secrets.db"),
      keyDirectory: join(home, ".local/state/coffer/local"),
    });
  });

  test("without HOME, the home directory that the system knows", () => {
    expect(defaultPaths({}).store).toBe(join(userInfo().homedir, ".local/share/coffer/local/secrets.db"));
    expect(defaultPaths({ HOME: "" })).toEqual(defaultPaths({}));
  });

  test.each(["absent", "relative"])("a HOME that is %s is refused, with what to set", (title) => {
    const HOME = title === "absent" ? join(temporaryFolder(), "absent") : "relative";
    expect(() => defaultPaths({ HOME })).toThrow(
      expect.objectContaining({
        info: expect.objectContaining({ code: "invalid_settings", hint: expect.stringMatching(/HOME.*XDG_DATA_HOME.*"path"/) }),
      }),
    );
    // The home directory is not asked for where it is not needed.
    expect(defaultPaths({ HOME, XDG_DATA_HOME: "/data", XDG_STATE_HOME: "/state" }).store).toBe("/data/coffer/local/secrets.db");
  });

  test("a program whose HOME does not exist is told why, without a trace of the code, and makes none", async () => {
    const HOME = join(temporaryFolder(), "absent");
    const program = `
      import { createSecretsManager } from "@coffer/core";
      import { local, localStatus } from "@coffer/local";
      const manager = createSecretsManager(local, {});
      for (const call of [() => manager.getSecret("one"), () => manager.registerSecret({ name: "one", values: { key: "value" } }), () => localStatus()]) {
        const { code, message } = await call().catch((error) => error);
        console.log(code, message);
      }`;
    const { XDG_DATA_HOME: _data, XDG_STATE_HOME: _state, ...env } = process.env;
    const ended = await runProgram(program, { env: { ...env, HOME } });
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(ended.stdout.trim().split("\n")).toEqual(
      Array.from({ length: 3 }, () => expect.stringMatching(/^invalid_settings .*\/absent does not exist/) as unknown),
    );
    expect(existsSync(HOME)).toBe(false);
  });
});

describe.skipIf(!strangerCanRun)("T75 a place that cannot be written (needs root, and a clone that others may read)", () => {
  /** A store that belongs to a user for whom permissions count. */
  async function storeOfStranger(): Promise<TestSettings> {
    const settings = temporarySettings();
    await using(settings, async (manager) => {
      await manager.registerSecret({ name: "one", values: { key: "old" } });
      await manager.updateSecret("one", { values: { key: CANARY } });
    });
    return settings;
  }

  function giveAway(settings: TestSettings): void {
    const folder = dirname(dirname(settings.path));
    for (const name of ["", ...(readdirSync(folder, { recursive: true }) as string[])]) chownSync(join(folder, name), STRANGER, STRANGER);
  }

  const everything = (settings: TestSettings): string => `
    import { createSecretsManager } from "@coffer/core";
    import { local, localStatus, rekey } from "@coffer/local";
    const settings = ${JSON.stringify(settings)};
    const manager = createSecretsManager(local, settings);
    const answers = {};
    const ask = async (what, work) => { answers[what] = await work().catch((error) => error.code + ": " + error.message + " " + error.hint); };
    await ask("get", async () => (await manager.getSecret("one")).text.key);
    await ask("revision", async () => (await manager.getSecret("one", { revision: "1" })).text.key);
    await ask("absent", () => manager.hasSecret("absent"));
    await ask("list", async () => (await Array.fromAsync(manager.listSecrets())).length);
    await ask("history", async () => (await Array.fromAsync(manager.history("one"))).length);
    await ask("status", async () => (await localStatus(settings, { verify: true })).verified);
    await ask("update", () => manager.updateSecret("one", { values: { key: "new" } }));
    await ask("rekey", () => rekey(settings));
    await ask("get again", async () => (await manager.getSecret("one")).text.key);
    await manager.close();
    console.log(JSON.stringify(answers));`;

  const READ = {
    get: CANARY,
    revision: "old",
    absent: false,
    list: 1,
    history: 2,
    status: { damaged: [], complete: true },
    "get again": CANARY,
  };

  test.each([
    ["directory and file", 0o500, 0o400],
    ["directory", 0o500, 0o600],
    ["file", 0o700, 0o400],
  ])("%s: everything can be read, nothing written, and both are told", async (_title, folderMode, fileMode) => {
    const settings = await storeOfStranger();
    giveAway(settings);
    chmodSync(settings.path, fileMode);
    chmodSync(dirname(settings.path), folderMode);
    const before = snapshotOf(dirname(dirname(settings.path)));
    const ended = await runProgram(everything(settings), { uid: STRANGER, gid: STRANGER });
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    const { update, rekey, ...read } = JSON.parse(ended.stdout) as Record<string, unknown>;
    expect(read).toEqual(READ);
    expect(update).toMatch(/^permission_denied: .*refused access/);
    expect(rekey).toMatch(/^permission_denied: .*refused access/);
    expect(ended.stdout).not.toContain("at ");
    const { "state/.key.lock": _lock, ...after } = snapshotOf(dirname(dirname(settings.path)));
    const { "state/.key.lock": _before, ...expected } = before;
    expect(after).toEqual(expected);
  });

  test("a log that waits in a directory that cannot be written: its secrets are read, or the reason is told; never the older state", async () => {
    const settings = await storeOfStranger();
    const writer = open(settings);
    await writer.updateSecret("one", { values: { key: "newest" } });
    giveAway(settings);
    chmodSync(dirname(settings.path), 0o500);
    const { get } = JSON.parse((await runProgram(everything(settings), { uid: STRANGER, gid: STRANGER })).stdout) as Record<string, string>;
    expect(get).toMatch(/^(?:newest$|permission_denied: |unavailable: )/);
  });

  test("no store can be made: told, and nothing is left", async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, "home"));
    const settings = { path: join(folder, "home/data/secrets.db"), key_file: join(folder, "home/state/key") };
    const ended = await runProgram(everything(settings), { uid: STRANGER, gid: STRANGER });
    const { update, get } = JSON.parse(ended.stdout) as Record<string, string>;
    expect(get).toMatch(/^not_found/);
    expect(update).toMatch(/^not_found/);
    const program = `
      import { createSecretsManager } from "@coffer/core";
      import { local } from "@coffer/local";
      const manager = createSecretsManager(local, ${JSON.stringify(settings)});
      const { code, outcome } = await manager.registerSecret({ name: "one", values: { key: "value" } }).catch((error) => error);
      console.log(code, outcome);`;
    expect(await runProgram(program, { uid: STRANGER, gid: STRANGER })).toEqual({
      code: 0,
      stdout: "permission_denied not_applied\n",
      stderr: "",
    });
    expect(readdirSync(join(folder, "home"))).toEqual([]);
  });

  test("the key cannot be put in its place: no store is made", async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, "home"));
    chownSync(join(folder, "home"), STRANGER, STRANGER);
    mkdirSync(join(folder, "locked"));
    const settings = { path: join(folder, "home/data/secrets.db"), key_file: join(folder, "locked/state/key") };
    const program = `
      import { createSecretsManager } from "@coffer/core";
      import { local } from "@coffer/local";
      const manager = createSecretsManager(local, ${JSON.stringify(settings)});
      const { code, outcome } = await manager.registerSecret({ name: "one", values: { key: "value" } }).catch((error) => error);
      console.log(code, outcome);`;
    expect(await runProgram(program, { uid: STRANGER, gid: STRANGER })).toEqual({
      code: 0,
      stdout: "permission_denied not_applied\n",
      stderr: "",
    });
    expect(readdirSync(join(folder, "home"))).toEqual([]);
    expect(lstatSync(join(folder, "locked")).isDirectory()).toBe(true);
  });
});
