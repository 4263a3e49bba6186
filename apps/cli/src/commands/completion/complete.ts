import { COMMANDS } from "../../app.ts";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";
import { type Candidate, candidates } from "./candidates.ts";
import { Known } from "./known.ts";
import { wordsOf } from "./words.ts";

/** Answers what could stand in the place of the last word: a candidate per line, for all shells but bash with a tab and what it means. */
export async function run(call: Call, context: Context): Promise<void> {
  const [line = ""] = call.rest;
  const shell = call.arguments.get("SHELL");
  // bash splits the line by rules of its own, so it hands the line over as it is.
  const words = shell === "bash" ? wordsOf(line).slice(1) : call.rest;
  const found = await candidates(words, COMMANDS, new Known(context));
  const typed = words.at(-1) ?? "";
  await context.writeOut(found.map((candidate) => `${shell === "bash" ? inBash(candidate, typed) : described(candidate)}\n`).join(""));
}

// For bash an equals sign ends a word: it completes what follows it.
function inBash({ text }: Candidate, typed: string): string {
  const start = typed.lastIndexOf("=") + 1;
  return text.slice(start);
}

function described({ text, sentence }: Candidate): string {
  return `${text}\t${visible(sentence)}`;
}
