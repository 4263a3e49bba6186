import type { SecretScope } from "@coffer/core";
import { flavorOf, settingsFromText, updateComponent } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { registryOf } from "../../integrations.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { configurationOf } from "../../stack.ts";
import { UsageError } from "../../stop.ts";
import { sayWarnings, whereOf } from "../where.ts";
import { componentOf } from "./name.ts";
import { givenSettings } from "./settings.ts";
import { componentRecord, WORDS } from "./shown.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const where = whereOf(call, context);
  const { type, name, flavor: flavorName } = componentOf(call, context);
  const scope = call.options.value("scope") as SecretScope | undefined;
  const namespace = call.options.value("namespace");
  if (call.pairs.length === 0 && scope === undefined && namespace === undefined)
    throw new UsageError("There is nothing to change.", `Write: coffer ${call.command.words.join(" ")} ${visible(name)} --setting=value`);
  const flavor = await flavorOf(await registryOf(context, configurationOf(context)), type, flavorName);
  const settings = await settingsFromText(flavor, Object.fromEntries(await givenSettings(call, context)));
  const { component, warnings } = await updateComponent(
    type,
    name,
    { settings, ...(scope === undefined ? {} : { scope }), ...(namespace === undefined ? {} : { namespace }) },
    where,
  );
  sayWarnings(context, warnings);
  await printDone(call, context, `Updated the ${WORDS[type]} "${visible(name)}".`, componentRecord(component));
}
