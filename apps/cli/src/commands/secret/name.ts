import { assertName, type SecretsManager } from "@coffer/core";
import type { Call } from "../../command.ts";
import { UsageError } from "../../stop.ts";

/**
 * The name of the secret that a command is about.
 * @throws UsageError for the word `name`, SecretsError `invalid_name`
 */
export function secretName(call: Call, manager: SecretsManager, argument = "NAME"): string {
  const name = call.arguments.get(argument) ?? "";
  if (name === "name")
    throw new UsageError(
      'A secret cannot be called "name", which is the word for the name of the secret.',
      "Choose another name, for example db.",
    );
  assertName(name, manager.scope);
  return name;
}
