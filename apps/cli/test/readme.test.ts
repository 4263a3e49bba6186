import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { COMMANDS } from "../src/app.ts";
import { EXIT } from "../src/exit-codes.ts";
import { Home } from "./support/home.ts";
import { atTerminal, hasTerminal, type Step } from "./support/terminal.ts";

const README = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");

/** What they are asked, for machines on which nobody can be played. */
const QUESTIONS: Readonly<Record<string, string>> = {
  "coffer secret register web -i --schema=basic_auth":
    "Nothing of what you type is shown. Enter alone skips a key that is optional; @FILE reads a file.\nusername (text, required):\npassword (text, required):\n",
};

interface Shown {
  readonly command: string;
  /** What the README shows of its output: `…` stands for any text, alone on a line for any lines. */
  readonly output: string;
  readonly status: number;
}

/** What a person types in the commands that ask. */
const DIALOGUES: Readonly<Record<string, readonly Step[]>> = {
  "coffer secret register web -i --schema=basic_auth": [
    { expect: "username (text, required): ", send: "u\r" },
    { expect: "password (text, required): ", send: "p\r" },
  ],
};

function shownCommands(): readonly Shown[] {
  return [...README.matchAll(/^```console\n([^]*?)^```$/gm)].flatMap(([, block = ""]) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [command = "", ...lines] = part.trimEnd().split("\n");
        const status = /^\[exit (\d+)\]$/.exec(lines.at(-1) ?? "")?.[1];
        return { command, output: (status === undefined ? lines : lines.slice(0, -1)).join("\n"), status: Number(status ?? 0) };
      }),
  );
}

function pattern(output: string): RegExp {
  const escaped = output
    .split("\n")
    .map((line) =>
      line === "…"
        ? "[^]*?"
        : line
            .split("…")
            .map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
            .join(".*"),
    )
    .join("\\n");
  return new RegExp(`^${escaped}\\s*$`);
}

/** Runs one command as it stands there; what it asks at a terminal is answered. */
async function played(home: Home, command: string): Promise<{ readonly status: number | null; readonly output: string }> {
  const steps = DIALOGUES[command];
  if (steps === undefined || !hasTerminal) {
    // Where there is no terminal to play with, the values are given, and only what comes after the questions is the same.
    const given = steps === undefined ? command : `${command.replace(" -i", "")} --username=u --password=p --no-warn`;
    const { status, stdout } = await home.shell(`{ ${given}\n} 2>&1`);
    return { status, output: (QUESTIONS[command] ?? "") + stdout };
  }
  const { status, output } = await atTerminal(home, command.split(" ").slice(1), steps);
  // Less the marks of a paste, and the space between a prompt and its answer, which is not shown.
  // eslint-disable-next-line no-control-regex -- a control sequence of the terminal
  return { status, output: output.replaceAll(/\r|\u001B\[\?2004[hl]/g, "").replaceAll(/ +$/gm, "") };
}

test("every command of the README does what the README shows, in its order", { timeout: 120_000 }, async () => {
  const home = new Home();
  writeFileSync(join(home.path, "password"), "correct horse");
  writeFileSync(join(home.path, "passphrase"), "several words together\n", { mode: 0o600 });
  const shown = shownCommands();
  expect(shown.length).toBeGreaterThan(30);
  for (const { command, output, status } of shown) {
    expect({ command, ...(await played(home, command)) }).toEqual({ command, status, output: expect.stringMatching(pattern(output)) });
  }
});

test("the README names every command", () => {
  for (const { words } of COMMANDS) {
    expect({ words, named: README.includes(`coffer ${words.join(" ")}`) }).toEqual({ words, named: true });
  }
});

test("its table of exit codes is the table of exit codes", () => {
  const table = README.slice(README.indexOf("| exit code |"));
  const rows = [...table.slice(0, table.indexOf("\n\n")).matchAll(/^\| ([\d, ]+) \|/gm)].flatMap(([, codes = ""]) =>
    codes.split(", ").map(Number),
  );
  expect(rows.toSorted((a, b) => a - b)).toEqual(Object.values(EXIT).toSorted((a, b) => a - b));
});
