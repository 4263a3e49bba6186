import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type { ReadStream } from "node:tty";
import { EXIT_OF_SIGNAL } from "./exit-codes.ts";
import { OutputError, Stopped } from "./stop.ts";

const DESCRIPTOR = { stdin: 0, stdout: 1, stderr: 2 } as const;
// A signal gives the command this long to stop by itself: an abort takes milliseconds, what takes longer is stuck.
const GRACE_MS = 900;

/** Why a file could not be read: the system's code (`ENOENT`), or a word of ours. */
export type FileProblem = { readonly problem: string };

/** The terminal, in raw mode: nothing that is typed is shown. `close` puts it back as it was. */
export interface Terminal {
  write(text: string): void;
  /** Bytes as they are typed or pasted; `undefined` when the terminal is gone. */
  onInput(listener: (bytes: Uint8Array | undefined) => void): void;
  close(): void;
}

/** Everything outside: this file is the only one that touches the process, the file system and the terminal. */
export class Context {
  readonly argv: readonly string[] = process.argv.slice(2);
  readonly env: Readonly<Record<string, string | undefined>> = process.env;
  readonly platform: string = process.platform;
  readonly nodeVersion: string = process.versions.node;
  readonly #said = new Set<string>();
  /** The script as it was called, links not followed: it tells whether the CLI runs from a project's `node_modules`. */
  readonly script: string = process.argv[1] ?? "";
  /** More folders whose integrations count, given by the development entry. */
  readonly integrationFolders: readonly string[];
  #abort: AbortController | undefined;
  #stoppedBy: keyof typeof EXIT_OF_SIGNAL | undefined;
  readonly #listeners = new Map<NodeJS.Signals, () => void>();

  constructor(integrationFolders: readonly string[] = []) {
    this.integrationFolders = integrationFolders;
  }

  /** The user's home directory. */
  get home(): string {
    return this.env["HOME"] || process.getBuiltinModule("node:os").homedir();
  }

  /** The working directory; `undefined` when it was removed. */
  get cwd(): string | undefined {
    try {
      return process.cwd();
    } catch {
      return undefined;
    }
  }

  /** A path as people write it: `~` for the home directory. */
  shortPath(path: string): string {
    const { home } = this;
    return home !== "" && path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
  }

  /** Aborts when a signal asks the command to end. The first look at it starts the listening. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      for (const signal of Object.keys(EXIT_OF_SIGNAL) as (keyof typeof EXIT_OF_SIGNAL)[]) {
        const listener = (): void => this.#stop(signal);
        this.#listeners.set(signal, listener);
        process.on(signal, listener);
      }
    }
    return this.#abort.signal;
  }

  /** The signal that has asked the command to end. */
  get stoppedBy(): keyof typeof EXIT_OF_SIGNAL | undefined {
    return this.#stoppedBy;
  }

  #stop(signal: keyof typeof EXIT_OF_SIGNAL): void {
    if (this.#stoppedBy !== undefined) process.exit(EXIT_OF_SIGNAL[signal]);
    this.#stoppedBy = signal;
    this.#abort?.abort(new Stopped(signal));
    setTimeout(() => process.exit(EXIT_OF_SIGNAL[signal]), GRACE_MS).unref();
  }

  isTerminal(stream: keyof typeof DESCRIPTOR): boolean {
    try {
      // Loading node:tty takes a tenth of the time of a whole command, and neither a file, a pipe nor /dev/null is a terminal.
      const stats = fstatSync(DESCRIPTOR[stream]);
      // Asked for in any case: Node 22 leaves the last answer where its realpath looks at it, and after that of a pipe it takes the next link of a package for
      // the package itself, whose own dependencies are then not found.
      const nowhere = statSync("/dev/null");
      if (!stats.isCharacterDevice() || stats.rdev === nowhere.rdev) return false;
      return process.getBuiltinModule("node:tty").isatty(DESCRIPTOR[stream]);
    } catch {
      return false;
    }
  }

  /** Whether there is somebody to ask: stdin and stderr are both a terminal. */
  get canAsk(): boolean {
    return this.isTerminal("stdin") && this.isTerminal("stderr");
  }

  /**
   * Writes the result to stdout, all of it or an error: a full disk is a failure, and a reader that went away ends the command quietly.
   * @throws OutputError, Stopped
   */
  async writeOut(data: string | Uint8Array): Promise<void> {
    // The work is done when its result is written. From here on a signal ends the process at once, also out of a write that blocks on a slow reader.
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
    this.#listeners.clear();
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    for (let offset = 0; offset < bytes.length;) {
      try {
        offset += writeSync(DESCRIPTOR.stdout, bytes, offset, bytes.length - offset);
      } catch (error) {
        const code = codeOf(error);
        if (code === "EPIPE") throw new Stopped("SIGPIPE");
        if (code !== "EAGAIN") throw new OutputError(code);
        // Somebody else has made the pipe non-blocking.
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }

  /** Says something on stderr, for people. That nobody listens is no reason to fail. */
  say(text: string): void {
    const bytes = Buffer.from(text.endsWith("\n") ? text : `${text}\n`);
    for (let offset = 0; offset < bytes.length;) {
      try {
        offset += writeSync(DESCRIPTOR.stderr, bytes, offset);
      } catch {
        return;
      }
    }
  }

  /** Says something that several parts of a command may notice. */
  sayOnce(text: string): void {
    if (this.#said.has(text)) return;
    this.#said.add(text);
    this.say(text);
  }

  /**
   * Everything on stdin, or a problem: `too large` beyond `limit` bytes.
   * @throws Stopped when a signal comes first
   */
  async readStdin(limit: number): Promise<Uint8Array | FileProblem> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const { signal } = this;
    const stop = (): void => void process.stdin.destroy();
    signal.addEventListener("abort", stop);
    try {
      for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
        size += chunk.length;
        if (size > limit) return { problem: "too large" };
        chunks.push(chunk);
      }
    } catch (error) {
      if (!signal.aborted) return { problem: codeOf(error) };
    } finally {
      signal.removeEventListener("abort", stop);
      process.stdin.destroy();
    }
    signal.throwIfAborted();
    return Buffer.concat(chunks);
  }

  /** A regular file, or why not: it is never waited for (a FIFO) and never read beyond `limit` bytes (a device). */
  readFile(path: string, limit: number): Uint8Array | FileProblem {
    let descriptor: number;
    try {
      const expanded = path === "~" || path.startsWith("~/") ? this.home + path.slice(1) : path;
      descriptor = openSync(expanded, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    } catch (error) {
      return { problem: codeOf(error) };
    }
    try {
      if (!fstatSync(descriptor).isFile()) return { problem: "not a regular file" };
      const bytes = Buffer.alloc(limit + 1);
      let size = 0;
      for (let read = -1; read !== 0 && size <= limit; size += read) read = readSync(descriptor, bytes, size, bytes.length - size, null);
      return size > limit ? { problem: "too large" } : bytes.subarray(0, size);
    } catch (error) {
      return { problem: codeOf(error) };
    } finally {
      closeSync(descriptor);
    }
  }

  /** The terminal in raw mode, or `undefined` where stdin and stderr are not both one. */
  openTerminal(): Terminal | undefined {
    if (!this.canAsk) return undefined;
    // What `isTerminal` answers yes for, Node gives as a ReadStream.
    const input = process.stdin as ReadStream;
    const say = (text: string): void => {
      try {
        writeSync(DESCRIPTOR.stderr, text);
      } catch {
        // The terminal is gone; the input ends, too.
      }
    };
    let listener: (bytes: Uint8Array | undefined) => void = () => {};
    const onData = (bytes: Uint8Array): void => listener(bytes);
    const onEnd = (): void => listener(undefined);
    const close = (): void => {
      process.off("exit", close);
      input.off("data", onData).off("end", onEnd).off("error", onEnd);
      try {
        input.setRawMode(false);
      } catch {
        // The terminal is gone.
      }
      say("\x1B[?2004l");
      input.pause();
      input.unref();
    };
    input.setRawMode(true);
    // Bracketed paste: the terminal marks what is pasted, so that a line break in it is told apart from Enter.
    say("\x1B[?2004h");
    process.on("exit", close);
    input.on("data", onData).on("end", onEnd).on("error", onEnd);
    input.ref();
    input.resume();
    return { write: say, onInput: (next) => (listener = next), close };
  }

  /**
   * Runs another program and waits for its end. What it prints goes to stderr, because stdout is for results; it may ask at the terminal.
   * @returns its exit status, or a problem when it cannot be started
   */
  async runProgram(program: string, args: readonly string[], folder: string): Promise<number | FileProblem> {
    const { spawn } = await import("node:child_process");
    return new Promise((resolve) => {
      const child = spawn(program, [...args], { cwd: folder, stdio: ["inherit", DESCRIPTOR.stderr, DESCRIPTOR.stderr] });
      // A signal at the terminal reaches it, too, and it ends as it sees fit; then we report how.
      void this.signal;
      child.on("error", (error) => resolve({ problem: codeOf(error) }));
      child.on("close", (status) => resolve(status ?? 1));
    });
  }

  /** Makes a folder of the user's own, and in it a file unless one is there. */
  ensureFile(folder: string, name: string, content: string): void {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, name);
    if (!existsSync(path)) writeFileSync(path, content, { mode: 0o600, flag: "wx" });
  }

  /** Whether there is something at a path. */
  exists(path: string): boolean {
    return existsSync(path);
  }

  /** The folder of this CLI's own package. */
  get packageFolder(): string {
    // Beside `dist` and beside `src` alike.
    return dirname(import.meta.dirname);
  }

  /** The user's folder for the configuration of Coffer. */
  get configFolder(): string {
    return this.env["COFFER_CONFIG_DIR"] || join(this.env["XDG_CONFIG_HOME"] || join(this.home, ".config"), "coffer");
  }

  /** The `node_modules` folders that this CLI runs from, with the folder of the application's package.json where there is one. */
  ownNodeModules(): readonly { readonly folder: string; readonly application: string | undefined }[] {
    const folders = new Set<string>();
    // As it was called (pnpm links into a folder of its own) and as it really is (npm -g links from bin).
    for (const path of [this.script, this.packageFolder]) {
      const installed = /^(.*[\\/]node_modules)[\\/](?:coffer|\.bin)(?:[\\/]|$)/.exec(path)?.[1];
      if (installed !== undefined) folders.add(installed);
    }
    return [...folders].map((folder) => ({
      folder,
      application: existsSync(join(dirname(folder), "package.json")) ? dirname(folder) : undefined,
    }));
  }

  /** The package folders directly in a folder, and those of the scopes (`@acme`) in it. */
  packagesIn(folder: string): string[] {
    return foldersIn(folder).flatMap((path) => (basename(path).startsWith("@") ? foldersIn(path) : [path]));
  }

  /** What to do about an error that nobody caught. */
  onCrash(report: (error: unknown) => number): void {
    process.on("uncaughtException", (error) => process.exit(report(error)));
  }

  /**
   * Ends the process at once. Everything was written by then, synchronously, and the secrets manager is closed; taking the heap apart first, as a process does
   * that comes to its end by itself, would only take time.
   */
  end(status: number): void {
    process.exit(status);
  }
}

function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "string" ? error.code : "EIO";
}

function foldersIn(folder: string): string[] {
  try {
    // Links are followed: that is how pnpm and workspaces install packages.
    return readdirSync(folder)
      .filter((name) => !name.startsWith("."))
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}
