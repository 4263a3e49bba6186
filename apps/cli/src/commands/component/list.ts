import { SecretsError } from "@coffer/core";
import { currentStack, listComponents } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { printList } from "../../output/list.ts";
import { configurationOf } from "../../stack.ts";
import { typeOf, whereOf } from "../where.ts";
import { originText } from "./name.ts";
import { componentRecord, scopeText } from "./shown.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const where = whereOf(call, context);
  const type = typeOf(call);
  const activeId = activeComponentId(call, context);
  const cells = new Map<object, readonly string[]>();
  const records = listComponents(type, where).map((component) => {
    const active = component.id === activeId;
    const record = { ...componentRecord(component), active };
    const scope = type === "secrets_manager" ? [scopeText(component)] : [];
    cells.set(record, [active ? "*" : "", component.name, component.flavor, ...scope, originText(context, component)]);
    return record;
  });
  await printList(call, context, [records], {
    headings: ["ACTIVE", "NAME", "FLAVOR", ...(type === "secrets_manager" ? ["SCOPE"] : []), "DEFINED IN"],
    cells: (record) => cells.get(record) ?? [],
  });
}

/** The component of the active stack; nothing when that cannot be told, which is no reason to list nothing. */
function activeComponentId(call: Call, context: Context): string | undefined {
  try {
    const stack = currentStack(configurationOf(context), call.options.value("stack"));
    return (typeOf(call) === "orchestrator" ? stack.orchestrator : stack.secretsManager)?.id;
  } catch (error) {
    if (SecretsError.isInstance(error)) return undefined;
    throw error;
  }
}
