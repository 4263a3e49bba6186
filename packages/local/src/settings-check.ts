import { DriverError } from "@coffer/core";
import { type CheckedSettings, type LocalSettings, plainSettings } from "./settings-types.ts";

/**
 * The settings of a function that no manager stands in front of.
 * @throws DriverError `invalid_settings`
 */
export async function checkSettings(settings: LocalSettings): Promise<CheckedSettings> {
  const plain = plainSettings(settings);
  if (plain !== undefined) return plain;
  const { settingsSchema } = await import("./settings.ts");
  const result = settingsSchema.safeParse(settings);
  if (result.success) return result.data;
  const keys = result.error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys" ? issue.keys : [String(issue.path[0] ?? "settings")],
  );
  throw new DriverError("invalid_settings", undefined, {
    safeMessage: `These settings are not valid: ${[...new Set(keys)].join(", ")}.`,
    hint: "`coffer secrets-manager flavor describe local` lists the settings.",
  });
}
