import { setActiveStack } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { configurationOf } from "../../stack.ts";
import { whereOf } from "../where.ts";
import { stackRecord } from "./shown.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const stack = await setActiveStack(call.arguments.get("NAME") ?? "", whereOf(call, context));
  const { project } = configurationOf(context);
  const place = project?.status === "trusted" ? ` in ${visible(context.shortPath(project.folder))}` : "";
  const other = context.env["COFFER_STACK"] ? " COFFER_STACK is set and goes before it." : "";
  await printDone(call, context, `The active stack${place} is "${visible(stack.name)}" now.${other}`, stackRecord(stack));
}
