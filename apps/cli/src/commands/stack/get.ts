import { currentStack } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";
import { printRecord } from "../../output/write.ts";
import { configurationOf } from "../../stack.ts";
import { stackRecord } from "./shown.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const stack = currentStack(configurationOf(context));
  await printRecord(call, context, stackRecord(stack), () => [`${visible(stack.name)}\n`]);
}
