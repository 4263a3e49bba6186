import { SecretsError } from "@coffer/core";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { NO_REVISION_HINT } from "../../output/failure.ts";
import { MASK, tableText } from "../../output/table.ts";
import { valueText } from "../../output/value-text.ts";
import { visible } from "../../output/visible.ts";
import { outputFormat, printRecord } from "../../output/write.ts";
import { withSession } from "../../session.ts";
import { UsageError } from "../../stop.ts";
import { secretName } from "./name.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const { options } = call;
  const key = options.value("key");
  if (key !== undefined && outputFormat(call) !== "table") {
    throw new UsageError(
      "--key prints the value alone, so it has no other format.",
      "Write: coffer secret get NAME --key=KEY, or coffer secret get NAME --output=json",
    );
  }
  await withSession(call, context, async ({ manager }) => {
    const name = secretName(call, manager);
    const revision = options.value("revision");
    const validate = options.has("no-validate") ? { validate: false } : {};
    const secret = await manager
      .getSecret(name, { ...validate, ...(revision === undefined ? {} : { revision }), signal: context.signal })
      .catch((error: unknown) => {
        throw revision === undefined ? error : withRevisionHint(error);
      });
    const masked = options.has("masked");
    if (key !== undefined) {
      const value = textOf(secret.text, secret.content, key);
      if (value === undefined) throw noSuchKey(name, key, secret.keys());
      const shown = masked ? MASK : value;
      // Exactly the bytes, so that `> file` and `$(…)` get what was stored; at a terminal the prompt should not stand behind the value.
      await context.writeOut(context.isTerminal("stdout") ? `${shown}\n` : shown);
      return;
    }
    if (!secret.schema.installed) {
      const from = secret.schema.package === null ? "" : ` (package ${visible(secret.schema.package)})`;
      context.say(`note: The schema "${visible(secret.schema.type)}"${from} is not installed here, so the values are shown as text.`);
    }
    if (secret.encoding !== null) context.say("note: The stored bytes are no text; the value is their base64.");
    const keys = secret.keys();
    const content: Record<string, unknown> = Object.create(null);
    for (const each of keys) content[each] = masked ? MASK : secret.content[each];
    await printRecord(
      call,
      context,
      { name: secret.name, schema: secret.schema.type, content, revision: secret.revision, updatedAt: secret.updatedAt },
      () =>
        tableText(
          ["KEY", "VALUE"],
          keys.map((each) => [each, masked ? MASK : (textOf(secret.text, secret.content, each) ?? "")]),
        ),
    );
  });
}

/** The library's general hint for what is not found leads to the list of names; here the list of revisions is what helps. */
function withRevisionHint(error: unknown): unknown {
  if (!SecretsError.isInstance(error) || error.code !== "not_found") return error;
  const { operation, flavor, secretName } = error;
  return new SecretsError("not_found", error.message, { operation, flavor, secretName, hint: NO_REVISION_HINT });
}

/** The stored text of a key; of one that only the schema's default fills, the text of that. */
function textOf(text: Readonly<Record<string, string>>, content: Readonly<Record<string, unknown>>, key: string): string | undefined {
  if (Object.hasOwn(text, key)) return text[key];
  return Object.hasOwn(content, key) ? valueText(content[key]) : undefined;
}

function noSuchKey(name: string, key: string, keys: readonly string[]): SecretsError {
  return new SecretsError("not_found", `The secret "${visible(name)}" has no key "${visible(key)}".`, {
    operation: "getSecret",
    secretName: name,
    keys: [key],
    hint: keys.length === 0 ? "It has no keys." : `It has ${keys.map(visible).join(", ")}.`,
  });
}
