import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { withSession } from "../../session.ts";
import { secretName } from "./name.ts";

export async function run(call: Call, context: Context): Promise<void> {
  await withSession(call, context, async ({ manager }) => {
    const from = secretName(call, manager);
    const to = secretName(call, manager, "NEW_NAME");
    const report = await manager.renameSecret(from, to, { signal: context.signal });
    const lost = report.lost.length === 0 ? "" : ` Not taken along: ${report.lost.join(", ")}.`;
    const sentence = `Renamed the secret "${visible(from)}" to "${visible(to)}".${lost}`;
    await printDone(call, context, sentence, { name: to, from, revision: report.revision, lost: report.lost });
  });
}
