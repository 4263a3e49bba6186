import { deleteComponent, findComponent } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { configurationOf } from "../../stack.ts";
import { confirmed } from "../confirm.ts";
import { typeOf, whereOf } from "../where.ts";
import { WORDS } from "./shown.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const type = typeOf(call);
  const name = call.arguments.get("NAME") ?? "";
  // Nobody should confirm the deletion of something that is not there.
  findComponent(configurationOf(context), type, name);
  const stay = type === "secrets_manager" ? " Its secrets stay where they are." : "";
  if (!(await confirmed(call, context, `Delete the ${WORDS[type]} "${visible(name)}"?${stay}`))) {
    context.say("Nothing was deleted.");
    return;
  }
  await deleteComponent(type, name, whereOf(call, context));
  await printDone(call, context, `Deleted the ${WORDS[type]} "${visible(name)}".${stay}`, { name, deleted: true });
}
