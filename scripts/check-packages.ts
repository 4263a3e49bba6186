// Packs every package that is published, looks into each tarball, and installs and runs the command line from a registry on loopback,
// as a person would: globally with npm, and into an empty project with pnpm. Usage: node scripts/check-packages.ts [node to run it with]
import { execFile } from "node:child_process";
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startLoopbackRegistry } from "../packages/emulators/src/npm-registry.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "coffer-packages-"));
const tarballs = join(work, "tarballs");
mkdirSync(tarballs);
mkdirSync(join(work, "home"));

const nodes = [process.execPath, ...process.argv.slice(2)];
const environment = {
  PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
  HOME: join(work, "home"),
  npm_config_update_notifier: "false",
  npm_config_fund: "false",
  npm_config_audit: "false",
};

/** Runs a command and answers what it printed. Without blocking: the registry that it may ask lives in this process. */
async function run(command: string, args: readonly string[], cwd = work, more: Record<string, string> = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(command, [...args], { cwd, env: { ...environment, ...more }, maxBuffer: 2 ** 26 });
  return stdout;
}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(`Does not hold: ${what}`);
  process.stdout.write(`  ${what}\n`);
}

try {
  const upstream = (await promisify(execFile)("npm", ["config", "get", "registry"])).stdout.trim();
  for (const file of globSync("{packages,integrations,apps}/*/package.json", { cwd: root })) {
    const manifest = JSON.parse(readFileSync(join(root, file), "utf8")) as {
      readonly name: string;
      readonly private?: boolean;
      readonly scripts?: Record<string, string>;
    };
    if (manifest.private === true) continue;
    const listed = await run(
      join(root, "node_modules/.bin/pnpm"),
      ["pack", "--json", "--pack-destination", tarballs],
      dirname(join(root, file)),
    );
    const packed = JSON.parse(listed) as { readonly files: readonly { readonly path: string }[] };
    const strangers = packed.files
      .map(({ path }) => path)
      .filter(
        (path) =>
          !/^(package\.json|README\.md|LICENSE|CHANGELOG\.md|(dist|src)\/.+|schema\/[a-z.]+\.schema\.json)$/.test(path) ||
          /\.test(-d)?\.ts$|\.env/.test(path),
      );
    demand(
      strangers.length === 0,
      `T108: ${manifest.name} packs nothing but its sources, its build, README and licence${strangers.length > 0 ? `; found ${strangers.join(", ")}` : ""}`,
    );
    demand(
      !Object.keys(manifest.scripts ?? {}).some((name) => /^(pre|post)?install$|^prepare$/.test(name)),
      `${manifest.name} has no install script`,
    );
    for (const needed of ["README.md", "LICENSE"])
      demand(existsSync(join(dirname(join(root, file)), needed)), `${manifest.name} has a ${needed}`);
  }
  const registry = await startLoopbackRegistry(tarballs, upstream);
  try {
    const prefix = join(work, "prefix");
    await run("npm", ["install", "--global", "--prefix", prefix, "--registry", registry.url, "--ignore-scripts", "coffer"]);
    const project = join(work, "project");
    mkdirSync(project);
    writeFileSync(join(project, "package.json"), '{ "private": true, "type": "module" }');
    await run(
      join(root, "node_modules/.bin/pnpm"),
      [
        "add",
        "--registry",
        registry.url,
        "--ignore-scripts",
        "--config.minimumReleaseAge=0",
        "coffer",
        "@coffer/core",
        "@coffer/local",
        "@coffer/testkit",
        "zod",
      ],
      project,
    );
    for (const [how, bin] of [
      ["npm install --global", join(prefix, "bin/coffer")],
      ["pnpm add", join(project, "node_modules/.bin/coffer")],
    ] as const) {
      for (const node of nodes) {
        const home = mkdtempSync(join(work, "user-"));
        const path = { PATH: [dirname(node), process.env["PATH"]].join(delimiter), HOME: home };
        const version = (await run(node, ["--version"])).trim();
        await run(bin, ["secret", "register", "db", "--schema=mysql", "--user=etl", "--ssl_verify_server_cert=true"], project, path);
        const secret = JSON.parse(await run(bin, ["secret", "get", "db", "--output", "json"], project, path)) as {
          readonly content: Record<string, unknown>;
        };
        demand(
          secret.content["ssl_verify_server_cert"] === true && secret.content["user"] === "etl",
          `${how}: coffer registers and reads on Node ${version}`,
        );
        const flavors = JSON.parse(await run(bin, ["secrets-manager", "flavor", "list", "--output", "json"], project, path)) as readonly {
          readonly flavor: string;
        }[];
        demand(
          flavors.some(({ flavor }) => flavor === "local"),
          `${how}: coffer lists its flavors on Node ${version}`,
        );
      }
    }
    writeFileSync(
      join(project, "program.mjs"),
      `import { createSecretsManager } from "@coffer/core"; import { mysql } from "@coffer/core/schemas"; import { local } from "@coffer/local";
       const manager = createSecretsManager(local, { path: process.argv[2] + "/data/s.db", key_file: process.argv[2] + "/state/s.key" });
       await manager.registerSecret({ name: "warehouse", schema: mysql, values: { user: "etl" } });
       const secret = await manager.getSecret("warehouse", mysql);
       await manager.close();
       console.log(JSON.stringify([secret.content.user, secret.content.ssl_verify_server_cert]));`,
    );
    for (const node of nodes)
      demand(
        (await run(node, ["program.mjs", mkdtempSync(join(work, "user-"))], project)).trim() === '["etl",false]',
        `a program uses the packages on Node ${(await run(node, ["--version"])).trim()}`,
      );
  } finally {
    await registry.close();
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
