import { schemaFields, textValues } from "@coffer/core";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { type GivenValues, readGivenValues } from "../../input/values.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { type Session, withSession } from "../../session.ts";
import { UsageError } from "../../stop.ts";
import { announce, warnAbout } from "./announce.ts";
import { secretName } from "./name.ts";
import { refuseAmbiguousOptions } from "./schema-keys.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const given = call.pairs.length > 0 || call.options.has("values");
  const interactive = call.options.has("interactive");
  const name = call.arguments.get("NAME") ?? "NAME";
  if (interactive && given) {
    throw new UsageError(
      "-i asks for the values, so no values can be given with it.",
      `Write either: coffer secret update ${name} -i, or: coffer secret update ${name} --key=@FILE`,
    );
  }
  const removeKeys = (call.options.value("remove-keys") ?? "")
    .split(",")
    .map((key) => key.trim())
    .filter((key) => key !== "");
  if (!interactive && !given && removeKeys.length === 0) {
    throw new UsageError(
      "There is nothing to change.",
      `Write: coffer secret update ${name} --key=@FILE, --remove-keys=KEY, or -i to be asked`,
    );
  }
  await withSession(call, context, (session) => update(call, context, session, { interactive, removeKeys }));
}

async function update(
  call: Call,
  context: Context,
  session: Session,
  how: { readonly interactive: boolean; readonly removeKeys: readonly string[] },
): Promise<void> {
  const { removeKeys } = how;
  const name = secretName(call, session.manager);
  const given = how.interactive ? await ask(context, session, name, removeKeys) : await readGivenValues(call, context);
  const both = removeKeys.find((key) => given.values.has(key));
  if (both !== undefined) throw new UsageError(`The key "${visible(both)}" is to be changed and removed.`, "Do one of the two.");
  if (call.options.amongKeys.size > 0) await refuseAmbiguous(call, context, session, name, given);
  if (given.values.size === 0 && removeKeys.length === 0) {
    context.say("Nothing was changed.");
    return;
  }
  if (given.values.size > 0) announce(context, `In the secret "${visible(name)}" these keys will be set:`, given.values.keys());
  if (removeKeys.length > 0)
    context.say(`In the secret "${visible(name)}" these keys will be removed: ${removeKeys.map(visible).join(", ")}`);
  warnAbout(given, call, context);
  const change = { values: textValues(given.values), removeKeys, adopt: call.options.has("adopt") };
  const written = await session.manager.updateSecret(name, change, { signal: context.signal });
  await printDone(call, context, `The secret "${visible(name)}" has been updated.`, { name, revision: written.revision });
}

async function refuseAmbiguous(call: Call, context: Context, session: Session, name: string, given: GivenValues): Promise<void> {
  const stored = await session.manager.getSecret(name, { validate: false, signal: context.signal });
  const schema = await session.registry.schema(stored.schema.type);
  if (schema !== undefined) refuseAmbiguousOptions(call, schema, new Set(given.values.keys()));
}

async function ask(context: Context, session: Session, name: string, without: readonly string[]): Promise<GivenValues> {
  const [{ Prompter }, { askChanges, WITHOUT_TERMINAL }] = await Promise.all([import("../../input/prompt.ts"), import("./ask.ts")]);
  const values = await Prompter.use(context, WITHOUT_TERMINAL, async (prompter) => {
    const stored = await session.manager.getSecret(name, { validate: false, signal: context.signal });
    const present = stored.text;
    const schema = await session.registry.schema(stored.schema.type);
    const fields = schema === undefined ? [] : schemaFields(schema);
    const declared = new Set(fields.map((field) => field.key));
    const keys = [
      ...fields.map(({ key, expected }) => ({ key, expected, set: Object.hasOwn(present, key) })),
      ...Object.keys(present)
        .toSorted()
        .filter((key) => !declared.has(key))
        .map((key) => ({ key, expected: "text", set: true })),
    ];
    return askChanges(
      prompter,
      context,
      keys.filter(({ key }) => !without.includes(key)),
      schema,
    );
  });
  return { values, exposed: [], endsWithBreak: [] };
}
