import { deleteStack, findStack } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { configurationOf } from "../../stack.ts";
import { confirmed } from "../confirm.ts";
import { whereOf } from "../where.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const name = call.arguments.get("NAME") ?? "";
  // Nobody should confirm the deletion of something that is not there.
  findStack(configurationOf(context), name);
  if (!(await confirmed(call, context, `Delete the stack "${visible(name)}"? Its components stay.`))) {
    context.say("Nothing was deleted.");
    return;
  }
  await deleteStack(name, whereOf(call, context));
  await printDone(call, context, `Deleted the stack "${visible(name)}". Its components stay.`, { name, deleted: true });
}
