import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { nodeArguments } from "./strace.ts";

const colleagues = new Set<Colleague>();

/** Ends whatever was started and has not ended by itself: for the end of a test, which may have failed. */
export async function dismissAll(): Promise<void> {
  for (const colleague of colleagues) {
    colleague.signal("SIGKILL");
    await colleague.gone();
  }
  colleagues.clear();
}

/** A child that works on a store while others do. */
export class Colleague {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #closed: Promise<unknown>;
  #stdout = "";
  #stderr = "";
  #ended = false;

  /** Starts it; it loads everything and waits for `go`. */
  constructor(folder: string, ...task: readonly string[]) {
    const [program = "", ...rest] = nodeArguments("colleague.ts", folder, ...task);
    const env = { PATH: process.env["PATH"], HOME: folder, NODE_COMPILE_CACHE: join(folder, "..", "compiled") };
    this.#child = spawn(program, rest, { env });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => (this.#stdout += text));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    this.#closed = once(this.#child, "close").finally(() => (this.#ended = true));
    colleagues.add(this);
  }

  /** Resolves when it has said the word on a line of its own. */
  async said(word: string): Promise<void> {
    while (!this.#stdout.includes(`${word}\n`)) {
      if (this.#ended) throw new Error(`It ended before it said "${word}": ${this.#stderr}`);
      await Promise.race([once(this.#child.stdout, "data"), this.#closed]);
    }
  }

  /** Lets it begin, and later, where its task says so, lets it end. */
  go(): void {
    this.#child.stdin.write("go\n");
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** What it reports in its last line. Whatever it has said on stderr is an error. */
  async report<Result>(): Promise<Result> {
    await this.#closed;
    if (this.#child.exitCode !== 0 || this.#stderr !== "") throw new Error(`It ended with ${this.#child.exitCode}: ${this.#stderr}`);
    return JSON.parse(this.#stdout.trimEnd().split("\n").at(-1) ?? "") as Result;
  }

  /** Resolves when the process is gone, however it went. */
  async gone(): Promise<void> {
    await this.#closed;
  }
}

/** Starts one for each task, lets them begin at the same moment and waits for what they report. */
export async function together<Result>(folder: string, tasks: readonly (readonly string[])[]): Promise<Result[]> {
  const started = tasks.map((task) => new Colleague(folder, ...task));
  await Promise.all(started.map((colleague) => colleague.said("ready")));
  for (const colleague of started) colleague.go();
  return Promise.all(started.map((colleague) => colleague.report<Result>()));
}
