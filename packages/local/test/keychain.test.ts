import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import {
  canaryOf,
  type Ended,
  runCommand,
  runProgram,
  snapshotOf,
  temporaryFolder,
  temporarySettings,
  type TestSettings,
  using,
} from "./laboratory.ts";

const CANARY = canaryOf("keychain");

/** A program that registers a secret under the protection of the keychain, and prints what became of it. */
function registering(settings: TestSettings, before = ""): string {
  return `${before}
    import { inspect } from "node:util";
    const { createSecretsManager } = await import("@coffer/core");
    const { local } = await import("@coffer/local");
    const manager = createSecretsManager(local, ${JSON.stringify({ ...settings, protection: "keychain" })});
    try {
      await manager.registerSecret({ name: "one", values: { key: "${CANARY}" } });
      console.log(JSON.stringify({ code: null }));
    } catch (error) {
      const { code, message, hint, outcome } = error;
      console.log(JSON.stringify({ code, message, hint, outcome, shown: inspect(error, { depth: 12, showHidden: true }) }));
    }
    await manager.close();`;
}

interface Answer {
  readonly code: string | null;
  readonly message: string;
  readonly hint: string;
  readonly outcome: string;
}

function answerOf(ended: Ended): Answer {
  expect(ended).toMatchObject({ code: 0, stderr: "" });
  expect(ended.stdout).not.toContain(CANARY);
  return JSON.parse(ended.stdout) as Answer;
}

/** The environment of somebody who has no desktop session. */
function withoutSession(): NodeJS.ProcessEnv {
  const { DBUS_SESSION_BUS_ADDRESS: _bus, XDG_RUNTIME_DIR: _runtime, DISPLAY: _display, ...env } = process.env;
  return { ...env, HOME: temporaryFolder() };
}

describe("a keychain that is not there is never replaced by something else in silence", () => {
  test.skipIf(process.platform !== "linux")("no Secret Service (Linux only): a clear error, and nothing is made", async () => {
    const settings = temporarySettings();
    const answer = answerOf(await runProgram(registering(settings), { env: withoutSession() }));
    expect(answer).toMatchObject({ code: "unauthenticated", outcome: "not_applied" });
    expect(answer.message).toContain("keychain of the system does not answer");
    expect(answer.hint).toContain("passphrase or a key file");
    expect(snapshotOf(dirname(dirname(settings.path)))).toEqual({});
  });

  test("the package is not installed: the command that installs it, and nothing is made", async () => {
    const settings = temporarySettings();
    const absent = `
      import { registerHooks } from "node:module";
      registerHooks({ resolve(specifier, context, next) {
        if (specifier === "@napi-rs/keyring") throw Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
        return next(specifier, context);
      } });`;
    const answer = answerOf(await runProgram(registering(settings, absent)));
    expect(answer).toMatchObject({ code: "unsupported", outcome: "not_applied", hint: "npm install @napi-rs/keyring" });
    expect(answer.message).toContain("@napi-rs/keyring, which is not installed");
    expect(snapshotOf(dirname(dirname(settings.path)))).toEqual({});
  });

  test.skipIf(process.platform !== "linux")("to change to it where there is none (Linux only): the store keeps its key file", async () => {
    const settings = temporarySettings();
    await using(settings, (manager) => manager.registerSecret({ name: "one", values: { key: CANARY } }));
    const before = [readFileSync(settings.path), readFileSync(settings.key_file)];
    const program = `
      import { rekey } from "@coffer/local";
      const error = await rekey(${JSON.stringify(settings)}, { protection: "keychain" }).catch((error) => error);
      console.log(JSON.stringify({ code: error.code, outcome: error.outcome }));`;
    expect(answerOf(await runProgram(program, { env: withoutSession() }))).toEqual({ code: "unauthenticated", outcome: "not_applied" });
    expect([readFileSync(settings.path), readFileSync(settings.key_file)]).toEqual(before);
    expect((await using(settings, (manager) => manager.getSecret("one"))).text["key"]).toBe(CANARY);
  });
});

function isInstalled(command: string): boolean {
  try {
    execFileSync("/bin/sh", ["-c", `command -v ${command}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const hasSecretService = process.platform === "linux" && isInstalled("dbus-run-session") && isInstalled("gnome-keyring-daemon");

describe.skipIf(!hasSecretService)("a real Secret Service (skipped without dbus-run-session and gnome-keyring-daemon)", () => {
  test("a store is made, opened, rekeyed within and out of the keychain, and of no use without it", { timeout: 60_000 }, async () => {
    const settings = temporarySettings();
    const home = temporaryFolder();
    const program = `
      import { execFileSync } from "node:child_process";
      import { createSecretsManager } from "@coffer/core";
      import { local, localStatus, rekey } from "@coffer/local";
      const { path, key_file } = ${JSON.stringify(settings)};
      const said = [];
      const step = async (work) => {
        try { said.push(await work()); } catch (error) { said.push(error.code); }
      };
      const using = async (settings, work) => {
        const manager = createSecretsManager(local, settings);
        try { return await work(manager); } finally { await manager.close(); }
      };
      const read = () => using({ path }, async (manager) => (await manager.getSecret("one")).text.key);
      await step(() => using({ path, protection: "keychain" }, async (manager) => (await manager.registerSecret({ name: "one", values: { key: "${CANARY}" } })).revision));
      await step(read);
      await step(async () => (await rekey({ path })).after);
      await step(read);
      await step(async () => { const { protection, keyFile, verified } = await localStatus({ path }, { verify: true }); return { protection, keyFile, verified }; });
      await step(async () => (await rekey({ path, key_file }, { protection: "key_file" })).after);
      await step(() => using({ path, key_file }, async (manager) => (await manager.getSecret("one")).text.key));
      await step(async () => (await rekey({ path, key_file }, { protection: "keychain" })).before);
      await step(read);
      console.log(JSON.stringify(said));`;
    const env = { ...withoutSession(), HOME: home, XDG_DATA_HOME: home, XDG_RUNTIME_DIR: home, PROGRAM: program, NODE: process.execPath };
    const ended = await runCommand(
      "dbus-run-session",
      [
        "--",
        "/bin/sh",
        "-c",
        'printf password | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1; "$NODE" --conditions=@coffer/source --input-type=module -e "$PROGRAM"',
      ],
      { env },
    );
    expect(ended.code).toBe(0);
    expect(JSON.parse(ended.stdout)).toEqual([
      "1",
      CANARY,
      "keychain",
      CANARY,
      { protection: "keychain", keyFile: null, verified: { damaged: [], complete: true } },
      "key_file",
      CANARY,
      "key_file",
      CANARY,
    ]);
    // The key file went with its last key, and what is left opens in no other session.
    expect(Object.keys(snapshotOf(dirname(settings.key_file)))).toEqual([".key.lock"]);
    const reading = `
      import { localStatus } from "@coffer/local";
      const error = await localStatus(${JSON.stringify({ path: settings.path })}, { verify: true }).catch((error) => error);
      console.log(JSON.stringify({ code: error.code }));`;
    expect(answerOf(await runProgram(reading, { env: withoutSession() }))).toEqual({ code: "unauthenticated" });
  });
});
