import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathsIn } from "./operations.ts";

/** Faults are injected by strace; without it nothing here can run. */
export const hasStrace = process.platform === "linux" && spawnSync("strace", ["-V"]).status === 0;
if (!hasStrace) console.warn("The crash tests that need strace are skipped: it is not installed.");
/** What the title of a suite says where it cannot run. */
export const needsStrace = hasStrace ? "" : " (skipped: strace is not installed)";

/** Every call that changes a file or a directory, or opens one; which of them occur depends on the machine and on Node. */
export const ALL_CALLS: readonly string[] =
  "openat pwrite64 write pwritev writev fsync fdatasync ftruncate unlink unlinkat rmdir rename renameat renameat2 fchmod chmod fchmodat mkdir mkdirat".split(
    " ",
  );

/** How a process that ran under strace ended, and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The calls that touched the files of the case, one line each. */
  readonly trace: readonly string[];
}

/** Node, with the sources of the packages and a cache of their compiled form: these processes start many hundred times. */
export function nodeArguments(file: string, ...rest: readonly string[]): string[] {
  return [process.execPath, "--conditions=@coffer/source", join(import.meta.dirname, file), ...rest];
}

/** Runs a program to its end. Its environment is the search path, a cache of compiled sources, and a passphrase for stores that have one. */
export function run(command: readonly string[], folder: string): Promise<Omit<Ended, "trace">> {
  const [program = "", ...rest] = command;
  return new Promise((resolve, reject) => {
    const env = {
      PATH: process.env["PATH"],
      HOME: folder,
      NODE_COMPILE_CACHE: join(folder, "..", "compiled"),
      COFFER_PASSPHRASE_FILE: join(folder, "..", "passphrase"),
    };
    const child = spawn(program, rest, { env, stdio: ["ignore", "pipe", "pipe"], timeout: 120_000, killSignal: "SIGKILL" });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** Runs a victim under strace, which sees only calls on these paths, by default those of the case; without any it sees everything. */
export async function traced(
  folder: string,
  calls: readonly string[],
  inject: string | undefined,
  victim: readonly string[],
  paths: readonly string[] = pathsIn(folder),
): Promise<Ended> {
  const trace = join(folder, "trace");
  const command = [
    "strace",
    "-f",
    "-qq",
    "-y",
    // Only the traced calls stop the victim. Signals are not injected in that mode.
    ...(inject?.includes("signal=") === true ? [] : ["--seccomp-bpf"]),
    "-o",
    trace,
    "-e",
    `trace=${calls.map((call) => `?${call}`).join(",")}`,
    ...(inject === undefined ? [] : ["-e", `inject=${inject}`]),
    ...paths.flatMap((path) => ["-P", path]),
    ...victim,
  ];
  const ended = await run(command, folder);
  return { ...ended, trace: readFileSync(trace, "utf8").trimEnd().split("\n") };
}

/** The system call of a line of a trace. */
export function callOf(line: string): string | undefined {
  return /^(?:\d+ +)?([a-z0-9_]+)\(/.exec(line)?.[1];
}

/** How often each call occurs in a trace. */
export function countCalls(trace: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of trace) {
    const call = callOf(line);
    if (call !== undefined) counts.set(call, (counts.get(call) ?? 0) + 1);
  }
  return counts;
}

/** At most `most` of the numbers from 1 to `count`, evenly spread; the first and the last are always among them. */
export function spread(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, index) => index + 1);
  return Array.from({ length: most }, (_, index) => 1 + Math.round((index * (count - 1)) / (most - 1)));
}
