import { schemaFields } from "@coffer/core";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { registryOf } from "../../integrations.ts";
import { configurationOf } from "../../stack.ts";
import { outputFormat, printRecord } from "../../output/write.ts";
import { fieldRecords, fieldTable } from "../fields.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const registry = await registryOf(context, configurationOf(context));
  const schema = await registry.requireSchema(call.arguments.get("TYPE") ?? "");
  const origin = registry.schemas().find((entry) => entry.type === schema.type);
  const fields = schemaFields(schema);
  const isPublic = new Set(schema.publicKeys);
  if (outputFormat(call) === "table") {
    if (schema.description !== undefined) context.say(schema.description);
    if (schema.fields === undefined) context.say("Any key is allowed.");
  }
  const keys = fieldRecords(fields).map((field) => ({ ...field, public: isPublic.has(field.key) }));
  const record = {
    schema: schema.type,
    description: schema.description ?? null,
    integration: origin?.integration ?? null,
    package: origin?.package ?? null,
    keys,
  };
  await printRecord(call, context, record, () => fieldTable("KEY", fields));
}
