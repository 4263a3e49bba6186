import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { withSession } from "../../session.ts";
import { secretName } from "./name.ts";

export async function run(call: Call, context: Context): Promise<void> {
  await withSession(call, context, async ({ manager }) => {
    const name = secretName(call, manager);
    const revision = call.arguments.get("REVISION") ?? "";
    const written = await manager.rollbackSecret(name, revision, { signal: context.signal });
    await printDone(call, context, `The secret "${visible(name)}" has the content of revision ${visible(revision)} again.`, {
      name,
      from: revision,
      revision: written.revision,
    });
  });
}
