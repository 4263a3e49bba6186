import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { printList } from "../../output/list.ts";
import { moment, outputFormat } from "../../output/write.ts";
import { withSession } from "../../session.ts";

export async function run(call: Call, context: Context): Promise<void> {
  await withSession(call, context, async ({ manager }) => {
    const match = call.arguments.get("GLOB");
    const prefix = call.options.value("prefix");
    const count = await printList(call, context, manager.listSecretPages({ match, prefix, signal: context.signal }), {
      headings: ["NAME", "SCHEMA", "UPDATED"],
      cells: (info) => [info.name, info.schema ?? "", moment(info.updatedAt)],
      sortBy: (info) => info.name,
    });
    if (count > 0 || outputFormat(call) !== "table") return;
    context.say(
      match === undefined && prefix === undefined
        ? "No secrets are registered. `coffer secret register NAME -i` stores the first one."
        : "No secret matches.",
    );
  });
}
