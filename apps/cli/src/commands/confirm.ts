import type { Call } from "../command.ts";
import type { Context } from "../context.ts";
import { visible } from "../output/visible.ts";

/** Whether to go on: `--yes` was given, or the question was answered with yes. */
export async function confirmed(call: Call, context: Context, question: string): Promise<boolean> {
  if (call.options.has("yes")) return true;
  const form = ["coffer", ...call.command.words, ...[...call.arguments.values()].map(visible), "--yes"].join(" ");
  const { Prompter } = await import("../input/prompt.ts");
  return Prompter.use(context, `Without a terminal say it beforehand: ${form}`, (prompter) => prompter.confirm(question));
}
