import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { cofferBin } from "./bundle.ts";
import { type Home, runProcess } from "./home.ts";

/** Whether there is a Python with its `pty` module here: what plays the person at the terminal. */
export const hasTerminal: boolean = spawnSync("python3", ["-c", "import pty, termios"]).status === 0;

/** Waits for a text, then types, sends a signal or hangs up. */
export interface Step {
  readonly expect?: string;
  readonly send?: string;
  readonly signal?: NodeJS.Signals;
  readonly hangup?: true;
  /** Waits this long before it acts, so that what was typed before has been read. */
  readonly afterMs?: number;
}

export interface Dialogue {
  /** Negative when a signal killed it. */
  readonly status: number;
  /** Everything that stood on the terminal. */
  readonly output: string;
  /** For every step, whether its text came and whether the terminal showed what was typed at that moment. */
  readonly steps: readonly { readonly found: boolean; readonly echo: boolean }[];
  /** Whether the terminal shows what is typed again; `null` after a hang-up. */
  readonly echoAfter: boolean | null;
  readonly timedOut: boolean;
}

/** Runs `coffer` on a terminal and plays a dialogue with it. */
export async function atTerminal(
  home: Home,
  args: readonly string[],
  steps: readonly Step[],
  env: Readonly<Record<string, string>> = {},
): Promise<Dialogue> {
  return terminalDialogue(home, [process.execPath, await cofferBin(), ...args], steps, env);
}

/** The same for any program. */
export async function terminalDialogue(
  home: Home,
  command: readonly string[],
  steps: readonly Step[],
  env: Readonly<Record<string, string>> = {},
): Promise<Dialogue> {
  const job = { command, steps, cwd: home.path, env: { ...home.env, TERM: "xterm", ...env } };
  // The player runs with the environment of the tests, the program with that of the home.
  const played = await runProcess(["python3", join(import.meta.dirname, "player.py")], {
    input: JSON.stringify(job),
    env: process.env as Record<string, string>,
  });
  if (played.status !== 0) throw new Error(`The player of the terminal failed: ${played.stderr}`);
  const answer: Omit<Dialogue, "output"> & { readonly output: string } = JSON.parse(played.stdout);
  return { ...answer, output: Buffer.from(answer.output, "base64").toString("utf8") };
}
