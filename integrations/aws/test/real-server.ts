import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

/** moto, a server for tests by others that speaks for AWS: github.com/getmoto/moto, from PyPI. */
export interface RealServer {
  readonly url: string;
  stop(): Promise<void>;
}

const PACKAGE = "moto[server]==5.2.*";
const INSTALL_MS = 300_000;
const START_MS = 60_000;
const run = promisify(execFile);

/** Gets and starts the server; says why when it is not to be had. What was got is kept for the next time. */
export async function startRealServer(): Promise<RealServer | { readonly notRun: string }> {
  let program: string;
  try {
    program = await installed();
  } catch {
    return { notRun: `${PACKAGE} could not be installed with python3 and pip` };
  }
  const port = await freePort();
  const server = spawn(program, ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  const until = performance.now() + START_MS;
  while (performance.now() < until && server.exitCode === null) {
    if ((await fetch(`${url}/moto-api/data.json`).catch(() => undefined))?.ok === true) return { url, stop: () => stopped(server) };
    await pause(200);
  }
  await stopped(server);
  return { notRun: `${PACKAGE} did not answer within ${START_MS / 1000} s` };
}

/** The program, in an environment of its own below the user's cache. A mark is left when it is complete, so that a broken download is done again. */
async function installed(): Promise<string> {
  const folder = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "coffer-servers", "moto-5.2");
  const program = join(folder, "bin/moto_server");
  const complete = join(folder, "complete");
  if (existsSync(complete)) return program;
  await mkdir(folder, { recursive: true });
  const bounded = { timeout: INSTALL_MS };
  await run("python3", ["-m", "venv", "--clear", folder], bounded);
  await run(join(folder, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", PACKAGE], bounded);
  await writeFile(complete, "");
  return program;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

/** Ends the process that was started here, and no other. */
async function stopped(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise((resolve) => {
    server.once("exit", resolve);
  });
  server.kill("SIGTERM");
  await Promise.race([ended, pause(5000)]);
  server.kill("SIGKILL");
}
