import { suggest } from "@coffer/core";
import { type Call, type CommandEntry, Options, type Pair } from "./command.ts";
import { GLOBAL_OPTIONS } from "./options.ts";
import { nameOf, readOption } from "./parse-options.ts";
import { UsageError } from "./stop.ts";

/** What a command line asks for. */
export type Request =
  | { readonly kind: "call"; readonly call: Call }
  | { readonly kind: "help"; readonly command: CommandEntry | undefined; readonly words: readonly string[] }
  | { readonly kind: "version" };

/**
 * Reads a command line. Written by hand rather than with `util.parseArgs`, because every token has a position-dependent meaning here:
 * it may be a word, an option of ours, a key of the user's (kept byte for byte), or a mistake whose message must not repeat what could be a value.
 * @throws UsageError
 */
export function parse(argv: readonly string[], commands: readonly CommandEntry[]): Request {
  const options = new Options();
  const words: string[] = [];
  let position = 0;
  let matching = commands;
  let command: CommandEntry | undefined;
  while (command === undefined && position < argv.length) {
    const token = argv[position] ?? "";
    if (token.startsWith("-") && token !== "-") {
      position = readOption(argv, position, GLOBAL_OPTIONS, options, undefined);
      continue;
    }
    const next = matching.filter((entry) => entry.words[words.length] === token);
    if (next.length === 0) throw unknownWord(token, words, matching, commands);
    words.push(token);
    matching = next;
    command = next.find((entry) => entry.words.length === words.length);
    position += 1;
  }
  if (options.has("version")) return { kind: "version" };
  if (command === undefined) {
    // Somebody who types the bare name of a program wants to know what it does.
    if (options.has("help") || argv.length === 0) return { kind: "help", command: undefined, words };
    throw new UsageError(
      words.length === 0 ? "No command was given." : `"coffer ${words.join(" ")}" needs one more word.`,
      `Try: ${completions(words, matching)}`,
    );
  }
  return readCall(argv, position, command, options);
}

function readCall(argv: readonly string[], start: number, command: CommandEntry, options: Options): Request {
  const positionals: string[] = [];
  const pairs: Pair[] = [];
  const mistakes: UsageError[] = [];
  let escaped = false;
  let position = start;
  while (position < argv.length) {
    const token = argv[position] ?? "";
    if (!escaped && token === "--") {
      escaped = true;
      position += 1;
      if (command.rest === true) break;
    } else if (escaped && command.pairs === true) {
      pairs.push(readPair(token, command, true));
      position += 1;
    } else if (escaped || !token.startsWith("-") || token === "-") {
      positionals.push(token);
      position += 1;
    } else if (command.pairs === true && isKey(token, command)) {
      pairs.push(readPair(token, command, false));
      position += 1;
    } else {
      try {
        position = readOption(argv, position, command.options, options, command);
      } catch (error) {
        // `--help` further on wins over a mistake before it: somebody who asks for help is in the middle of making one.
        if (!(error instanceof UsageError)) throw error;
        mistakes.push(error);
        position += 1;
      }
    }
  }
  if (options.has("help")) return { kind: "help", command, words: command.words };
  const [mistake] = mistakes;
  if (mistake !== undefined) throw mistake;
  return {
    kind: "call",
    call: {
      command,
      arguments: readArguments(positionals, command),
      more: positionals.slice(command.arguments.length),
      options,
      pairs: withoutDoubles(pairs, command),
      rest: argv.slice(position),
    },
  };
}

/** Whether a token in front of `--` is a key of the user's: `--key…`, and `key` is no option of the command. */
function isKey(token: string, command: CommandEntry): boolean {
  const ours = command.options.find((option) => option.name === nameOf(token));
  return token.startsWith("--") && (ours === undefined || (ours.isSettingWithValue === true && token.includes("=")));
}

function readPair(token: string, command: CommandEntry, escaped: boolean): Pair {
  const form = `coffer ${command.words.join(" ")} NAME`;
  if (!token.startsWith("--"))
    throw new UsageError("After -- everything is a key, and keys are written --key=value.", `Write: ${form} -- --key=value`);
  const key = nameOf(token);
  if (!token.includes("=")) {
    const near = suggest(
      key,
      command.options.map((option) => option.name),
    );
    const meant = near[0] === undefined ? "" : ` Or did you mean the option --${near[0]}?`;
    throw new UsageError(
      `"--${key}" has no value.`,
      `A key is written --key=value: --${key}=VALUE, or --${key}=@FILE, or --${key}=@- to read stdin.${meant}`,
    );
  }
  if (key === "") throw new UsageError("There is no key before the =.", `A key is written --key=value: ${form} --user=VALUE`);
  if (key === "name" && !escaped) {
    throw new UsageError(
      'A key cannot be called "name", which is the word for the name of the secret.',
      `The name stands without dashes: ${form} …. To store a key of that name all the same: ${form} -- --name=VALUE`,
    );
  }
  return { key, value: token.slice(token.indexOf("=") + 1), escaped };
}

function readArguments(positionals: readonly string[], command: CommandEntry): ReadonlyMap<string, string> {
  const read = new Map<string, string>();
  for (const [index, argument] of command.arguments.entries()) {
    const value = positionals[index];
    if (value !== undefined) {
      if (argument.choices !== undefined && !argument.choices.includes(value))
        throw new UsageError(
          `${argument.name} is one of ${argument.choices.join(", ")}.`,
          `Write: ${command.examples[0] ?? usageLine(command)}`,
        );
      read.set(argument.name, value);
    } else if (argument.required)
      throw new UsageError(`${argument.name} is missing.`, `Write: ${command.examples[0] ?? usageLine(command)}`);
  }
  const surplus = positionals[command.arguments.length];
  if (surplus === undefined || command.arguments.at(-1)?.several === true) return read;
  // What is there too much may be a value, so it is not repeated; only the part in front of an equals sign is certainly a key.
  const key = /^([A-Za-z_][A-Za-z0-9_.-]*)=/.exec(surplus)?.[1];
  if (command.pairs === true && key !== undefined) throw new UsageError(`The key "${key}" lacks its two dashes.`, `Write: --${key}=VALUE`);
  const expected = command.arguments.map((argument) => argument.name).join(" and ");
  throw new UsageError(
    expected === "" ? "This command takes no arguments." : `There is something after ${expected} that is neither an option nor a key.`,
    `Write: ${usageLine(command)}${command.pairs === true ? " (a value with spaces needs quotes)" : ""}`,
  );
}

function withoutDoubles(pairs: readonly Pair[], command: CommandEntry): readonly Pair[] {
  const seen = new Set<string>();
  for (const { key } of pairs) {
    if (seen.has(key))
      throw new UsageError(
        `The key "${key}" was given twice.`,
        `Give each key once: coffer ${command.words.join(" ")} NAME --${key}=VALUE`,
      );
    seen.add(key);
  }
  return pairs;
}

/** The shape of a command in one line. */
export function usageLine(command: CommandEntry): string {
  const parts = command.arguments.map(({ name, required, several }) => `${required ? name : `[${name}]`}${several === true ? " …" : ""}`);
  return ["coffer", ...command.words, ...parts, ...(command.pairs === true ? ["[--key=value …]"] : []), "[options]"].join(" ");
}

function unknownWord(
  word: string,
  words: readonly string[],
  matching: readonly CommandEntry[],
  commands: readonly CommandEntry[],
): UsageError {
  const place = words.length;
  const nextWords = matching.map((entry) => entry.words[place] ?? "");
  const start = ["coffer", ...words].join(" ");
  const synonym = matching.find((entry) => entry.words.length === place + 1 && entry.also?.includes(word));
  const near = synonym?.words[place] ?? suggest(word, nextWords)[0];
  // Also for `coffer list`: the word is right, what stands in front of it is missing.
  const deeper = commands.filter((entry) => entry.words.at(-1) === word).map((entry) => `coffer ${entry.words.join(" ")}`);
  const shown = word.length > 40 ? `${word.slice(0, 40)}…` : word;
  const meant = near === undefined ? deeper[0] : `${start} ${near}`;
  return new UsageError(
    `"${shown}" is not a command${place === 0 ? "" : ` of "${start}"`}.`,
    meant === undefined ? `Try: ${completions(words, matching)}` : `Did you mean: ${meant}`,
  );
}

function completions(words: readonly string[], matching: readonly CommandEntry[]): string {
  const next = new Set(matching.filter((entry) => entry.hidden !== true).map((entry) => entry.words[words.length] ?? ""));
  return `${["coffer", ...words].join(" ")} ${[...next].join("|")}, or --help`;
}
