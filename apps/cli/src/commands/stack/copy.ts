import { copyStack } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { whereOf } from "../where.ts";
import { stackRecord } from "./shown.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const name = call.arguments.get("NAME") ?? "";
  const stack = await copyStack(name, call.arguments.get("NEW_NAME") ?? "", whereOf(call, context));
  const sentence = `Copied the stack "${visible(name)}" to "${visible(stack.name)}"; both have the same components.`;
  await printDone(call, context, sentence, stackRecord(stack));
}
