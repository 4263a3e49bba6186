import { SecretsError } from "@coffer/core";
import { missingSecretsError, storeRequiredSecret } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { announce } from "../secret/announce.ts";
import { askChanges, WITHOUT_TERMINAL } from "../secret/ask.ts";
import { whereOf } from "../where.ts";
import { withStack } from "./missing.ts";
import { stackNameOf } from "./name.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const name = stackNameOf(call, context);
  if (call.arguments.get("NAME") === undefined) context.say(`The active stack is "${visible(name)}".`);
  const where = whereOf(call, context);
  await withStack(name, where, async (stack) => {
    const required = stack.requiredSecrets;
    if (required.length === 0) {
      context.say(`The stack "${visible(name)}" refers to no secrets.`);
      return;
    }
    const missing = await stack.missingSecrets("SECRET_AND_KEY_EXISTS");
    if (missing[0]?.missing === "secrets_manager") throw missingSecretsError(name, missing);
    const manager = stack.secretsManager;
    const done: { readonly secret: string; readonly result: string }[] = [];
    const { Prompter } = await import("../../input/prompt.ts");
    for (const { secret, keys } of required) {
      const absent = new Set(missing.filter((each) => each.secret === secret).map(({ key }) => key));
      const asked = call.options.has("skip-existing") ? keys.filter((key) => absent.has(key)) : keys;
      if (asked.length === 0) continue;
      const stored = absent.size === keys.length ? undefined : await manager.getSecret(secret, { validate: false }).catch(unlessMissing);
      const schema = stored === undefined ? undefined : await where.registry.schema(stored.schema.type);
      context.say(`The secret "${visible(secret)}":`);
      const values = await Prompter.use(context, WITHOUT_TERMINAL, (prompter) =>
        askChanges(
          prompter,
          context,
          asked.map((key) => ({ key, expected: "text", set: !absent.has(key), required: absent.has(key) })),
          schema,
        ),
      );
      if (values.size === 0) continue;
      announce(context, `In the secret "${visible(secret)}" these keys will be set:`, values.keys());
      done.push({ secret, result: await storeRequiredSecret(manager, secret, Object.fromEntries(values)) });
    }
    const sentence =
      done.length === 0
        ? "Every secret that the stack refers to is there; nothing was changed."
        : done.map(({ secret, result }) => `The secret "${visible(secret)}" was ${result}.`).join("\n");
    await printDone(call, context, sentence, { stack: name, secrets: done });
  });
}

function unlessMissing(error: unknown): undefined {
  if (SecretsError.isInstance(error) && error.code === "not_found") return undefined;
  throw error;
}
