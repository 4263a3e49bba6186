import { removeAttributes } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { sayWarnings, typeOf, whereOf } from "../where.ts";
import { componentRecord, WORDS } from "./shown.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const type = typeOf(call);
  const name = call.arguments.get("NAME") ?? "";
  const attributes = [call.arguments.get("ATTRIBUTE") ?? "", ...call.more];
  const { component, warnings } = await removeAttributes(type, name, attributes, whereOf(call, context));
  sayWarnings(context, warnings);
  const sentence = `Removed from the ${WORDS[type]} "${visible(name)}": ${attributes.map(visible).join(", ")}`;
  await printDone(call, context, sentence, componentRecord(component));
}
