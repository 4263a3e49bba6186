import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "./measure.ts";

/** The two neighbours on npm that read one encrypted value from the command line; `undefined` when they cannot be installed. */
export function installPeers(work: string): { readonly varlock: Command; readonly dotenvx: Command } | undefined {
  const folder = join(work, "peers");
  const home = join(folder, "home");
  mkdirSync(home, { recursive: true });
  const env = { HOME: home, VARLOCK_TELEMETRY_DISABLED: "true", XDG_CONFIG_HOME: join(home, ".config") };
  const options = {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "ignore"] as ["ignore", "pipe", "ignore"],
    timeout: 180_000,
  };
  try {
    writeFileSync(join(folder, "package.json"), '{ "private": true }');
    // The npm that runs this script, on its own Node: beside that it finds the configuration of the machine.
    const { npm_node_execpath: node, npm_execpath: npm } = process.env;
    const [program, first] = node !== undefined && npm !== undefined ? [node, [npm]] : ["npm", []];
    execFileSync(
      program,
      [
        ...first,
        "install",
        "--silent",
        "--fetch-retries=1",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "varlock@1.20.0",
        "@dotenvx/dotenvx@2.38.2",
      ],
      options,
    );
    const script = (name: string, file: string): string => join(folder, "node_modules", name, file);
    const dotenvx = script("@dotenvx/dotenvx", "src/cli/dotenvx.js");
    mkdirSync(join(folder, "dotenvx"));
    mkdirSync(join(folder, "varlock"));
    execFileSync(process.execPath, [dotenvx, "set", "VALUE", "abcdefgh"], { ...options, cwd: join(folder, "dotenvx") });
    writeFileSync(join(folder, "varlock", ".env.schema"), "# @defaultSensitive=true\n# ---\nVALUE=\n");
    const varlock = script("varlock", "bin/cli.js");
    const encrypted = execFileSync(process.execPath, [varlock, "encrypt"], {
      ...options,
      cwd: join(folder, "varlock"),
      input: "abcdefgh",
      stdio: ["pipe", "pipe", "ignore"],
    })
      .toString()
      .trim();
    const call = /varlock\([^)]*\)/.exec(encrypted)?.[0];
    // Should its way of encrypting change, a plain value is what it reads fastest: the comparison then favours the peer.
    writeFileSync(join(folder, "varlock", ".env"), `VALUE=${call ?? "abcdefgh"}\n`);
    const peers = {
      varlock: { args: [varlock, "printenv", "VALUE"], env, cwd: join(folder, "varlock") },
      dotenvx: { args: [dotenvx, "get", "VALUE"], env, cwd: join(folder, "dotenvx") },
    };
    for (const peer of Object.values(peers)) execFileSync(process.execPath, peer.args, { ...options, cwd: peer.cwd });
    return peers;
  } catch {
    return undefined;
  }
}
