// Prints a table measure | anchor | ratio | goal. `--check` exits with 1 when a goal is missed; `--quick` takes fewer pairs and leaves out the peers.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createSecretsManager } from "@coffer/core";
import { local } from "@coffer/local";
import { inProcess } from "./in-process.ts";
import { type Command, peakMemory, ratioOfProcesses } from "./measure.ts";
import { installPeers } from "./peers.ts";
import { services } from "./services.ts";
import { SERVICES } from "./service-table.ts";

export interface Row {
  readonly measure: string;
  readonly anchor: string;
  readonly ratio: number;
  /** `undefined` for what only explains another row. */
  readonly goal: number | undefined;
}

const root = fileURLToPath(new URL("..", import.meta.url));
const check = process.argv.includes("--check");
const quick = process.argv.includes("--quick");
const PAIRS = quick ? 7 : 24;
const work = mkdtempSync(join(tmpdir(), "coffer-bench-"));
const rows: Row[] = [];

function row(measure: string, anchor: string, goal: number | undefined, ratio: number): void {
  rows.push({ measure, anchor, ratio, goal });
  const verdict = goal === undefined || ratio <= goal ? "" : "  MISSED";
  process.stdout.write(
    `${measure.padEnd(46)} | ${anchor.padEnd(34)} | ${ratio.toFixed(2).padStart(6)} | ${(goal?.toFixed(2) ?? "").padStart(5)}${verdict}\n`,
  );
}

/** A user's environment with a local store of so many secrets, one of them typed. */
async function storeWith(count: number): Promise<Record<string, string>> {
  const home = join(work, `home-${count}`);
  mkdirSync(home, { recursive: true });
  const env = {
    HOME: home,
    XDG_DATA_HOME: join(home, "data"),
    XDG_STATE_HOME: join(home, "state"),
    XDG_CONFIG_HOME: join(home, "config"),
    COFFER_NO_WARN: "1",
  };
  // The store is filled by a process of its own, so that nothing of it stays in this one.
  execFileSync(process.execPath, ["--conditions=@coffer/source", fileURLToPath(new URL("fill.ts", import.meta.url)), String(count)], {
    env: { ...process.env, ...env },
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
  return env;
}

/** The same store, reached through a stack that the user has defined and made active. */
function withStack(env: Record<string, string>): Record<string, string> {
  const configured = { ...env, XDG_CONFIG_HOME: join(work, "stack/config"), XDG_STATE_HOME: join(work, "stack/state") };
  const run = (...args: string[]): void =>
    void execFileSync(process.execPath, [join(work, "cli/bin.cjs"), ...args], { env: { ...process.env, ...configured }, stdio: "ignore" });
  // The key file lies where the store of the other environment has put it.
  const store = join(env["XDG_DATA_HOME"] ?? "", "coffer/local/secrets.db");
  const [key = ""] = readdirSync(join(env["XDG_STATE_HOME"] ?? "", "coffer/local"));
  const keyFile = join(env["XDG_STATE_HOME"] ?? "", "coffer/local", key);
  run("secrets-manager", "register", "team", "--flavor=local", `--path=${store}`, `--key_file=${keyFile}`);
  run("stack", "register", "work", "--secrets-manager=team");
  run("stack", "set", "work");
  return configured;
}

/**
 * A few lines that open the same file, read the same row and decrypt as much, without a check of anything: what is left of a command's time when all
 * that it does for its user is taken away.
 */
function leastCommand({ XDG_DATA_HOME: data = "" }: Record<string, string>): Command {
  const script = join(work, "least.cjs");
  writeFileSync(
    script,
    `const { createDecipheriv, createSecretKey } = require("node:crypto");
const { DatabaseSync } = require("node:sqlite");
const { writeSync } = require("node:fs");
const { sealed } = new DatabaseSync(process.argv[2], { readOnly: true }).prepare("SELECT sealed FROM secrets WHERE name = ?").get("coffer/global/secret-000042");
const key = createSecretKey(Buffer.alloc(32));
const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12), { authTagLength: 16 });
decipher.setAuthTag(sealed.subarray(-16));
writeSync(1, decipher.update(sealed.subarray(12, -16)));
`,
  );
  return { args: [script, join(data, "coffer/local/secrets.db")] };
}

try {
  execFileSync(process.execPath, ["--conditions=@coffer/source", join(root, "apps/cli/scripts/bundle.ts"), join(work, "cli")], {
    cwd: join(root, "apps/cli"),
    stdio: ["ignore", "ignore", "inherit"],
  });
  const packages = ["@coffer/core", ...SERVICES.map(({ package: name }) => name)];
  execFileSync(
    join(root, "node_modules/.bin/turbo"),
    ["run", "build", ...packages.map((name) => `--filter=${name}`), "--output-logs=errors-only"],
    {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, PATH: `${join(root, "node_modules/.bin")}:${process.env["PATH"] ?? ""}` },
    },
  );
  const bin = join(work, "cli/bin.cjs");
  const bare: Command = { args: ["-e", "0"] };
  const small = await storeWith(100);
  const large = await storeWith(100_000);
  const coffer = (env: Record<string, string>, ...args: string[]): Command => ({ args: [bin, ...args], env });
  const register = (env: Record<string, string>, pair: string): Command => ({
    ...coffer(env, "secret", "register"),
    vary: (run) => [`new-${pair}-${run}`, "--value=abcdefgh"],
  });
  process.stdout.write(`${"measure".padEnd(46)} | ${"anchor".padEnd(34)} |  ratio | goal\n`);

  row("secret get, 100 secrets", "node -e 0", 1.35, ratioOfProcesses(coffer(small, "secret", "get", "secret-000042"), bare, PAIRS));
  const least = leastCommand(small);
  row("the least that reads an encrypted row", "node -e 0", undefined, ratioOfProcesses(least, bare, PAIRS));
  row("secret get, 100 secrets", "the least", undefined, ratioOfProcesses(coffer(small, "secret", "get", "secret-000042"), least, PAIRS));
  const stacked = withStack(small);
  row(
    "secret get with a configured stack",
    "node -e 0",
    1.45,
    ratioOfProcesses(coffer(stacked, "secret", "get", "secret-000042"), bare, PAIRS),
  );
  row("secret get of a typed secret", "node -e 0", 1.5, ratioOfProcesses(coffer(small, "secret", "get", "typed"), bare, PAIRS));
  row("--version", "node -e 0", 1.2, ratioOfProcesses(coffer(small, "--version"), bare, PAIRS));
  row("secrets-manager flavor list", "node -e 0", 1.2, ratioOfProcesses(coffer(small, "secrets-manager", "flavor", "list"), bare, PAIRS));
  row("secret register, durable", "node -e 0", 1.45, ratioOfProcesses(register(small, "a"), bare, PAIRS));
  row("secret list, 100 secrets", "node -e 0", 1.5, ratioOfProcesses(coffer(small, "secret", "list"), bare, PAIRS));
  row("secret list, 100,000 secrets", "node -e 0", 5, ratioOfProcesses(coffer(large, "secret", "list"), bare, PAIRS));
  row(
    "secret get, 100,000 secrets",
    "secret get, 100 secrets",
    1.1,
    ratioOfProcesses(coffer(large, "secret", "get", "secret-000042"), coffer(small, "secret", "get", "secret-000042"), PAIRS),
  );
  row(
    "secret register, 100,000 secrets",
    "secret register, 100 secrets",
    1.1,
    ratioOfProcesses(register(large, "b"), register(small, "c"), PAIRS),
  );
  row(
    "peak memory of get, 100,000 secrets",
    "node -e 0",
    1.25,
    peakMemory(coffer(large, "secret", "get", "secret-000042")) / peakMemory(bare),
  );
  writeFileSync(join(work, "import-core.mjs"), `import ${JSON.stringify(join(root, "packages/core/dist/index.js"))};`);
  row('import "@coffer/core"', "node -e 0", 1.3, ratioOfProcesses({ args: [join(work, "import-core.mjs")] }, bare, PAIRS));

  await services({ root, work, bin, pairs: PAIRS }, row);

  if (!quick) {
    const peers = installPeers(work);
    if (peers === undefined) process.stdout.write("varlock and dotenvx could not be installed: not compared\n");
    else {
      const get = coffer(small, "secret", "get", "secret-000042", "--key=value");
      row("secret get", "varlock printenv, 1 encrypted", 0.3, ratioOfProcesses(get, peers.varlock, PAIRS));
      row("secret get", "dotenvx get, 1 encrypted", 0.15, ratioOfProcesses(get, peers.dotenvx, PAIRS));
    }
  }
  await using manager = createSecretsManager(
    local,
    { path: join(work, "in-process/data/secrets.db"), key_file: join(work, "in-process/state/secrets.key") },
    {},
  );
  for (const [measure, anchor, goal, ratio] of await inProcess(manager, join(work, "in-process"))) row(measure, anchor, goal, ratio);
} finally {
  rmSync(work, { recursive: true, force: true });
}
const goals = rows.flatMap(({ ratio, goal }) => (goal === undefined ? [] : [ratio <= goal]));
const missed = goals.filter((met) => !met);
process.stdout.write(`${goals.length - missed.length} of ${goals.length} goals met\n`);
if (check && missed.length > 0) process.exitCode = 1;
