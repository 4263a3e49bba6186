import { type ComponentFlavor, type SchemaField, schemaFields, type SecretSchema } from "@coffer/core";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { registryOf } from "../../integrations.ts";
import { configurationOf } from "../../stack.ts";
import { outputFormat, printRecord } from "../../output/write.ts";
import { fieldRecords, fieldTable } from "../fields.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const registry = await registryOf(context, configurationOf(context));
  const flavor = await registry.flavor("secrets_manager", call.arguments.get("FLAVOR") ?? "");
  const origin = registry.flavors().find((entry) => entry.type === flavor.type && entry.name === flavor.name);
  // What only a program can give (a function) is no setting for a command line or a file.
  const fields = (await settingsOf(flavor)).filter((field) => field.type !== "custom").map(plainField);
  const settings = fieldRecords(fields).map(({ key, ...field }) => ({ setting: key, ...field }));
  const record = {
    flavor: flavor.name,
    type: flavor.type,
    integration: origin?.integration ?? null,
    package: origin?.package ?? null,
    version: origin?.version ?? null,
    aliases: flavor.aliases ?? [],
    settings,
  };
  if (outputFormat(call) === "table") {
    context.say(`The flavor ${flavor.name}, from ${[record.package, record.version].filter((part) => part !== null).join(" ")}.`);
    if (fields.length === 0) context.say("It has no settings.");
  }
  await printRecord(call, context, record, () => fieldTable("SETTING", fields));
}

/** A setting that takes one of several kinds is described as the kind that can be written down: text. */
function plainField(field: SchemaField): SchemaField {
  return field.type === "union" ? { ...field, type: "string", expected: "text" } : field;
}

async function settingsOf(flavor: ComponentFlavor): Promise<readonly SchemaField[]> {
  const declared: unknown = "settings" in flavor ? flavor.settings : undefined;
  const settings: unknown = typeof declared === "function" ? await declared() : declared;
  // Settings are a zod object like the fields of a secret schema, so that what describes those describes these.
  return schemaFields({ type: "settings", fields: settings as SecretSchema["fields"] });
}
