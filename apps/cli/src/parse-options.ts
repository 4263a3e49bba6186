import { suggest } from "@coffer/core";
import type { CommandEntry, OptionEntry, Options } from "./command.ts";
import { UsageError } from "./stop.ts";

/** The name in `--name=value`. */
export function nameOf(token: string): string {
  const end = token.indexOf("=");
  return token.slice(2, end === -1 ? undefined : end);
}

/** Reads the option at `position` and answers where to go on. */
export function readOption(
  argv: readonly string[],
  position: number,
  known: readonly OptionEntry[],
  options: Options,
  command: CommandEntry | undefined,
): number {
  const token = argv[position] ?? "";
  if (!token.startsWith("--")) return readShort(argv, position, known, options, command);
  const name = nameOf(token);
  // Options of the described system have underscores; among keys of a secret an underscore is one of the key's.
  const spelt = command?.pairs === true ? name : name.replaceAll("_", "-");
  const option = known.find((entry) => entry.name === name) ?? known.find((entry) => entry.name === spelt);
  if (option === undefined)
    throw unknownOption(
      `--${name}`,
      suggest(
        name,
        known.map((entry) => entry.name),
      ).map((near) => `--${near}`),
      command,
    );
  const equals = token.indexOf("=");
  if (option.value === undefined) {
    if (equals !== -1)
      throw new UsageError(`"--${name}" takes no value.`, command?.pairs === true ? keyForm(name, command) : `Write: --${name}`);
    options.set(name, true);
    return position + 1;
  }
  if (equals !== -1) {
    if (command?.pairs === true) options.amongKeys.add(name);
    setValue(options, option, token.slice(equals + 1), command);
    return position + 1;
  }
  setValue(options, option, spacedValue(argv, position, option, `--${name}`), command);
  return position + 2;
}

function readShort(
  argv: readonly string[],
  position: number,
  known: readonly OptionEntry[],
  options: Options,
  command: CommandEntry | undefined,
): number {
  const token = argv[position] ?? "";
  const equals = token.indexOf("=");
  const letters = Array.from(token.slice(1, equals === -1 ? undefined : equals));
  for (const [index, letter] of letters.entries()) {
    const option = known.find((entry) => entry.short === letter);
    if (option === undefined) throw unknownOption(`-${letter}`, [], command);
    const last = index === letters.length - 1;
    if (option.value === undefined) {
      if (last && equals !== -1) throw new UsageError(`"-${letter}" takes no value.`, `Write: -${letter}`);
      options.set(option.name, true);
    } else if (!last) {
      throw new UsageError(`"-${letter}" takes a value and cannot be followed by other letters.`, `Write: -${letter} ${option.value}`);
    } else if (equals === -1) {
      setValue(options, option, spacedValue(argv, position, option, `-${letter}`), command);
      return position + 2;
    } else setValue(options, option, token.slice(equals + 1), command);
  }
  return position + 1;
}

function spacedValue(argv: readonly string[], position: number, option: OptionEntry, shown: string): string {
  const value = argv[position + 1];
  if (value === undefined || (value.startsWith("-") && value !== "-"))
    throw new UsageError(`"${shown}" needs a value.`, `Write: ${optionForm(option)}`);
  return value;
}

function setValue(options: Options, option: OptionEntry, value: string, command: CommandEntry | undefined): void {
  if (value === "") throw new UsageError(`"--${option.name}" needs a value.`, `Write: ${optionForm(option)}`);
  if (option.choices !== undefined && !option.choices.includes(value)) {
    const key = command?.pairs === true ? ` ${keyForm(option.name, command)}` : "";
    throw new UsageError(
      `"--${option.name}" takes one of ${option.choices.join(", ")}.`,
      `Write: --${option.name}=${option.choices[0] ?? ""}.${key}`,
    );
  }
  if (!options.set(option.name, value)) {
    throw new UsageError(
      `"--${option.name}" was given twice.`,
      command?.pairs === true ? `Give it once. ${keyForm(option.name, command)}` : "Give it once.",
    );
  }
}

/** An option with what may follow it. */
function optionForm({ name, choices, value = "VALUE" }: OptionEntry): string {
  return `--${name}=${choices?.join("|") ?? value}`;
}

/** How to store a key that has the name of an option. */
export function keyForm(name: string, command: CommandEntry): string {
  return `To store a key called ${name}, write it after two dashes: coffer ${command.words.join(" ")} NAME -- --${name}=VALUE`;
}

function unknownOption(shown: string, near: readonly string[], command: CommandEntry | undefined): UsageError {
  const help = command === undefined ? "coffer --help" : `coffer ${command.words.join(" ")} --help`;
  return new UsageError(`There is no option "${shown}" here.`, `${near[0] === undefined ? "" : `Did you mean ${near[0]}? `}See: ${help}`);
}
