import { GROUPS } from "../../app.ts";
import type { ArgumentEntry, CommandEntry, OptionEntry } from "../../command.ts";
import { GLOBAL_OPTIONS } from "../../options.ts";
import { nameOf } from "../../parse-options.ts";
import type { Known } from "./known.ts";

/** What could stand in the place of the word that is being typed. */
export interface Candidate {
  readonly text: string;
  readonly sentence: string;
}

/** All candidates, for the last of the words. Made from the table of commands. */
export async function candidates(
  words: readonly string[],
  commands: readonly CommandEntry[],
  known: Pick<Known, "names" | "keys">,
): Promise<readonly Candidate[]> {
  const typed = words.at(-1) ?? "";
  const found = await possible(words.slice(0, -1), typed, commands, known);
  return found.filter(({ text }) => text.startsWith(typed));
}

async function possible(
  before: readonly string[],
  typed: string,
  commands: readonly CommandEntry[],
  known: Pick<Known, "names" | "keys">,
): Promise<readonly Candidate[]> {
  const place = walk(before, commands);
  const options = place.command?.options ?? GLOBAL_OPTIONS;
  if (place.escaped) return [];
  if (place.awaiting !== undefined) return valuesOf(place.awaiting, "", known);
  if (typed.startsWith("--") && typed.includes("=")) {
    const option = options.find(({ name }) => name === nameOf(typed));
    return option?.value === undefined ? [] : valuesOf(option, `--${option.name}=`, known);
  }
  if (typed.startsWith("-")) {
    const ours = options
      .filter(({ name }) => !place.given.has(name))
      .map(({ name, value, sentence }) => ({ text: value === undefined ? `--${name}` : `--${name}=`, sentence }));
    return [...(await keysOf(place, known)), ...ours];
  }
  if (place.command === undefined) return nextWords(place);
  const argument = place.command.arguments[place.positionals];
  return argument === undefined ? [] : valuesOf(argument, "", known);
}

interface Place {
  readonly words: readonly string[];
  readonly matching: readonly CommandEntry[];
  readonly command: CommandEntry | undefined;
  readonly given: ReadonlyMap<string, string>;
  /** An option that stands without its value. */
  readonly awaiting: OptionEntry | undefined;
  readonly positionals: number;
  readonly escaped: boolean;
}

/** Where a line stands. What is wrong in it is left to the command to say. */
function walk(before: readonly string[], commands: readonly CommandEntry[]): Place {
  const words: string[] = [];
  const given = new Map<string, string>();
  let matching = commands;
  let command: CommandEntry | undefined;
  let awaiting: OptionEntry | undefined;
  let positionals = 0;
  for (const token of before) {
    if (token === "--") return { words, matching, command, given, awaiting: undefined, positionals, escaped: true };
    if (awaiting !== undefined) {
      given.set(awaiting.name, token);
      awaiting = undefined;
    } else if (token.startsWith("-") && token !== "-") {
      const option = (command?.options ?? GLOBAL_OPTIONS).find(({ name, short }) =>
        token.startsWith("--") ? name === nameOf(token) : `-${short ?? ""}` === token,
      );
      const equals = token.indexOf("=");
      if (option?.value !== undefined && equals === -1) awaiting = option;
      else given.set(option?.name ?? nameOf(token), equals === -1 ? "" : token.slice(equals + 1));
    } else if (command === undefined) {
      matching = matching.filter((entry) => entry.words[words.length] === token);
      words.push(token);
      command = matching.find((entry) => entry.words.length === words.length);
    } else positionals += 1;
  }
  return { words, matching, command, given, awaiting, positionals, escaped: false };
}

function nextWords({ words, matching }: Place): Candidate[] {
  const next = new Map<string, string>();
  for (const entry of matching) {
    const word = entry.words[words.length];
    if (word === undefined || entry.hidden === true) continue;
    const whole = entry.words.length === words.length + 1;
    next.set(word, whole ? entry.sentence : (GROUPS[[...words, word].join(" ")] ?? ""));
  }
  return [...next].map(([text, sentence]) => ({ text, sentence }));
}

async function valuesOf(entry: OptionEntry | ArgumentEntry, prefix: string, known: Pick<Known, "names">): Promise<Candidate[]> {
  const values = entry.choices ?? (entry.completes === undefined ? [] : await known.names(entry.completes));
  return values.map((value) => ({ text: prefix + value, sentence: "" }));
}

/** The keys of the schema that the line names, as far as they were not given yet. */
async function keysOf({ command, given }: Place, known: Pick<Known, "keys">): Promise<Candidate[]> {
  const type = given.get("schema");
  if (command?.pairs !== true || type === undefined) return [];
  const keys = await known.keys(type);
  return keys.filter((key) => !given.has(key)).map((key) => ({ text: `--${key}=`, sentence: `A key of the schema ${type}.` }));
}
