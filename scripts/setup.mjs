// Prepares a bare clone: runs on any Node from 18 with npm, installs the workspace once with the pinned pnpm.
// It speaks on stderr only, so that `npm run -s coffer -- … --output json` prints JSON and nothing else, also on the very first run.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const startedByPnpm = process.env.npm_config_user_agent?.startsWith("pnpm/") === true;
if (!startedByPnpm && !isInstalled()) install();

function isInstalled() {
  const stamp = `${root}node_modules/.modules.yaml`;
  // A lockfile that is newer than the installation means that a pull or a checkout has changed it since.
  return existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(`${root}pnpm-lock.yaml`).mtimeMs;
}

function install() {
  const { packageManager } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  process.stderr.write("Setting up the workspace (once, under a minute) …\n");
  // The release-age policy of pnpm asks the registry about every locked package; the lockfile has answered that already.
  const result = spawnSync("npx", ["-y", packageManager, "install", "--frozen-lockfile", "--config.minimumReleaseAge=0"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (result.status !== 0) {
    process.stderr.write("The set-up failed. It needs the npm registry; run the same command again once that is reachable.\n");
    process.exit(result.status ?? 1);
  }
}
