import assert from "node:assert/strict";
import { inspect } from "node:util";
import type { ErrorInfo, Operation } from "@coffer/core";
import { ERROR_CODES } from "@coffer/core";
import { type CaseDefinition, demand } from "../definition.ts";

const OPERATIONS: readonly Operation[] = [
  "open",
  "read",
  "create",
  "replace",
  "delete",
  "list",
  "read_many",
  "history",
  "restore",
  "close",
];

/** The table of errors, on errors that nobody foresaw. */
export const classifyCases: readonly CaseDefinition[] = [
  demand("classify: explains whatever is thrown, with a code, and never as not_found", [], async (lab) => {
    const problems: string[] = [];
    for (const error of strangeErrors()) {
      for (const operation of OPERATIONS) {
        const where = `${inspect(error, { depth: 0 })} in ${operation}`;
        try {
          const problem = invalid(lab.driver.classify(error, { operation }));
          if (problem !== undefined) problems.push(`${where}: ${problem}`);
        } catch {
          problems.push(`${where}: classify threw`);
        }
      }
    }
    assert.deepEqual(problems, []);
  }),

  demand("classify: says nothing of an error that it does not know", [], async (lab) => {
    for (const operation of OPERATIONS) {
      const info = lab.driver.classify(new Error("canary-of-an-unknown-error", { cause: new Error("canary-of-a-cause") }), { operation });
      assert.doesNotMatch(JSON.stringify(info), /canary/, `what classify says of an unknown error in ${operation}`);
    }
  }),
];

function strangeErrors(): unknown[] {
  const circular: Record<string, unknown> = { name: "Circular" };
  circular["self"] = circular;
  return [
    undefined,
    null,
    0,
    "",
    "text",
    true,
    12n,
    Symbol("symbol"),
    [],
    {},
    Object.create(null),
    circular,
    () => {},
    new Error("unknown"),
    new TypeError("fetch failed"),
    Object.freeze(new RangeError("frozen")),
    new AggregateError([new Error("one"), null], "several"),
    new DOMException("This operation was aborted", "AbortError"),
    new DOMException("The operation was aborted due to timeout", "TimeoutError"),
    { code: null, status: "teapot", message: 42, response: null, cause: undefined },
    { code: "NO_SUCH_CODE", status: 999, name: Symbol("name"), $metadata: null },
  ];
}

const CODES: ReadonlySet<string> = new Set(ERROR_CODES);

function invalid(info: unknown): string | undefined {
  if (typeof info !== "object" || info === null) return "the answer is no object";
  const { code, retryable, outcome, status, requestId, safeMessage } = info as { readonly [Key in keyof ErrorInfo]: unknown };
  if (typeof code !== "string" || !CODES.has(code)) return "the code is none of ERROR_CODES";
  if (code === "not_found") return "an error that nobody knows is no proof that a secret is missing";
  if (typeof retryable !== "boolean") return "retryable is no boolean";
  if (outcome !== "not_applied" && outcome !== "unknown") return "the outcome is neither not_applied nor unknown";
  if (status !== undefined && typeof status !== "number") return "status is no number";
  for (const text of [requestId, safeMessage])
    if (text !== undefined && typeof text !== "string") return "requestId and safeMessage are text";
  return undefined;
}
