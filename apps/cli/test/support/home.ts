import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { cofferBin } from "./bundle.ts";

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly node?: readonly string[];
  /** What happens while it runs. */
  readonly meanwhile?: (child: ChildProcess) => Promise<void>;
}

export interface Finished {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout, byte for byte. */
  readonly bytes: Buffer;
}

/** An empty home directory with its own XDG folders, removed when the test is over. */
export class Home {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;

  /** `whenOver` says until when it is needed: the end of the test, or `afterAll` for one that a whole group shares. */
  constructor(whenOver: (remove: () => void) => void = onTestFinished) {
    this.path = mkdtempSync(join(tmpdir(), "coffer-cli-"));
    const folder = (name: string): string => {
      const path = join(this.path, name);
      mkdirSync(path, { recursive: true, mode: 0o700 });
      return path;
    };
    this.env = {
      PATH: process.env["PATH"] ?? "",
      HOME: this.path,
      XDG_CONFIG_HOME: folder(".config"),
      XDG_DATA_HOME: folder(".local/share"),
      XDG_STATE_HOME: folder(".local/state"),
      XDG_CACHE_HOME: folder(".cache"),
      TMPDIR: folder("tmp"),
    };
    whenOver(() => rmSync(this.path, { recursive: true, force: true }));
  }

  /** The file of the store. */
  get store(): string {
    return join(this.env["XDG_DATA_HOME"] ?? this.path, "coffer/local/secrets.db");
  }

  /** The paths of everything below the home but the cache, sorted. */
  files(): string[] {
    return readdirSync(this.path, { recursive: true, encoding: "utf8" })
      .filter((path) => !path.startsWith(".cache/"))
      .toSorted();
  }

  /** Runs `coffer` with these arguments to its end. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    return runProcess([process.execPath, ...(options.node ?? []), await cofferBin(), ...args], {
      ...options,
      env: { ...this.env, ...options.env },
      cwd: options.cwd ?? this.path,
    });
  }

  /** The same for a command that has to succeed. */
  async succeed(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const finished = await this.run(args, options);
    if (finished.status !== 0) throw new Error(`coffer ${args.join(" ")} ended with ${finished.status}: ${finished.stderr}`);
    return finished;
  }

  /** The content of a secret, as JSON shows it. */
  async content(name: string): Promise<unknown> {
    const { stdout } = await this.succeed(["secret", "get", name, "--output=json"]);
    return (JSON.parse(stdout) as { readonly content: unknown }).content;
  }

  /** Runs a shell script in which `coffer` is the command. */
  async shell(script: string, options: RunOptions = {}): Promise<Finished> {
    const bin = await cofferBin();
    return runProcess(["/bin/bash", "-c", `coffer() { "${process.execPath}" "${bin}" "$@"; }\n${script}`], {
      ...options,
      env: { ...this.env, ...options.env },
      cwd: options.cwd ?? this.path,
    });
  }
}

/** Does the work for every item, two at a time: what a small machine carries. */
export async function inPairs<Item>(items: Iterable<Item>, work: (item: Item, index: number) => Promise<void>): Promise<void> {
  const queue = [...items].entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) await work(item, index);
  };
  await Promise.all([worker(), worker()]);
}

/** Runs a program with exactly this environment. */
export async function runProcess(command: readonly string[], options: RunOptions): Promise<Finished> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { env: options.env, cwd: options.cwd, stdio: ["pipe", "pipe", "pipe"] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  // A program that does not read its input closes it; that is its right.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  const ended = new Promise<{ status: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, killedBy) => resolve({ status: code, signal: killedBy }));
  });
  const [{ status, signal }] = await Promise.all([ended, options.meanwhile?.(child)]);
  const bytes = Buffer.concat(out);
  return { status, signal, bytes, stdout: bytes.toString("utf8"), stderr: Buffer.concat(err).toString("utf8") };
}
