import { checkDefinitions, missingSecretsError } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { EXIT } from "../../exit-codes.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { whereOf } from "../where.ts";
import { withStack } from "./missing.ts";
import { stackNameOf } from "./name.ts";

export async function run(call: Call, context: Context): Promise<number> {
  const where = whereOf(call, context);
  await where.registry.discover();
  const problems = await checkDefinitions(where);
  for (const { file, problem } of problems) context.say(`error: ${visible(file ?? "")}: ${visible(problem)}`);
  const name = stackNameOf(call, context);
  const missing = problems.length > 0 ? [] : await withStack(name, where, (stack) => stack.missingSecrets());
  if (missing.length > 0) {
    const { message, hint } = missingSecretsError(name, missing);
    context.say(`error: ${visible(message)}\nhint: ${visible(hint ?? "")}`);
  }
  const valid = problems.length + missing.length === 0;
  const sentence = valid ? `The definitions are valid, and the secrets exist that the stack "${visible(name)}" refers to.` : "";
  const record = { stack: name, valid, problems, missingSecrets: missing };
  if (valid || call.options.has("output")) await printDone(call, context, sentence, record);
  if (valid) return EXIT.done;
  return problems.length > 0 ? EXIT.setup : EXIT.notFound;
}
