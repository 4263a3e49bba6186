import { SecretsError } from "@coffer/core";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { withSession } from "../../session.ts";
import { confirmed } from "../confirm.ts";
import { secretName } from "./name.ts";

export async function run(call: Call, context: Context): Promise<void> {
  await withSession(call, context, async ({ manager }) => {
    const { signal } = context;
    const name = secretName(call, manager);
    const immediate = call.options.has("immediate");
    // Nobody should confirm the deletion of something that is not there.
    if (!call.options.has("yes") && !(await manager.hasSecret(name, { signal }))) {
      throw new SecretsError("not_found", `The secret "${visible(name)}" does not exist.`, { operation: "deleteSecret", secretName: name });
    }
    if (!(await confirmed(call, context, `Delete the secret "${visible(name)}" with all its keys?`))) {
      context.say("Nothing was deleted.");
      return;
    }
    await manager.deleteSecret(name, { immediate, signal });
    await printDone(call, context, `Deleted the secret "${visible(name)}".`, { name, deleted: true });
  });
}
