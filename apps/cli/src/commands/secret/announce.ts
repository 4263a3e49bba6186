import { editDistance } from "@coffer/core";
import type { Context } from "../../context.ts";
import type { Call } from "../../command.ts";
import { MASK, tableText } from "../../output/table.ts";
import { visible } from "../../output/visible.ts";
import type { GivenValues } from "../../input/values.ts";

/** Says what is about to be stored: every key, and no value. */
export function announce(context: Context, sentence: string, keys: Iterable<string>): void {
  context.say(
    `${sentence}\n${[
      ...tableText(
        ["KEY", "VALUE"],
        [...keys].map((key) => [key, MASK]),
      ),
    ].join("")}`,
  );
}

/** Warns about values that others can see, and about what may not be meant. Once, naming keys only. */
export function warnAbout(given: GivenValues, call: Call, context: Context): void {
  if (call.options.has("no-warn") || (context.env["COFFER_NO_WARN"] ?? "") !== "") return;
  const list = (keys: readonly string[]): string => keys.map(visible).join(", ");
  if (given.exposed.length > 0) {
    context.say(
      `warning: Given on the command line, where other programs and the shell's history can see it: ${list(given.exposed)}. Safer: -i, --key=@FILE or --key=@-. (--no-warn silences this.)`,
    );
  }
  if (given.endsWithBreak.length > 0)
    context.say(`warning: Ends with a line break, which is stored, too: ${list(given.endsWithBreak)}. (printf %s writes none.)`);
  for (const { key, escaped } of call.pairs) {
    const option = call.command.options.find(
      (entry) => entry.value !== undefined && entry.name.length > 4 && editDistance(key, entry.name) === 1,
    );
    if (!escaped && option !== undefined)
      context.say(`warning: --${visible(key)} is taken for a key of the secret. The option is called --${option.name}.`);
  }
}
