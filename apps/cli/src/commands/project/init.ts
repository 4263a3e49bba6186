import { initProject } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const { file, folder } = await initProject({ cwd: context.cwd, env: context.env });
  const sentence = `Made ${visible(context.shortPath(file))}, and trusted it. It is meant to be committed: definitions with --project go there, secrets never do.`;
  await printDone(call, context, sentence, { file, folder, trusted: true });
}
