import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { type CaseDefinition, demand, fixtures, needsFault, writes } from "../definition.ts";
import { collect, type Lab, recordOf } from "../lab.ts";
import { everyMethod, managerOn, readingMethods, secretsError } from "../manager-lab.ts";

// Long enough for every call to have reached the driver, so that it is a call under way that is given up.
const SHORTEST_WAIT_MS = 20;

/** Failures as users see them. */
export const managedFailureCases: readonly CaseDefinition[] = [
  demand("manager: what is forbidden is never reported as missing", [fixtures, needsFault("deny")], async (lab) => {
    const { manager } = managerOn(lab);
    await lab.stored(lab.name("there"), { user: "etl" });
    await lab.fault("deny");
    for (const [method, call] of Object.entries(readingMethods(manager, "there")))
      assert.equal((await secretsError(method, call())).code, "permission_denied", method);
  }),

  demand(
    "manager: a write whose answer is lost says that it may have happened, or succeeds",
    [writes, needsFault("loseAnswer")],
    async (lab) => {
      const { manager } = managerOn(lab);
      await lab.fault("loseAnswer");
      const error = await manager.registerSecret({ name: "lost", values: { user: "etl" } }).then(
        () => undefined,
        (reason: unknown) => secretsError("registerSecret", Promise.reject(reason)),
      );
      if (error !== undefined) assert.equal(error.outcome, "unknown");
      await lab.expectContent(lab.name("lost"), recordOf({ user: "etl" }));
    },
  ),

  demand("manager: a listing with a page that fails never ends as if it were whole", [fixtures, needsFault("failPage")], async (lab) => {
    const { manager } = managerOn(lab);
    for (const name of ["a", "b"]) await lab.create(lab.name(name), recordOf({ name }));
    await lab.fault("failPage", 1);
    await secretsError("listSecrets", collect(manager.listSecrets()));
    if (lab.capabilities.writable) await secretsError("deleteAllSecrets", manager.deleteAllSecrets());
  }),

  demand("deadline: every call ends in time, also when the service never answers", [fixtures, needsFault("hang")], async (lab) => {
    const { manager } = managerOn(lab);
    await manager.capabilities();
    await lab.fault("hang");
    await Promise.all(
      callsOf(lab, { timeoutMs: lab.waitMs }, manager).map(async ([method, call]) => {
        assert.equal((await lab.patiently(method, secretsError(method, call()))).code, "timeout", method);
      }),
    );
  }),

  demand("abort: every call ends when it is given up, also when the service never answers", [fixtures, needsFault("hang")], async (lab) => {
    const { manager } = managerOn(lab);
    await manager.capabilities();
    await lab.fault("hang");
    const controller = new AbortController();
    const ending = callsOf(lab, { signal: controller.signal }, manager).map(async ([method, call]) => {
      const error = await lab.patiently(method, secretsError(method, call()));
      assert.equal(error.code, "aborted", method);
      if (method === "registerSecret") assert.equal(error.outcome, "unknown", "the outcome of a write that was under way");
      if (method === "getSecret") assert.equal(error.outcome, "not_applied", "the outcome of a read");
    });
    const giveUp = pause(Math.max(lab.waitMs / 5, SHORTEST_WAIT_MS)).then(() => controller.abort());
    await Promise.all([giveUp, ...ending]);
  }),
];

function callsOf(
  lab: Lab,
  call: { readonly timeoutMs?: number; readonly signal?: AbortSignal },
  manager: Parameters<typeof everyMethod>[0],
): [string, () => Promise<unknown>][] {
  return Object.entries(lab.capabilities.writable ? everyMethod(manager, "name", call) : readingMethods(manager, "name", call));
}
