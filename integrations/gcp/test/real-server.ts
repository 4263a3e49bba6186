import { execFile, spawn } from "node:child_process";
import { access, mkdir } from "node:fs/promises";
import { connect, createServer, type AddressInfo } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

/** A Secret Manager server that somebody else has written, for a look at our emulator from outside. */
export interface RealServer {
  /** The port of its gRPC side; its REST side answers errors in another form than the service. */
  readonly port: number;
  stop(): Promise<void>;
}

const MODULE = "github.com/blackwell-systems/gcp-secret-manager-emulator/cmd/server@latest";
const INSTALL_MS = 240_000;
const START_MS = 15_000;

/**
 * Cases of the suite that this server cannot pass, with what it lacks (read in its source of 2026-01).
 * `latest` is the newest version that is enabled, there are no etags and no limits, and a page has 100 entries.
 */
export const GAPS: readonly (readonly [RegExp, string])[] = [
  [/^disabled: /, "its `latest` falls back to an older version that is enabled"],
  [/too_large|declared limit/, "it has no limit on payloads"],
  [/adopt/, "it has no etags, and annotations are not updated by its UpdateSecret"],
];

/** Gets the server by its name with Go's own package manager, and starts it on a free port of loopback. */
export async function startRealServer(): Promise<RealServer | { readonly notRun: string }> {
  const folder = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "coffer-servers", "gcp");
  const program = join(folder, "server");
  try {
    await access(program).catch(() => install(folder));
  } catch (error) {
    return { notRun: `${MODULE} cannot be installed with \`go install\`: ${reasonOf(error)}` };
  }
  const port = await freePort();
  const child = spawn(program, ["--port", String(port)], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill();
    await ended;
  };
  for (const until = performance.now() + START_MS; performance.now() < until; await pause(100)) {
    if (child.exitCode !== null) return { notRun: `${program} ended with ${child.exitCode} as soon as it was started` };
    if (await answers(port)) return { port, stop };
  }
  await stop();
  return { notRun: `${program} did not listen within ${START_MS / 1000} s` };
}

async function install(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await promisify(execFile)("go", ["install", MODULE], { env: { ...process.env, GOBIN: folder }, timeout: INSTALL_MS });
}

function reasonOf(error: unknown): string {
  const { code, stderr } = error as { readonly code?: unknown; readonly stderr?: unknown };
  if (code === "ENOENT") return "there is no go";
  return typeof stderr === "string" && stderr !== "" ? (stderr.trim().split("\n").at(-1)?.trim() ?? "") : String(code);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}
