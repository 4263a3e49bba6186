import { updateStack } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { UsageError } from "../../stop.ts";
import { whereOf } from "../where.ts";
import { warnAboutMissing } from "./missing.ts";
import { stackNameOf } from "./name.ts";
import { partsOf } from "./parts.ts";
import { stackRecord } from "./shown.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const name = stackNameOf(call, context);
  const parts = partsOf(call);
  if (parts.secretsManager === undefined && parts.orchestrator === undefined)
    throw new UsageError("There is nothing to change.", `Write: coffer stack update ${visible(name)} --secrets-manager=NAME`);
  const where = whereOf(call, context);
  const stack = await updateStack(name, parts, where);
  await warnAboutMissing(context, name, where);
  await printDone(call, context, `Updated the stack "${visible(name)}".`, stackRecord(stack));
}
