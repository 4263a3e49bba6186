import { exportStack } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { jsonText } from "../../output/json.ts";
import { visible } from "../../output/visible.ts";
import { whereOf } from "../where.ts";
import { stackNameOf } from "./name.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const { exported, omitted } = exportStack(stackNameOf(call, context), whereOf(call, context));
  for (const { component, setting } of omitted)
    context.say(`warning: The setting "${visible(setting)}" of "${visible(component)}" looks like a secret and was left out.`);
  await context.writeOut(`${jsonText(exported, 2)}\n`);
}
