import assert from "node:assert/strict";
import type { ErrorCode, ErrorInfo, Operation, Outcome } from "@coffer/core";
import { type CaseDefinition, demand, fixtures, needsFault, writes } from "../definition.ts";
import { collect, type Lab, recordOf } from "../lab.ts";

/** What the driver says when its service fails. */
export const failureCases: readonly CaseDefinition[] = [
  demand("failure: what is forbidden is permission_denied in every call, never missing", [fixtures, needsFault("deny")], (lab) =>
    everyCall(
      lab,
      () => lab.fault("deny"),
      (info) => mismatch(info, { codes: ["permission_denied"], retryable: false, outcome: "not_applied" }),
    ),
  ),

  demand("failure: a credential that is not accepted is unauthenticated in every call", [fixtures, needsFault("unauthenticated")], (lab) =>
    everyCall(
      lab,
      () => lab.fault("unauthenticated"),
      (info) => mismatch(info, { codes: ["unauthenticated"], retryable: false, outcome: "not_applied" }),
    ),
  ),

  demand(
    "failure: a service out of reach is unavailable in every call, and nothing was applied",
    [fixtures, needsFault("unreachable")],
    (lab) =>
      everyCall(
        lab,
        () => lab.fault("unreachable"),
        (info) => mismatch(info, { codes: ["unavailable"], retryable: true, outcome: "not_applied" }),
      ),
  ),

  demand("failure: throttling is throttled in every call, and can be tried again", [fixtures, needsFault("throttle")], (lab) =>
    everyCall(
      lab,
      () => lab.fault("throttle", 1_000_000),
      (info) => mismatch(info, { codes: ["throttled"], retryable: true, outcome: "not_applied" }),
    ),
  ),

  demand("failure: an answer that is not the service's is never taken for one", [fixtures, needsFault("garble")], (lab) =>
    everyCall(
      lab,
      () => lab.fault("garble"),
      (info) => mismatch(info, { codes: ["unavailable", "unknown", "corrupt"] }),
    ),
  ),

  demand(
    "failure: after a moment of throttling the same call works, and has worked once",
    [writes, needsFault("throttle")],
    async (lab) => {
      const name = lab.name("throttled");
      await lab.fault("throttle", 1);
      // An SDK that waits and tries again has done so already; otherwise the caller does.
      const info = await lab.create(name, recordOf({ user: "etl" })).then(
        () => undefined,
        (error: unknown) => lab.explain(error, "create"),
      );
      if (info !== undefined) {
        assert.equal(info.code, "throttled");
        await lab.create(name, recordOf({ user: "etl" }));
      }
      await lab.expectContent(name, recordOf({ user: "etl" }));
      await expectOneRevision(lab, name);
    },
  ),

  demand(
    "failure: a create whose answer is lost is known to have succeeded, or its outcome is unknown",
    [writes, needsFault("loseAnswer")],
    async (lab) => {
      const name = lab.name("lost");
      await lab.fault("loseAnswer");
      await expectUnknown(lab, "create", lab.create(name, recordOf({ user: "etl" })));
      await lab.expectContent(name, recordOf({ user: "etl" }));
      await expectOneRevision(lab, name);
    },
  ),

  demand(
    "failure: a replace whose answer is lost is known to have succeeded, or its outcome is unknown",
    [writes, needsFault("loseAnswer")],
    async (lab) => {
      const name = lab.name("lost");
      await lab.stored(name, { user: "first" });
      await lab.fault("loseAnswer");
      await expectUnknown(lab, "replace", lab.replace(name, recordOf({ user: "second" })));
      await lab.expectContent(name, recordOf({ user: "second" }));
    },
  ),

  demand(
    "failure: a delete whose answer is lost is known to have succeeded, or its outcome is unknown",
    [writes, needsFault("loseAnswer")],
    async (lab) => {
      const name = lab.name("lost");
      await lab.stored(name, { user: "first" });
      await lab.fault("loseAnswer");
      await expectUnknown(lab, "delete", lab.delete(name));
      await lab.expectMissing(name);
    },
  ),
];

/** Runs every call of the driver under a fault; each must fail, and its explanation must hold against the check. */
async function everyCall(lab: Lab, breakIt: () => Promise<void>, check: (info: ErrorInfo) => string | undefined): Promise<void> {
  const { driver, capabilities } = lab;
  const name = lab.name("there");
  await lab.stored(name, { user: "etl" });
  await breakIt();
  const record = recordOf({ user: "other" });
  const calls: [Operation, () => Promise<unknown>][] = [
    ["read", () => lab.read(name)],
    ["list", () => lab.list()],
  ];
  if (driver.listPages !== undefined)
    calls.push(["list", async () => collect(driver.listPages?.({ ...lab.call(), prefix: lab.prefix }) ?? nothing())]);
  const names = async function* (): AsyncIterable<string> {
    yield name;
  };
  if (capabilities.writable) {
    calls.push(
      ["create", () => lab.create(lab.name("new"), record, { driver })],
      ["replace", () => lab.replace(name, record)],
      ["delete", () => lab.delete(name)],
    );
    if (capabilities.restore && driver.restore !== undefined) calls.push(["restore", async () => driver.restore?.(name, lab.call())]);
  }
  if (capabilities.revisions && driver.history !== undefined)
    calls.push(["history", async () => collect(driver.history?.(name, lab.call()) ?? nothing())]);
  if (capabilities.batchSize > 1 && driver.readMany !== undefined) {
    calls.push([
      "read_many",
      async () => {
        for await (const outcome of driver.readMany?.(names(), lab.call()) ?? nothing()) if ("error" in outcome) throw outcome.error;
      },
    ]);
  }
  const problems: string[] = [];
  for (const [operation, call] of calls) {
    try {
      await lab.patiently(operation, call());
      problems.push(`${operation} answered as if nothing had happened`);
    } catch (error) {
      const problem = error instanceof assert.AssertionError ? error.message : check(lab.explain(error, operation));
      if (problem !== undefined) problems.push(`${operation}: ${problem}`);
    }
  }
  assert.deepEqual(problems, []);
}

async function* nothing(): AsyncIterable<never> {}

function mismatch(
  info: ErrorInfo,
  wanted: { readonly codes: readonly ErrorCode[]; readonly retryable?: boolean; readonly outcome?: Outcome },
): string | undefined {
  if (!wanted.codes.includes(info.code)) return `the code is ${info.code} instead of ${wanted.codes.join(" or ")}`;
  if (wanted.retryable !== undefined && info.retryable !== wanted.retryable) return `retryable is ${info.retryable}`;
  if (wanted.outcome !== undefined && info.outcome !== wanted.outcome) return `the outcome is ${info.outcome} instead of ${wanted.outcome}`;
  return undefined;
}

/** The call succeeds (the driver found out) or fails with an unknown outcome; it never says that the write did not happen. */
async function expectUnknown(lab: Lab, operation: Operation, promise: Promise<unknown>): Promise<void> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    const info = lab.explain(error, operation);
    assert.equal(info.outcome, "unknown", `the outcome of a ${operation} whose answer was lost (${info.code})`);
  }
}

async function expectOneRevision(lab: Lab, name: string): Promise<void> {
  const { driver } = lab;
  if (driver.history === undefined) return;
  const revisions = await lab.patiently("history", collect(driver.history(name, lab.call())));
  assert.equal(revisions.length, 1, "the revisions of a secret that was created once");
}
