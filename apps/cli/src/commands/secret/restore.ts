import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { withSession } from "../../session.ts";
import { secretName } from "./name.ts";

export async function run(call: Call, context: Context): Promise<void> {
  await withSession(call, context, async ({ manager }) => {
    const name = secretName(call, manager);
    await manager.restoreSecret(name, { signal: context.signal });
    await printDone(call, context, `The secret "${visible(name)}" is back.`, { name, restored: true });
  });
}
