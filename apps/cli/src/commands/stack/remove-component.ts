import { type ComponentType, removeFromStack } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { UsageError } from "../../stop.ts";
import { whereOf } from "../where.ts";
import { stackNameOf } from "./name.ts";
import { stackRecord } from "./shown.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const name = stackNameOf(call, context);
  const types: ComponentType[] = [];
  if (call.options.has("secrets-manager")) types.push("secrets_manager");
  if (call.options.has("orchestrator")) types.push("orchestrator");
  if (types.length === 0)
    throw new UsageError("Say which component.", `Write: coffer stack remove-component ${visible(name)} --secrets-manager`);
  const stack = await removeFromStack(name, types, whereOf(call, context));
  const taken = types.map((type) => type.replace("_", " ")).join(" and the ");
  await printDone(call, context, `Took the ${taken} out of the stack "${visible(name)}"; the component itself stays.`, stackRecord(stack));
}
