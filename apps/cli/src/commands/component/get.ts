import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";
import { printRecord } from "../../output/write.ts";
import { componentOf } from "./name.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const { name, flavor } = componentOf(call, context);
  await printRecord(call, context, { name, flavor }, () => [`${visible(name)}\n`]);
}
