import type { SecretScope } from "@coffer/core";
import { flavorOf, type OpenableFlavor, registerComponent, settingsFromText } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { registryOf } from "../../integrations.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { configurationOf } from "../../stack.ts";
import { UsageError } from "../../stop.ts";
import { sayWarnings, typeOf, whereOf } from "../where.ts";
import { askSettings, givenSettings } from "./settings.ts";
import { componentRecord, WORDS } from "./shown.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const where = whereOf(call, context);
  const type = typeOf(call);
  const name = call.arguments.get("NAME") ?? "";
  const flavorName = call.options.value("flavor");
  const command = `coffer ${call.command.words.join(" ")} ${visible(name)}`;
  if (flavorName === undefined)
    throw new UsageError(
      "--flavor is missing: it says what kind of service this is.",
      `Write: ${command} --flavor=FLAVOR. \`coffer secrets-manager flavor list\` shows them.`,
    );
  if (call.options.has("interactive") && call.pairs.length > 0)
    throw new UsageError("-i asks for the settings, so none can be given with it.", `Write either -i or --setting=value.`);
  const flavor = await flavorOf(await registryOf(context, configurationOf(context)), type, flavorName);
  const texts = call.options.has("interactive") ? await askSettings(context, flavor) : await givenSettings(call, context);
  const settings = await settingsOf(flavor, texts);
  // The choices of the option are the scopes.
  const scope = call.options.value("scope") as SecretScope | undefined;
  const { component, warnings } = await registerComponent(
    { type, name, flavor: flavorName, settings, scope, namespace: call.options.value("namespace") },
    where,
  );
  sayWarnings(context, warnings);
  const use = type === "orchestrator" ? `--orchestrator=${name}` : `--secrets-manager=${name}`;
  await printDone(
    call,
    context,
    `Registered the ${WORDS[type]} "${visible(name)}" (flavor ${component.flavor}). To use it: coffer stack register NAME ${visible(use)}`,
    componentRecord(component),
  );
}

async function settingsOf(flavor: OpenableFlavor, texts: ReadonlyMap<string, string>): Promise<Record<string, unknown>> {
  return settingsFromText(flavor, Object.fromEntries(texts));
}
