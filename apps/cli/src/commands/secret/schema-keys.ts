import { type SecretSchema, schemaFields } from "@coffer/core";
import type { Call } from "../../command.ts";
import { keyForm } from "../../parse-options.ts";
import { UsageError } from "../../stop.ts";

/**
 * Refuses an option that is also a key of the schema: what `--output=json` means would otherwise depend on a schema that somebody else may change.
 * Not ambiguous are the short form, an option in front of the command's words, and a key that is given after `--` as well.
 * @throws UsageError showing the form for the key
 */
export function refuseAmbiguousOptions(call: Call, schema: SecretSchema, given: ReadonlySet<string>): void {
  for (const { key } of schemaFields(schema)) {
    if (!call.options.amongKeys.has(key) || given.has(key)) continue;
    const option = call.command.options.find((entry) => entry.name === key);
    const other =
      option?.short === undefined ? `coffer --${key}=… ${call.command.words.join(" ")} …` : `-${option.short} ${option.value ?? "VALUE"}`;
    throw new UsageError(
      `"--${key}" is an option of this command and a key of the schema "${schema.type}".`,
      `${keyForm(key, call.command)}. The option is written ${other} here.`,
    );
  }
}
