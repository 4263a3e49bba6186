import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { localStatus, rekey } from "../src/index.ts";
import {
  canaryOf,
  expectNoLeak,
  failure,
  isRoot,
  open,
  runCommand,
  runProgram,
  snapshotOf,
  temporaryFolder,
  temporarySettings,
  type TestSettings,
  using,
} from "./laboratory.ts";

const CANARY = canaryOf("private-files");

/** A closed store with one secret. */
async function storedOne(): Promise<TestSettings> {
  const settings = temporarySettings();
  await using(settings, (manager) => manager.registerSecret({ name: "one", values: { key: CANARY } }));
  return settings;
}

const modeOf = (path: string): string => (lstatSync(path).mode & 0o7777).toString(8);

describe.each(["000", "022", "077", "0777"])("T51 umask %s", (mask) => {
  test("the store, its key, their side files and directories are private, and usable", async () => {
    const folder = temporaryFolder();
    const settings = { path: join(folder, "deep/data/secrets.db"), key_file: join(folder, "deep/state/key") };
    const program = `
      import { lstatSync, readdirSync } from "node:fs";
      import { createSecretsManager } from "@coffer/core";
      import { local } from "@coffer/local";
      const manager = createSecretsManager(local, ${JSON.stringify(settings)});
      await manager.registerSecret({ name: "one", values: { key: "value" } });
      await manager.updateSecret("one", { values: { key: "other" } });
      const { text } = await manager.getSecret("one");
      // While it is open the log and its index are there too.
      const modes = readdirSync(${JSON.stringify(folder)}, { recursive: true, withFileTypes: true })
        .map((entry) => [entry.name, (lstatSync(entry.parentPath + "/" + entry.name).mode & 0o7777).toString(8)]);
      await manager.close();
      console.log(JSON.stringify({ modes, key: text.key }));`;
    const ended = await runProgram(program, { prelude: `umask ${mask}` });
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    const { modes, key } = JSON.parse(ended.stdout) as { modes: [string, string][]; key: string };
    expect(key).toBe("other");
    expect(Object.fromEntries(modes)).toEqual({
      deep: "700",
      data: "700",
      state: "700",
      "secrets.db": "600",
      "secrets.db-wal": "600",
      "secrets.db-shm": "600",
      ".secrets.db.lock": "600",
      key: "600",
      ".key.lock": "600",
    });
    if (isRoot) return;
    // For somebody who is not root a file of mode 000 would be lost.
    expect((await using(settings, (manager) => manager.getSecret("one"))).text["key"]).toBe("other");
  });
});

test("T52 whoever looks during more than 300 writes and 3 changes of the key never sees anything wider than 0600 and 0700", async () => {
  const folder = temporaryFolder();
  // The watcher lists and looks as fast as it can; what is gone between the two does not count.
  const watcher = spawn(
    process.execPath,
    [
      "-e",
      `const fs = require("node:fs"), folder = process.argv[1], wide = new Set(), seen = new Set(); let looks = 0, over = false;
      process.stdin.on("end", () => { over = true; }).resume();
      (function watch() {
        for (let round = 0; round < 20; round += 1) {
          let entries = []; try { entries = fs.readdirSync(folder, { recursive: true }); } catch {}
          for (const name of entries) {
            try { const stats = fs.lstatSync(folder + "/" + name); looks += 1;
              seen.add(name.replace(/[0-9a-f-]{36}/, "*"));
              if (stats.mode & 0o077) wide.add(name + " " + (stats.mode & 0o7777).toString(8)); } catch {}
          }
        }
        if (over) console.log(JSON.stringify({ wide: [...wide], seen: [...seen], looks })); else setImmediate(watch);
      })(); console.log("watching");`,
      folder,
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  onTestFinished(() => void watcher.kill("SIGKILL"));
  let said = "";
  const ended = new Promise((resolve) => watcher.once("close", resolve));
  await new Promise<void>((resolve) =>
    watcher.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
      resolve();
    }),
  );
  const before = process.umask(0);
  try {
    const settings = { path: join(folder, "data/secrets.db"), key_file: join(folder, "state/key") };
    for (let store = 0; store < 3; store += 1) {
      const each = { path: `${settings.path}.${store}`, key_file: settings.key_file };
      await using(each, async (manager) => {
        for (let write = 0; write < 100; write += 1) await manager.upsertSecret({ name: `s${write % 10}`, values: { key: String(write) } });
      });
      await rekey(each);
    }
  } finally {
    process.umask(before);
  }
  watcher.stdin.end();
  await ended;
  const { wide, seen, looks } = JSON.parse(said.split("\n")[1] ?? "") as { wide: string[]; seen: string[]; looks: number };
  expect(wide).toEqual([]);
  expect(looks).toBeGreaterThan(1_000);
  // It has seen what comes and goes, so it would have seen it wide.
  expect(seen).toEqual(expect.arrayContaining(["data/secrets.db.0-wal", "data/secrets.db.0-shm", "state/key"]));
});

describe("T53 what is not private is refused with the command that mends it", () => {
  const spoilt: [string, (settings: TestSettings) => string][] = [
    ["the store can be read by others", ({ path }) => (chmodSync(path, 0o644), path)],
    ["the store can be written by the group", ({ path }) => (chmodSync(path, 0o620), path)],
    ["the directory of the store is open to all", ({ path }) => (chmodSync(dirname(path), 0o777), dirname(path))],
    ["the directory of the store can be listed by others", ({ path }) => (chmodSync(dirname(path), 0o755), dirname(path))],
    ["the key file can be read by others", ({ key_file }) => (chmodSync(key_file, 0o640), key_file)],
  ];
  if (isRoot) {
    spoilt.push(
      ["the store belongs to somebody else", ({ path }) => (chownSync(path, 4321, 4321), path)],
      ["the directory of the store belongs to somebody else", ({ path }) => (chownSync(dirname(path), 4321, 4321), dirname(path))],
      ["the key file belongs to somebody else", ({ key_file }) => (chownSync(key_file, 4321, 4321), key_file)],
    );
  }

  test.each(spoilt)("%s", async (_title, spoil) => {
    const settings = await storedOne();
    const path = spoil(settings);
    const before = snapshotOf(dirname(dirname(settings.path)));
    const calls = [
      () => using(settings, (manager) => manager.getSecret("one")),
      () => using(settings, (manager) => manager.updateSecret("one", { values: { key: "x" } })),
      () => using(settings, (manager) => manager.registerSecret({ name: "two", values: { key: "x" } })),
      () => using(settings, (manager) => Array.fromAsync(manager.listSecrets())),
      () => localStatus(settings, { verify: true }),
      () => rekey(settings),
    ];
    let hint = "";
    for (const call of calls) {
      const error = await failure(call);
      expect(error).toMatchObject({ code: "permission_denied", retryable: false });
      expect(error.message).toContain(path);
      hint = error.hint ?? "";
      await expectNoLeak(error, CANARY);
    }
    expect(snapshotOf(dirname(dirname(settings.path)))).toEqual(before);
    // Whoever is root already needs no sudo, and a machine without one is to pass this too.
    const command = hint.replace(/^.*?(?:sudo )?(?=ch(?:mod|own) )/, "");
    expect(command).toMatch(/^ch(?:mod [67]00|own \d+) \//);
    expect(await runCommand("/bin/sh", ["-c", command])).toMatchObject({ code: 0, stderr: "" });
    expect((await using(settings, (manager) => manager.getSecret("one"))).text["key"]).toBe(CANARY);
  });

  test("the log beside the store can be read by others", async () => {
    const settings = await storedOne();
    const writer = open(settings);
    await writer.updateSecret("one", { values: { key: "new" } });
    chmodSync(`${settings.path}-wal`, 0o644);
    const error = await failure(using(settings, (manager) => manager.getSecret("one")));
    expect(error).toMatchObject({ code: "permission_denied", hint: `chmod 600 ${settings.path}-wal` });
    expect(await runCommand("/bin/sh", ["-c", error.hint ?? ""])).toMatchObject({ code: 0 });
    expect((await using(settings, (manager) => manager.getSecret("one"))).text["key"]).toBe("new");
  });

  test("the command is right for a path with spaces and quotes", async () => {
    const folder = join(temporaryFolder(), "it's $HOME; a `place`");
    const settings = { path: join(folder, "secrets.db"), key_file: join(folder, "key") };
    await using(settings, (manager) => manager.registerSecret({ name: "one", values: { key: CANARY } }));
    chmodSync(settings.path, 0o644);
    const error = await failure(using(settings, (manager) => manager.getSecret("one")));
    expect(await runCommand("/bin/sh", ["-c", error.hint ?? ""])).toMatchObject({ code: 0, stderr: "" });
    expect(modeOf(settings.path)).toBe("600");
  });

  test("a directory that is already there and open to others is not used for a new store, and not changed", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "data"), { mode: 0o755 });
    chmodSync(join(folder, "data"), 0o755);
    const before = snapshotOf(folder);
    const settings = { path: join(folder, "data/secrets.db"), key_file: join(folder, "state/key") };
    const error = await failure(using(settings, (manager) => manager.registerSecret({ name: "one", values: { key: CANARY } })));
    expect(error).toMatchObject({ code: "permission_denied", hint: `chmod 700 ${join(folder, "data")}` });
    expect(snapshotOf(folder)).toEqual(before);
    await expectNoLeak(error, CANARY);
  });
});

describe("T54 symbolic links are refused, and what they point to is left alone", () => {
  /** What reading, writing, rekey and status answer. */
  async function answersOf(settings: TestSettings): Promise<unknown> {
    const calls = [
      () => using(settings, (manager) => manager.getSecret("one")),
      () => using(settings, (manager) => manager.upsertSecret({ name: "one", values: { key: "x" } })),
      () => rekey(settings),
      () => localStatus(settings, { verify: true }),
    ];
    const answers: string[] = [];
    for (const call of calls) {
      const { code, message } = await failure(call);
      answers.push(`${code}: ${message}`);
    }
    return answers;
  }
  const refusal: unknown = expect.stringMatching(/^permission_denied: .* is a symbolic link\.$/);
  const REFUSED = [refusal, refusal, refusal, refusal];

  test.each(["path", "key_file"] as const)("%s is a link to a store that is in order", async (which) => {
    const settings = await storedOne();
    const elsewhere = temporaryFolder();
    renameSync(settings[which], join(elsewhere, "moved"));
    symlinkSync(join(elsewhere, "moved"), settings[which]);
    const before = snapshotOf(elsewhere);
    expect(await answersOf(settings)).toEqual(REFUSED);
    expect(snapshotOf(elsewhere)).toEqual(before);
  });

  test("the directory of the store is a link", async () => {
    const settings = await storedOne();
    const elsewhere = temporaryFolder();
    renameSync(dirname(settings.path), join(elsewhere, "moved"));
    symlinkSync(join(elsewhere, "moved"), dirname(settings.path));
    const before = snapshotOf(elsewhere);
    expect(await answersOf(settings)).toEqual(REFUSED);
    expect(snapshotOf(elsewhere)).toEqual(before);
  });

  test("the store is a link to nothing: nothing is made at its end", async () => {
    const settings = await storedOne();
    const elsewhere = temporaryFolder();
    renameSync(settings.path, join(elsewhere, "moved"));
    symlinkSync(join(elsewhere, "absent"), settings.path);
    expect(await answersOf(settings)).toEqual(REFUSED);
    expect(existsSync(join(elsewhere, "absent"))).toBe(false);
  });

  test.each(["-wal", "-shm"])("the side file %s is a link", async (suffix) => {
    const settings = await storedOne();
    const elsewhere = temporaryFolder();
    writeFileSync(join(elsewhere, "target"), "untouched", { mode: 0o600 });
    symlinkSync(join(elsewhere, "target"), settings.path + suffix);
    const before = snapshotOf(elsewhere);
    expect(await answersOf(settings)).toEqual(REFUSED);
    expect(snapshotOf(elsewhere)).toEqual(before);
  });

  test.each(["to a file", "to nothing"])("the name of the lock is taken by a link %s", async (title) => {
    const settings = temporarySettings();
    const elsewhere = temporaryFolder();
    if (title === "to a file") writeFileSync(join(elsewhere, "target"), "untouched", { mode: 0o600 });
    mkdirSync(dirname(settings.path), { mode: 0o700 });
    symlinkSync(join(elsewhere, "target"), join(dirname(settings.path), ".secrets.db.lock"));
    const before = snapshotOf(elsewhere);
    const error = await failure(using(settings, (manager) => manager.registerSecret({ name: "one", values: { key: CANARY } })));
    expect(error.code).toBe("permission_denied");
    expect(error.message).toContain("symbolic link");
    expect(snapshotOf(elsewhere)).toEqual(before);
    expect(existsSync(settings.path)).toBe(false);
  });

  test.each(["data", "state"])("every temporary name in %s is taken by a link", async (which) => {
    const folder = temporaryFolder();
    const elsewhere = temporaryFolder();
    writeFileSync(join(elsewhere, "target"), "untouched", { mode: 0o600 });
    // The names are random; here chance is told what to say, so that they can be taken beforehand.
    const program = `
      import crypto, { randomUUID } from "node:crypto";
      import { syncBuiltinESMExports } from "node:module";
      import { mkdirSync, symlinkSync } from "node:fs";
      crypto.randomUUID = () => "00000000-0000-4000-8000-000000000000";
      syncBuiltinESMExports();
      const { createSecretsManager } = await import("@coffer/core");
      const { local } = await import("@coffer/local");
      const place = ${JSON.stringify(join(folder, which))};
      mkdirSync(place, { recursive: true, mode: 0o700 });
      const name = ${JSON.stringify(which === "data" ? ".secrets.db" : ".key")} + ".00000000-0000-4000-8000-000000000000" + ${JSON.stringify(which === "data" ? ".new" : ".tmp")};
      for (const suffix of ["", "-wal", "-journal"]) symlinkSync(${JSON.stringify(join(elsewhere, "target"))}, place + "/" + name + suffix);
      const settings = ${JSON.stringify({ path: join(folder, "data/secrets.db"), key_file: join(folder, "state/key") })};
      const manager = createSecretsManager(local, settings);
      await manager.registerSecret({ name: "one", values: { key: "value" } });
      console.log((await manager.getSecret("one")).text.key);
      await manager.close();`;
    expect(await runProgram(program)).toEqual({ code: 0, stdout: "value\n", stderr: "" });
    expect(readFileSync(join(elsewhere, "target"), "utf8")).toBe("untouched");
    expect(Object.keys(snapshotOf(folder))).toEqual([
      "data",
      "data/.secrets.db.lock",
      "data/secrets.db",
      "state",
      "state/.key.lock",
      "state/key",
    ]);
  });
});

describe("T57 reading makes nothing", () => {
  test.each(["nothing at all", "an empty directory"])("where there is %s", async (title) => {
    const settings = temporarySettings();
    if (title === "an empty directory") mkdirSync(dirname(settings.path), { mode: 0o700 });
    const folder = dirname(dirname(settings.path));
    const before = snapshotOf(folder);
    const manager = open(settings);
    expect((await failure(manager.getSecret("one"))).code).toBe("not_found");
    expect(await manager.hasSecret("one")).toBe(false);
    expect(await Array.fromAsync(manager.listSecrets())).toEqual([]);
    expect((await failure(Array.fromAsync(manager.history("one")))).code).toBe("not_found");
    expect((await failure(manager.updateSecret("one", { values: { key: "x" } }))).code).toBe("not_found");
    expect((await failure(manager.replaceSecret({ name: "one", values: { key: "x" } }))).code).toBe("not_found");
    expect((await failure(manager.deleteSecret("one"))).code).toBe("not_found");
    await manager.deleteAllSecrets();
    expect(await localStatus(settings, { verify: true })).toMatchObject({ exists: false, secrets: null });
    expect((await failure(rekey(settings))).code).toBe("invalid_request");
    await manager.close();
    expect(snapshotOf(folder)).toEqual(before);
  });
});
