import { COMMANDS, GROUPS } from "./app.ts";
import type { CommandEntry, OptionEntry } from "./command.ts";
import { GLOBAL_OPTIONS } from "./options.ts";
import { usageLine } from "./parse.ts";

/** The help of one command, of a group, or of everything. Made from the table of commands. */
export function helpText(command: CommandEntry | undefined, words: readonly string[]): string {
  return command === undefined ? groupHelp(words) : commandHelp(command);
}

function groupHelp(words: readonly string[]): string {
  const prefix = words.join(" ");
  const inside = COMMANDS.filter((entry) => entry.hidden !== true && words.every((word, index) => entry.words[index] === word));
  const sentence = words.length === 0 ? "Typed secrets, kept in whichever secrets manager you have." : (GROUPS[prefix] ?? "");
  const rows = inside.map((entry): Row => [entry.words.join(" "), entry.sentence]);
  const example = inside[0]?.examples[0] ?? "";
  return [
    sentence,
    "",
    `Usage: coffer ${prefix === "" ? "" : `${prefix} `}COMMAND [options]`,
    "",
    "Commands:",
    ...aligned(rows),
    "",
    ...(words.length === 0 ? ["Options:", ...aligned(GLOBAL_OPTIONS.map(optionRow)), ""] : []),
    "Example:",
    `  ${example}`,
    "",
    "`coffer COMMAND --help` shows the options of a command.",
    "",
  ].join("\n");
}

function commandHelp(command: CommandEntry): string {
  const lines = [command.sentence, "", `Usage: ${usageLine(command)}`, ""];
  if (command.arguments.length > 0)
    lines.push("Arguments:", ...aligned(command.arguments.map((argument): Row => [argument.name, argument.sentence])), "");
  if (command.pairs === true) {
    lines.push(
      "Keys: every --key=value that is no option below is a key of the secret, and everything after -- is one.",
      ...aligned([
        ["--key=@FILE", "The value is the text of a file (up to 10,240 bytes)."],
        ["--key=@-", "The value is read from stdin (up to 1 MiB)."],
        ["--key=@@TEXT", "The value is @TEXT."],
        ["--key=VALUE", "Works too, but other programs can see it and the shell remembers it."],
      ]),
      "",
    );
  }
  lines.push("Options:", ...aligned(command.options.map(optionRow)), "");
  lines.push(command.examples.length === 1 ? "Example:" : "Examples:", ...command.examples.map((example) => `  ${example}`), "");
  return lines.join("\n");
}

type Row = readonly [string, string];

function optionRow(option: OptionEntry): Row {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  return [`${short}--${option.name}${option.value === undefined ? "" : `=${option.value}`}`, option.sentence];
}

function aligned(rows: readonly Row[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
