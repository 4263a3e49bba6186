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
      text: `${printable(issue.path?.map(String).join(".") || issue.keys?.join(", ") || "settings")}: ${problemOf(issue, settings)}`,
      unknown: issue.code === "unrecognized_keys",
    })),
  };
}

interface StandardIssue {
  readonly code?: string;
  readonly message?: string;
  readonly expected?: string;
  readonly path?: readonly PropertyKey[];
  readonly keys?: readonly string[];
  readonly values?: readonly unknown[];
  /** What is too large or too small, and by which bound. */
  readonly origin?: string;
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
}
interface StandardValidator {
  validate(value: unknown): Promise<StandardResult> | StandardResult;
}
type StandardResult = { readonly value: unknown; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };

// What zod says by itself, about any check of a kind.
const WITHOUT_RULE = /^(?:Invalid(?: input| string|$)|Too (?:big|small):)/;

/** What is wrong with a setting: the rule that it breaks, and never its value. */
function problemOf(issue: StandardIssue, settings: unknown): string {
  const { code, expected, minimum, maximum, message } = issue;
  if (code === "unrecognized_keys") return "not a setting of this flavor";
  if (code === "invalid_value" && issue.values !== undefined)
    return `expected one of ${issue.values.map((value) => (typeof value === "string" ? JSON.stringify(value) : String(value))).join(", ")}`;
  if (expected !== undefined) return `expected ${expected}`;
  // A flavor says its rule in words. A refinement may repeat what it was given, and that may be a token.
  if (message !== undefined && !WITHOUT_RULE.test(message) && !isTold(settings, message)) return printable(message);
  const unit = issue.origin === "string" ? " characters" : "";
  if (code === "too_small" && minimum !== undefined) return `at least ${minimum}${unit}`;
  if (code === "too_big" && maximum !== undefined) return `at most ${maximum}${unit}`;
  return "not a value that is allowed here";
}

/** Whether a text repeats one of the texts in the settings. One or two characters are in every sentence. */
function isTold(settings: unknown, text: string, looked: Set<unknown> = new Set()): boolean {
  if (typeof settings === "string") return settings.length > 2 && text.includes(settings);
  // A client that was passed in may lead back to itself.
  if (typeof settings !== "object" || settings === null || looked.has(settings)) return false;
  looked.add(settings);
  return Object.values(settings).some((value) => isTold(value, text, looked));
}
