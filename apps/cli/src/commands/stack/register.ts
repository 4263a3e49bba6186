import { registerStack } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { UsageError } from "../../stop.ts";
import { whereOf } from "../where.ts";
import { warnAboutMissing } from "./missing.ts";
import { partsOf } from "./parts.ts";
import { stackRecord } from "./shown.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const name = call.arguments.get("NAME") ?? "";
  const parts = partsOf(call);
  if (parts.secretsManager === undefined && parts.orchestrator === undefined)
    throw new UsageError(
      "A stack needs at least one component.",
      `Write: coffer stack register ${visible(name)} --secrets-manager=NAME. \`coffer secrets-manager list\` shows them.`,
    );
  const where = whereOf(call, context);
  const stack = await registerStack({ name, ...parts }, where);
  await warnAboutMissing(context, name, where);
  await printDone(
    call,
    context,
    `Registered the stack "${visible(name)}". To use it: coffer stack set ${visible(name)}`,
    stackRecord(stack),
  );
}
