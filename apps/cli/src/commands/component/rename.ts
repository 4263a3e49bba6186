import { renameComponent } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { typeOf, whereOf } from "../where.ts";
import { componentRecord, WORDS } from "./shown.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const type = typeOf(call);
  const name = call.arguments.get("NAME") ?? "";
  const component = await renameComponent(type, name, call.arguments.get("NEW_NAME") ?? "", whereOf(call, context));
  const same = type === "secrets_manager" ? "; its secrets are the same" : "";
  const sentence = `The ${WORDS[type]} "${visible(name)}" is called "${visible(component.name)}" now${same}.`;
  await printDone(call, context, sentence, componentRecord(component));
}
