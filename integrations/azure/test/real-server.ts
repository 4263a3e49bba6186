// Lowkey Vault, a server of the Key Vault interface in Java, from Maven by its coordinates.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { fileOf } from "./subject.ts";

// The last one for Java 17.
const VERSION = "3.4.33";
const ARTIFACT = `com.github.nagyesta.lowkey-vault:lowkey-vault-app:${VERSION}`;
const FETCH_MS = 240_000;
const START_MS = 90_000;

/** A server that runs, and how to reach it. */
export interface RealServer {
  readonly url: string;
  /** Its own certificate, in a PEM file. */
  readonly caFile: string;
  stop(): Promise<void>;
}

/** Cases that the server itself does not pass, with the reason: what it lacks, never what the driver lacks. */
export const GAPS: Readonly<Record<string, string>> = {};

/** Fetches the server, unless it is there, and starts it on a free port of loopback; or says why that was not to be. */
export async function startRealServer(): Promise<RealServer | { readonly notRun: string }> {
  const jar = await fetched();
  if (typeof jar !== "string") return jar;
  const port = await freePort();
  const identity = await freePort();
  const server = spawn("java", ["-jar", jar, `--server.port=${port}`, `--app.token.port=${identity}`], { stdio: "ignore" });
  const failed = new Promise<string>((resolve) => {
    server.once("error", (error) => resolve(error.message));
    server.once("exit", (code) => resolve(`it ended with ${code}`));
  });
  const ready = await Promise.race([listening(port), failed]);
  if (typeof ready === "string") {
    await ended(server);
    return { notRun: `Lowkey Vault ${VERSION} did not start: ${ready}` };
  }
  return { url: `https://localhost:${port}`, caFile: fileOf("lowkey.pem", ready.certificate), stop: () => ended(server) };
}

async function fetched(): Promise<string | { readonly notRun: string }> {
  const folder = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "coffer-servers", "lowkey-vault");
  const jar = join(folder, `lowkey-vault-app-${VERSION}.jar`);
  if (existsSync(jar)) return jar;
  mkdirSync(folder, { recursive: true });
  // Maven wants a project, and finds none in a folder of the cache.
  const log = join(folder, "maven.log");
  try {
    const { stdout } = await promisify(execFile)(
      "mvn",
      ["-B", "dependency:copy", `-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${folder}`],
      {
        cwd: folder,
        timeout: FETCH_MS,
      },
    );
    writeFileSync(log, stdout);
  } catch (error) {
    const { code, stdout = "" } = error as { readonly code?: unknown; readonly stdout?: string };
    writeFileSync(log, stdout);
    return { notRun: code === "ENOENT" ? "Maven (mvn) is not installed" : `Maven has no ${ARTIFACT} (see ${log})` };
  }
  return existsSync(jar) ? jar : { notRun: `Maven brought no jar of ${ARTIFACT} (see ${log})` };
}

/** Waits until the server speaks TLS, and answers with the certificate that it shows. */
async function listening(port: number): Promise<{ readonly certificate: string } | string> {
  const until = performance.now() + START_MS;
  while (performance.now() < until) {
    const certificate = await shown(port);
    if (certificate !== undefined) return { certificate };
    await pause(500);
  }
  return `nothing answered on port ${port} within ${START_MS / 1000} s`;
}

function shown(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    // Looked at to be trusted from then on: it is the server's own, made by nobody that Node knows, and this is loopback.
    const socket = connect({ host: "127.0.0.1", port, servername: "localhost", rejectUnauthorized: false }, () => {
      const { raw } = socket.getPeerCertificate();
      socket.destroy();
      resolve(`-----BEGIN CERTIFICATE-----\n${raw.toString("base64").replaceAll(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`);
    });
    socket.once("error", () => resolve(undefined));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.pid === undefined) return;
  const gone = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGTERM");
  await Promise.race([gone, pause(5_000)]);
  if (server.exitCode === null) server.kill("SIGKILL");
}
