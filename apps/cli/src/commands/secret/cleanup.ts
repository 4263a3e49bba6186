import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { printDone } from "../../output/write.ts";
import { withSession } from "../../session.ts";
import { confirmed } from "../confirm.ts";

export async function run(call: Call, context: Context): Promise<void> {
  await withSession(call, context, async ({ manager }) => {
    const { signal } = context;
    let question = "";
    if (!call.options.has("yes")) {
      let count = 0;
      for await (const _info of manager.listSecrets({ signal })) count += 1;
      question = `Delete ${count === 1 ? "the one secret" : `all ${count} secrets`} of this secrets manager (${manager.flavor}, scope ${manager.scope})?`;
    }
    if (!(await confirmed(call, context, question))) {
      context.say("Nothing was deleted.");
      return;
    }
    const { deleted } = await manager.deleteAllSecrets({ immediate: call.options.has("immediate"), signal });
    await printDone(call, context, `Deleted ${deleted} ${deleted === 1 ? "secret" : "secrets"}.`, { deleted });
  });
}
