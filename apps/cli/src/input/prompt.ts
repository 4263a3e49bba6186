import type { Context, Terminal } from "../context.ts";
import { Stopped, UsageError } from "../stop.ts";
import { LineReader } from "./line-reader.ts";

// After Enter this long is waited for more: a person needs longer for the next key, a pasted text without marks does not.
const PASTE_MS = 40;

/** Asks questions at the terminal. What is typed is not shown unless asked for; the terminal is put back on every way out. */
export class Prompter {
  readonly #terminal: Terminal;
  readonly #signal: AbortSignal;
  readonly #reader = new LineReader();
  #wake: () => void = () => {};
  #gone = false;

  private constructor(terminal: Terminal, signal: AbortSignal) {
    this.#terminal = terminal;
    this.#signal = signal;
    terminal.onInput((bytes) => {
      if (bytes === undefined) this.#gone = true;
      else this.#reader.push(bytes);
      this.#wake();
    });
    signal.addEventListener("abort", () => this.#wake());
  }

  /**
   * Runs `ask` with a prompter. `how` says how to do without one.
   * @throws UsageError when there is no terminal, Stopped when it was left
   */
  static async use<Answer>(context: Context, how: string, ask: (prompter: Prompter) => Promise<Answer>): Promise<Answer> {
    const { signal } = context;
    const terminal = context.openTerminal();
    if (terminal === undefined) throw new UsageError("This needs a terminal: stdin and stderr must both be one.", how);
    try {
      return await ask(new Prompter(terminal, signal));
    } finally {
      terminal.close();
    }
  }

  /** Says something between two questions. */
  say(text: string): void {
    this.#terminal.write(`${text.replaceAll("\n", "\r\n")}\r\n`);
  }

  /** One answer, without showing it. */
  hidden(question: string): Promise<string> {
    return this.#ask(question, false);
  }

  /** One answer, shown while it is typed. */
  shown(question: string): Promise<string> {
    return this.#ask(question, true);
  }

  /** Yes or no; Enter alone is no. */
  async confirm(question: string): Promise<boolean> {
    for (;;) {
      const answer = (await this.#ask(`${question} [y/N] `, true)).trim().toLowerCase();
      if (["y", "yes"].includes(answer)) return true;
      if (["", "n", "no"].includes(answer)) return false;
      this.say("Please answer y or n.");
    }
  }

  async #ask(question: string, echo: boolean): Promise<string> {
    this.#terminal.write(question);
    this.#reader.begin();
    let shown = "";
    for (;;) {
      if (this.#signal.aborted) throw this.#leave(this.#signal.reason instanceof Stopped ? this.#signal.reason : new Stopped("SIGTERM"));
      const state = this.#reader.state();
      if (echo) shown = this.#echo(shown, this.#reader.text());
      if (state === "interrupt") throw this.#leave(new Stopped("SIGINT"));
      if (state === "end") throw this.#leave(new Stopped("end of input"));
      if (state === "line") {
        await this.#input(PASTE_MS);
        if (this.#reader.hasMore()) throw this.#leave(severalLines());
        this.#terminal.write("\r\n");
        return this.#reader.take();
      }
      if (this.#gone) throw this.#leave(new Stopped("SIGHUP"));
      await this.#input();
    }
  }

  /** Waits for input, at most `ms` milliseconds where given. */
  async #input(ms?: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (ms !== undefined) setTimeout(resolve, ms);
    });
  }

  #echo(shown: string, text: string): string {
    if (text === shown) return shown;
    // Rewriting the whole answer keeps this simple; answers that are shown are names of keys and letters.
    this.#terminal.write("\b \b".repeat(shown.length) + text);
    return text;
  }

  #leave(error: Error): Error {
    this.#terminal.write("\r\n");
    return error;
  }
}

function severalLines(): UsageError {
  return new UsageError(
    "Several lines came at once and this terminal does not mark what is pasted, so nothing was stored.",
    "Give a value of several lines as a file: --key=@./FILE",
  );
}
