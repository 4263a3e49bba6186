import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createRegistry, defineFlavor, type OrchestratorFlavor, type Registry, SecretsError } from "@coffer/core";
import { local } from "@coffer/local";
import { createMemoryService, memory, type MemoryService } from "@coffer/testkit";
import { onTestFinished, vi } from "vitest";
import { z } from "zod";
import type { Where } from "../src/index.ts";

/** An account of its own, and a project in it. */
export interface Account {
  readonly home: string;
  readonly project: string;
  readonly config: string;
  readonly state: string;
  readonly where: Where & { readonly cwd: string; readonly env: Record<string, string> };
  readonly registry: Registry;
  /** What the shared memory flavor keeps its secrets in, by region. */
  readonly services: Map<string, MemoryService>;
  /** How often a flavor of the laboratory was opened. */
  readonly opened: string[];
  write(path: string, content: unknown): void;
  json(path: string): Record<string, unknown>;
}

/** A folder of its own, gone after the test. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "coffer-stack-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An account that has nothing yet, and a registry with flavors for every case. */
export function account(): Account {
  const home = temporaryFolder();
  const project = join(home, "work/shop");
  mkdirSync(project, { recursive: true });
  const services = new Map<string, MemoryService>();
  const opened: string[] = [];
  const registry = createRegistry();
  const service = (region: string): MemoryService => {
    const found = services.get(region) ?? createMemoryService();
    services.set(region, found);
    return found;
  };
  const cloud = defineFlavor({
    name: "cloud",
    aliases: ["cloud_old"],
    settings: z.strictObject({
      region: z.string(),
      retries: z.number().optional(),
      fast: z.boolean().optional(),
      token: z.string().optional(),
    }),
    open: async ({ region }) => {
      opened.push(`cloud ${region}`);
      return service(region).open();
    },
  });
  const runner = (name: string, locality: "local" | "remote"): OrchestratorFlavor => ({
    type: "orchestrator",
    name,
    settings: z.strictObject({
      url: z.string().optional(),
      workers: z.number().optional(),
      password: z.string().optional(),
      nested: z.unknown().optional(),
    }),
    locality: () => locality,
    open: async (settings) => {
      opened.push(name);
      return settings;
    },
  });
  registry.add({
    specVersion: 1,
    name: "laboratory",
    flavors: [local, cloud, memory, runner("here", "local"), runner("cluster", "remote")],
    schemas: [],
  });
  // A flavor reads the environment of the process, whatever the library is given: the tests must not work with the store of whoever runs them.
  for (const name of Object.keys(process.env)) if (/^(?:XDG_|COFFER_)/.test(name)) vi.stubEnv(name, undefined);
  vi.stubEnv("HOME", home);
  onTestFinished(() => void vi.unstubAllEnvs());
  const env = { HOME: home };
  return {
    home,
    project,
    config: join(home, ".config/coffer/config.json"),
    state: join(home, ".local/state/coffer/state.json"),
    where: { cwd: project, env, registry },
    registry,
    services,
    opened,
    write: (path, content) => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    },
    json: (path) => JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>,
  };
}

/** A named pipe, which whoever opens it for reading waits at. */
export function makeFifo(path: string): void {
  execFileSync("sh", ["-c", 'mkfifo "$0"', path]);
}

/** The error of a call that must fail. */
export async function failure(call: () => unknown): Promise<SecretsError> {
  try {
    await call();
  } catch (error) {
    if (!SecretsError.isInstance(error)) throw error;
    return error;
  }
  throw new Error("The call did not fail.");
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of this package's sources in a process of its own, to its end. */
export async function runProgram(program: string, env: Record<string, string>, cwd: string): Promise<Ended> {
  const child = spawn(process.execPath, ["--conditions=@coffer/source", "--input-type=module", "-e", program], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", ...env },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => (stdout += String(chunk)));
  child.stderr.on("data", (chunk) => (stderr += String(chunk)));
  return new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr })));
}

/** The URL of a source file, for a program in another process. */
export function sourceUrl(name: string): string {
  return new URL(`../src/${name}`, import.meta.url).href;
}
