import type { EXIT_OF_SIGNAL } from "./exit-codes.ts";

/** The command line is wrong. The message says what is, the hint shows the right form; neither repeats a value. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** Somebody ended the command: a signal, Ctrl-C or Ctrl-D in a prompt, or the reader of our output went away. */
export class Stopped extends Error {
  override readonly name = "Stopped";
  readonly by: keyof typeof EXIT_OF_SIGNAL | "end of input" | "SIGPIPE";

  constructor(by: Stopped["by"]) {
    super(by);
    this.by = by;
  }
}

/** The result could not be written out. */
export class OutputError extends Error {
  override readonly name = "OutputError";
  /** The system's word: `ENOSPC`. */
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}
