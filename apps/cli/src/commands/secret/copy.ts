import type { SecretsManager } from "@coffer/core";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { withSession } from "../../session.ts";
import { UsageError } from "../../stop.ts";
import { secretName } from "./name.ts";

async function copy(call: Call, context: Context, manager: SecretsManager, other: SecretsManager): Promise<void> {
  const from = secretName(call, manager);
  const to = call.arguments.get("NEW_NAME") === undefined ? from : secretName(call, other, "NEW_NAME");
  const options = { manager: other, overwrite: call.options.has("overwrite"), signal: context.signal };
  const report = await manager.copySecret(from, to, options);
  const lost = report.lost.length === 0 ? "" : ` Not taken along: ${report.lost.join(", ")}.`;
  const place = other === manager ? "" : ` in ${visible(call.options.value("to") ?? "")}`;
  await printDone(call, context, `Copied the secret "${visible(from)}" to "${visible(to)}"${place}.${lost}`, {
    name: to,
    from,
    secretsManager: call.options.value("to") ?? null,
    revision: report.revision,
    lost: report.lost,
  });
}

export async function run(call: Call, context: Context): Promise<void> {
  const target = call.options.value("to");
  if (call.arguments.get("NEW_NAME") === undefined && target === undefined)
    throw new UsageError(
      "A copy needs another name, or another secrets manager.",
      "Write: coffer secret copy NAME NEW_NAME, or --to=MANAGER",
    );
  await withSession(call, context, async (session) => {
    if (target === undefined) await copy(call, context, session.manager, session.manager);
    else await session.withOther(target, (other) => copy(call, context, session.manager, other));
  });
}
