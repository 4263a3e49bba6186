import { printable } from "../secret/printable.ts";
import type { SettingsSchema } from "../spec.ts";

/** What is wrong with one setting. Never says anything about its value: a setting may be a token. */
export interface SettingsProblem {
  /** The settings at fault: one, or those that the flavor does not know. */
  readonly keys: readonly string[];
  /** Where and what, for people: `region: expected string`. */
  readonly text: string;
  /** Whether the flavor has no such settings. */
  readonly unknown: boolean;
}

export type SettingsResult =
  | { readonly value: unknown; readonly problems?: undefined }
  | { readonly problems: readonly SettingsProblem[]; readonly value?: undefined };

/** Holds the settings of a component against the schema of its flavor: the checked settings, or everything that is wrong at once. */
export async function checkSettings(
  flavor: { readonly settings: SettingsSchema<unknown>; checkPlainly?(settings: unknown): unknown },
  settings: unknown,
): Promise<SettingsResult> {
  const plain = flavor.checkPlainly?.(settings ?? {});
  if (plain !== undefined) return { value: plain };
  const { settings: declared } = flavor;
  const schema = typeof declared === "function" ? await declared() : declared;
  const result = await (schema as unknown as { readonly "~standard": StandardValidator })["~standard"].validate(settings ?? {});
  if (result.issues === undefined) return { value: result.value };
  return {
    problems: result.issues.map((issue) => ({
      keys: issue.keys ?? [String(issue.path?.[0] ?? "")],
      text: `${printable(issue.path?.map(String).join(".") || issue.keys?.join(", ") || "settings")}: ${problemOf(issue)}`,
      unknown: issue.code === "unrecognized_keys",
    })),
  };
}

interface StandardIssue {
  readonly code?: string;
  readonly expected?: string;
  readonly path?: readonly PropertyKey[];
  readonly keys?: readonly string[];
  readonly values?: readonly unknown[];
}
interface StandardValidator {
  validate(value: unknown): Promise<StandardResult> | StandardResult;
}
type StandardResult = { readonly value: unknown; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };

// zod's own message is not used: a setting may be a token, and a refinement may repeat what it was given.
function problemOf(issue: StandardIssue): string {
  if (issue.code === "unrecognized_keys") return "not a setting of this flavor";
  if (issue.code === "invalid_value" && issue.values !== undefined)
    return `expected one of ${issue.values.map((value) => (typeof value === "string" ? JSON.stringify(value) : String(value))).join(", ")}`;
  return issue.expected === undefined ? "not a value that is allowed here" : `expected ${issue.expected}`;
}
