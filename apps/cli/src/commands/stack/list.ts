import { listStacks } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { printList } from "../../output/list.ts";
import { originText } from "../component/name.ts";
import { whereOf } from "../where.ts";
import { partText, stackRecord } from "./shown.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const cells = new Map<object, readonly string[]>();
  const records = listStacks(whereOf(call, context)).map((stack) => {
    const { active, name, secretsManager, orchestrator } = stack;
    const record = { ...stackRecord(stack), active };
    cells.set(record, [active ? "*" : "", name, partText(secretsManager), partText(orchestrator), originText(context, stack)]);
    return record;
  });
  await printList(call, context, [records], {
    headings: ["ACTIVE", "NAME", "SECRETS MANAGER", "ORCHESTRATOR", "DEFINED IN"],
    cells: (record) => cells.get(record) ?? [],
  });
}
