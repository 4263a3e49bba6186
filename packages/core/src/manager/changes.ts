import { SecretsError } from "../errors/secrets-error.ts";
import { printable } from "../secret/printable.ts";
import { textOf, textValues } from "../secret/values.ts";
import type { TextValues } from "../spec.ts";
import type { GuardContext } from "./guard.ts";
import type { SecretChange } from "./types.ts";

/**
 * The values after a change: keys that it does not name stay.
 * @throws SecretsError `invalid_key` for keys to remove that are not there, and for new keys that break the rule
 */
export function merge(before: TextValues, change: SecretChange, context: GuardContext): Record<string, string> {
  const merged = textValues(Object.entries(before));
  const missing: string[] = [];
  for (const key of change.removeKeys ?? []) {
    if (!(key in merged)) missing.push(key);
    delete merged[key];
  }
  if (missing.length > 0) {
    throw new SecretsError(
      "invalid_key",
      `The secret "${printable(context.secretName ?? "")}" has no ${missing.map((key) => `"${printable(key)}"`).join(", ")} to remove.`,
      {
        operation: context.method,
        flavor: context.flavor,
        secretName: context.secretName,
        keys: missing,
        hint: `It has ${Object.keys(before)
          .map((key) => printable(key))
          .join(", ")}.`,
      },
    );
  }
  const values = textOf(change.values ?? {}, before);
  for (const key of Object.keys(values)) merged[key] = values[key] ?? "";
  return merged;
}
