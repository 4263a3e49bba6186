import { findStack, referringSettings, requiredSecrets } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { tableText } from "../../output/table.ts";
import { visible } from "../../output/visible.ts";
import { printRecord } from "../../output/write.ts";
import { configurationOf } from "../../stack.ts";
import { originText } from "../component/name.ts";
import { stackNameOf } from "./name.ts";
import { partText, stackRecord } from "./shown.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const stack = findStack(configurationOf(context), stackNameOf(call, context));
  const needed = requiredSecrets(...referringSettings(stack));
  await printRecord(call, context, { ...stackRecord(stack), requiredSecrets: needed }, () =>
    tableText(
      ["STACK", visible(stack.name)],
      [
        ["secrets manager", partText(stack.secretsManager)],
        ["orchestrator", partText(stack.orchestrator)],
        ...(needed.length === 0 ? [] : [["needs", needed.map(({ secret, keys }) => `${secret}: ${keys.join(", ")}`).join("\n")]]),
        ["defined in", originText(context, stack)],
      ],
    ),
  );
}
