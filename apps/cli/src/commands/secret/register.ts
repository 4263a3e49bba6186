import { type SecretSchema, SecretsError, textValues } from "@coffer/core";
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
      `Write either: coffer secret register ${name} -i, or: coffer secret register ${name} --key=@FILE`,
    );
  }
  if (!interactive && !given) {
    throw new UsageError(
      "There are no values to store.",
      `Write: coffer secret register ${name} -i to be asked, or coffer secret register ${name} --key1=value1 --key2=@FILE`,
    );
  }
  await withSession(call, context, (session) => register(call, context, session, interactive));
}

async function register(call: Call, context: Context, session: Session, interactive: boolean): Promise<void> {
  const { manager } = session;
  const { signal } = context;
  const name = secretName(call, manager);
  const type = call.options.value("schema");
  const schema = type === undefined ? undefined : await session.registry.requireSchema(type);
  const given = interactive ? await ask(context, session, name, schema) : await readGivenValues(call, context);
  if (schema !== undefined) refuseAmbiguousOptions(call, schema, new Set(given.values.keys()));
  announce(context, `The secret "${visible(name)}" (schema ${schema?.type ?? "arbitrary"}) will be registered:`, given.values.keys());
  warnAbout(given, call, context);
  const onDeleted = call.options.value("on-deleted") === "restore" ? "restore" : "error";
  const written = await manager.registerSecret({ name, schema, values: textValues(given.values) }, { onDeleted, signal });
  const count = given.values.size;
  await printDone(call, context, `Registered the secret "${visible(name)}" (${count} ${count === 1 ? "key" : "keys"}).`, {
    name,
    schema: schema?.type ?? "arbitrary",
    revision: written.revision,
  });
}

async function ask(context: Context, session: Session, name: string, schema: SecretSchema | undefined): Promise<GivenValues> {
  const [{ Prompter }, { askFields, askPairs, WITHOUT_TERMINAL }] = await Promise.all([
    import("../../input/prompt.ts"),
    import("./ask.ts"),
  ]);
  const values = await Prompter.use(context, WITHOUT_TERMINAL, async (prompter) => {
    // Asked before the dialogue: nobody wants to type ten values to hear that the name is taken.
    if (await session.manager.hasSecret(name, { signal: context.signal })) {
      throw new SecretsError("already_exists", `The secret "${visible(name)}" exists already.`, {
        operation: "registerSecret",
        secretName: name,
      });
    }
    return schema?.fields === undefined ? askPairs(prompter, context) : askFields(prompter, context, schema);
  });
  if (values.size === 0)
    throw new UsageError("No values were given, so nothing was stored.", `Run the command again: coffer secret register ${name} -i`);
  return { values, exposed: [], endsWithBreak: [] };
}
