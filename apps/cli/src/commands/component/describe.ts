import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { tableText } from "../../output/table.ts";
import { visible } from "../../output/visible.ts";
import { printRecord } from "../../output/write.ts";
import { componentOf, originText } from "./name.ts";
import { componentRecord, componentRows } from "./shown.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const component = componentOf(call, context);
  await printRecord(call, context, componentRecord(component), () =>
    tableText(["NAME", visible(component.name)], componentRows(component, originText(context, component))),
  );
}
