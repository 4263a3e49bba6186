import type { Call } from "../command.ts";
import type { Context } from "../context.ts";
import { jsonText } from "./json.ts";
import { yamlText } from "./yaml.ts";

export type OutputFormat = "table" | "json" | "yaml";

export function outputFormat(call: Call): OutputFormat {
  const format = call.options.value("output");
  return format === "json" || format === "yaml" ? format : "table";
}

/** Prints one thing: `rows` as a table, or the record as JSON or YAML. */
export async function printRecord(call: Call, context: Context, record: object, table: () => Iterable<string>): Promise<void> {
  const format = outputFormat(call);
  const text = format === "json" ? `${jsonText(record, 2)}\n` : format === "yaml" ? yamlText(record) : [...table()].join("");
  await context.writeOut(text);
}

/** Reports what a command has done: a sentence for people on stderr, or the record on stdout for programs that ask for it. */
export async function printDone(call: Call, context: Context, sentence: string, record: object): Promise<void> {
  if (outputFormat(call) === "table") context.say(sentence);
  else await printRecord(call, context, record, () => []);
}

let lastMoment: readonly [second: number, text: string] = [Number.NaN, ""];

/** A moment, to the second, in UTC. */
export function moment(date: Date | null): string {
  if (date === null) return "";
  const second = Math.floor(date.getTime() / 1000);
  // What was written by one program lies close together, and a long list asks for every row.
  if (lastMoment[0] !== second) lastMoment = [second, date.toISOString().replace(/\.\d+Z$/, "Z")];
  return lastMoment[1];
}
