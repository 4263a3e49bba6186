import { spawn, type SpawnOptions } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { inspect } from "node:util";
import { createSecretsManager, type SecretsManager, type SecretsManagerOptions, SecretsError } from "@coffer/core";
import { leakScan } from "@coffer/testkit";
import { expect, onTestFinished } from "vitest";
import { Connection } from "../src/connection.ts";
import { local, type LocalSettings } from "../src/index.ts";
import { storePaths } from "../src/paths.ts";
import { identityOf, putKey } from "../src/rows.ts";
import { newWrapper, unwrapDataKey } from "../src/wrapping.ts";

/** The folder of this package, from which a child process finds it by its own name. */
const PACKAGE = join(import.meta.dirname, "..");

/** A value that nobody may see; each has a name, so that a test can be run again with the same. */
export function canaryOf(name: string): string {
  return createHash("sha256").update(name).digest("hex").slice(0, 32);
}

/** A folder of its own, gone after the test. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "coffer-local-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface TestSettings extends LocalSettings {
  readonly path: string;
  readonly key_file: string;
}

/** The settings of a store that does not exist yet, in a folder of its own. */
export function temporarySettings(more: LocalSettings = {}): TestSettings {
  const folder = temporaryFolder();
  return { ...more, path: join(folder, "data", "secrets.db"), key_file: join(folder, "state", "key") };
}

/** A manager that is closed after the test. */
export function open(settings: LocalSettings, options: SecretsManagerOptions = {}): SecretsManager {
  const manager = createSecretsManager(local, settings, options);
  onTestFinished(() => manager.close());
  return manager;
}

/** Runs one piece of work with a manager that is closed afterwards: nothing of the store is open any more. */
export async function using<Result>(settings: LocalSettings, work: (manager: SecretsManager) => Promise<Result>): Promise<Result> {
  const manager = createSecretsManager(local, settings);
  try {
    return await work(manager);
  } finally {
    await manager.close();
  }
}

/** The error of a call that must fail. */
export async function failure(call: Promise<unknown> | (() => Promise<unknown>)): Promise<SecretsError> {
  try {
    await (typeof call === "function" ? call() : call);
  } catch (error) {
    if (!SecretsError.isInstance(error)) throw new Error(`Not a SecretsError: ${inspect(error)}`, { cause: error });
    return error;
  }
  throw new Error("The call did not fail.");
}

/** Everything that somebody may print of an error. */
export function shownOf(error: unknown): string {
  const { stack, message, cause } = error as Error;
  return [
    message,
    stack,
    String(error),
    JSON.stringify(error),
    JSON.stringify(cause),
    inspect(error, { depth: 12, showHidden: true }),
    inspect(error, { depth: 12, showHidden: true, customInspect: false }),
    inspect(cause, { depth: 12, showHidden: true }),
  ].join("\n");
}

/** Holds an error against values that it must not tell, in any form. */
export async function expectNoLeak(error: unknown, ...canaries: readonly string[]): Promise<void> {
  expect(await leakScan({ canary: canaries, texts: { error: shownOf(error) } })).toEqual([]);
}

/** Works on the file of a store as somebody does who has no key. */
export function tamper<Result>(path: string, work: (database: DatabaseSync) => Result): Result {
  const database = new DatabaseSync(path);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

/** Every file and folder below a folder, with its mode and the hash of what is in it. */
export function snapshotOf(folder: string): Record<string, string> {
  if (!existsSync(folder)) return {};
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name);
    const stats = lstatSync(path);
    const content = entry.isFile()
      ? createHash("sha256").update(readFileSync(path)).digest("hex")
      : stats.isSymbolicLink()
        ? "link"
        : "folder";
    return [path.slice(folder.length + 1), `${(stats.mode & 0o7777).toString(8)} ${content}`] as const;
  });
  return Object.fromEntries(entries.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of its own: a module that may import @coffer/core and @coffer/local. `prelude` is a line of shell before it. */
export function runProgram(code: string, options: SpawnOptions & { readonly prelude?: string } = {}): Promise<Ended> {
  const { prelude, ...spawnOptions } = options;
  const node = [process.execPath, "--conditions=@coffer/source", "--input-type=module", "-e", code];
  const [command = "", ...rest] = prelude === undefined ? node : ["/bin/sh", "-c", `${prelude}; exec "$@"`, "sh", ...node];
  return runCommand(command, rest, spawnOptions);
}

export function runCommand(command: string, parameters: readonly string[], options: SpawnOptions = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, { cwd: PACKAGE, ...options, stdio: ["ignore", "pipe", "pipe"] });
    const said = { stdout: "", stderr: "" };
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (said.stdout += chunk));
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (said.stderr += chunk));
    child.once("error", reject);
    child.once("close", (status) => resolve({ code: status, ...said }));
  });
}

/** A source of chance that tells the same story for the same seed. */
export function chanceOf(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

export const isRoot = process.getuid?.() === 0;

/**
 * Protects a store by a passphrase as cheaply as the format allows: what is tested is not how long a guess takes. The store was made before, with a
 * key file.
 */
export async function protectCheaply(settings: TestSettings, passphrase: string): Promise<void> {
  const paths = storePaths(settings);
  const connection = Connection.open(settings.path, "write");
  if (connection === undefined) throw new Error("There is no store.");
  try {
    const { storeId, key } = identityOf(connection);
    const dataKey = await unwrapDataKey(key, { storeId, paths, settings });
    const wrapper = await newWrapper("passphrase", { storeId, paths, settings: { ...settings, passphrase }, passphraseCost: 10 }, "rekey");
    connection.transaction(() => putKey(connection, wrapper(key.id + 1, dataKey).row));
  } finally {
    connection.close();
  }
  rmSync(settings.key_file);
}

/** A store with one secret "one", whose key "key" holds `value`. */
export async function storeWithOne(value: string, settings: TestSettings = temporarySettings()): Promise<TestSettings> {
  await using(settings, (manager) => manager.registerSecret({ name: "one", values: { key: value } }));
  return settings;
}

/** The same, protected by a passphrase; its settings name nothing but the file. */
export async function passphraseStoreWithOne(value: string, passphrase: string): Promise<{ readonly path: string }> {
  const settings = await storeWithOne(value);
  await protectCheaply(settings, passphrase);
  return { path: settings.path };
}

/** What the secret of such a store holds. */
export function readOne(settings: LocalSettings): Promise<string | undefined> {
  return using(settings, async (manager) => (await manager.getSecret("one")).text["key"]);
}
