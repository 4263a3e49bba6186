import { DriverError, type Operation, type SecretsManagerDriver } from "@coffer/core";
import { MemoryServiceError } from "../../src/index.ts";
import { all, type BrokenDriver, callOf, explaining, storing, unless } from "./breaking.ts";

/** Says of a lost answer to this call that nothing has happened. */
function sureOf(operation: Operation): BrokenDriver["breaks"] {
  return (driver) =>
    explaining(driver, (info, error, of) =>
      of === operation && error instanceof MemoryServiceError && error.code === "ECONNRESET" ? { ...info, outcome: "not_applied" } : info,
    );
}

/** Is of no use any more after this call was given up. */
function spoilt(driver: SecretsManagerDriver, name: "read" | "replace"): Partial<SecretsManagerDriver> {
  let stuck = false;
  const call = driver[name] as (...args: unknown[]) => Promise<unknown>;
  const spoiling = async (...args: unknown[]): Promise<unknown> => {
    if (stuck) throw new DriverError("unavailable");
    const options = args.at(-1) as { readonly signal: AbortSignal };
    try {
      return await call(...args);
    } finally {
      stuck = options.signal.aborted;
    }
  };
  return { [name]: spoiling };
}

export const BROKEN_FAILURES: readonly BrokenDriver[] = [
  {
    defect: "tells an empty history of what is forbidden",
    breaks: (driver) => ({
      async *history(name, options) {
        yield* await unless(
          driver,
          "history",
          "permission_denied",
          () => all(driver.history?.(name, options)),
          () => [],
        );
      },
    }),
    own: "failure: what is forbidden is permission_denied in every call, never missing",
  },
  {
    defect: "reads what is forbidden as missing",
    breaks: (driver) => ({
      read: (name, options) =>
        unless(
          driver,
          "read",
          "permission_denied",
          () => driver.read(name, options),
          () => undefined,
        ),
    }),
    own: "failure: what is forbidden is permission_denied in every call, never missing",
    also: ["manager: what is forbidden is never reported as missing"],
    because: "the manager can only tell what its driver tells",
  },
  {
    defect: "calls a refused credential forbidden",
    breaks: (driver) => explaining(driver, (info) => (info.code === "unauthenticated" ? { ...info, code: "permission_denied" } : info)),
    own: "failure: a credential that is not accepted is unauthenticated in every call",
  },
  {
    defect: "cannot tell an unreachable service from a lost answer",
    breaks: (driver) =>
      explaining(driver, (info, error) =>
        error instanceof MemoryServiceError && error.code === "ECONNREFUSED" ? { ...info, outcome: "unknown" } : info,
      ),
    own: "failure: a service out of reach is unavailable in every call, and nothing was applied",
  },
  {
    defect: "says that throttling is final",
    breaks: (driver) => explaining(driver, (info) => (info.code === "throttled" ? { ...info, retryable: false } : info)),
    own: "failure: throttling is throttled in every call, and can be tried again",
  },
  {
    defect: "takes the 404 of a proxy for the service's",
    breaks: (driver) =>
      explaining(driver, (info, error) =>
        error instanceof MemoryServiceError && error.status === 404 ? { ...info, code: "not_found" } : info,
      ),
    own: "failure: an answer that is not the service's is never taken for one",
  },
  {
    defect: "writes twice after a moment of throttling",
    breaks: (driver) => ({
      create: (name, record, options) =>
        unless(
          driver,
          "create",
          "throttled",
          () => driver.create(name, record, options),
          async () => {
            await driver.create(name, record, options);
            return driver.replace(name, record, { ...callOf(options), adopt: false });
          },
        ),
    }),
    own: "failure: after a moment of throttling the same call works, and has worked once",
  },
  {
    defect: "says that a create did not happen when its answer was lost",
    breaks: sureOf("create"),
    own: "failure: a create whose answer is lost is known to have succeeded, or its outcome is unknown",
    also: ["manager: a write whose answer is lost says that it may have happened, or succeeds"],
    because: "the write of that case is a create",
  },
  {
    defect: "says that a replace did not happen when its answer was lost",
    breaks: sureOf("replace"),
    own: "failure: a replace whose answer is lost is known to have succeeded, or its outcome is unknown",
  },
  {
    defect: "says that a delete did not happen when its answer was lost",
    breaks: sureOf("delete"),
    own: "failure: a delete whose answer is lost is known to have succeeded, or its outcome is unknown",
  },
  {
    defect: "classifies with a table that fails on what it does not know",
    breaks: (driver) => ({
      classify: (error, context) => driver.classify(error instanceof Error ? error : { reason: (error as Error).message }, context),
    }),
    own: "classify: explains whatever is thrown, with a code, and never as not_found",
  },
  {
    defect: "passes the text of any error on",
    breaks: (driver) =>
      explaining(driver, (info, error) =>
        error instanceof Error && !(error instanceof MemoryServiceError) ? { ...info, safeMessage: error.message } : info,
      ),
    own: "classify: says nothing of an error that it does not know",
  },
  {
    defect: "keeps its connection when a read is given up",
    breaks: (driver) => spoilt(driver, "read"),
    own: "abort: reads that are given up leave the driver usable",
  },
  {
    defect: "keeps its lock when a write is given up",
    breaks: (driver) => spoilt(driver, "replace"),
    own: "abort: writes that are given up happen whole or not at all, and leave the driver usable",
  },
  {
    defect: "waits for a lock for ever",
    breaks: (driver) => {
      let given = false;
      return {
        replace: async (name, record, options) => {
          if (given) await new Promise<never>(() => {});
          try {
            return await driver.replace(name, record, options);
          } finally {
            given = options.signal.aborted;
          }
        },
      };
    },
    own: "abort: writes that are given up happen whole or not at all, and leave the driver usable",
  },
  {
    defect: "calls the service down when the manager has given up",
    breaks: (driver) => ({
      read: (name, options) =>
        Promise.race([
          driver.read(name, options),
          new Promise<never>((_resolve, reject) => {
            options.signal.addEventListener("abort", () => reject(new DriverError("unavailable")));
          }),
        ]),
    }),
    own: "deadline: every call ends in time, also when the service never answers",
    also: ["abort: every call ends when it is given up, also when the service never answers"],
    because: "the driver cannot tell the two apart, and must not try",
  },
  {
    defect: "answers after it was closed",
    breaks: () => ({ close: async () => {} }),
    own: "contract: close ends, and a closed driver answers nothing",
  },
  {
    defect: "declares other limits than it has",
    breaks: (driver) => ({ capabilities: { ...driver.capabilities, maxInFlight: 64 } }),
    own: "contract: the driver declares what the subject says",
  },
  {
    defect: "declares that nothing may be under way",
    capabilities: { maxInFlight: 0 },
    breaks: () => ({}),
    own: "contract: declared limits are numbers that can be worked with",
  },
  {
    defect: "has a call that it does not declare",
    capabilities: { restore: false },
    breaks: () => ({ restore: async () => {} }),
    own: "contract: optional calls are there exactly when a capability declares them",
  },
  {
    defect: "declares a call that it lacks",
    breaks: () => ({ restore: undefined as never }),
    own: "contract: optional calls are there exactly when a capability declares them",
    also: [
      "restore: a deleted secret comes back with its last content",
      "restore: a name that never existed is refused with not_found",
      "restore: a secret that is not deleted is refused with not_found, and stays as it is",
      "restore: a secret that was deleted for good is refused with not_found",
      "manager: what was deleted can be restored",
    ],
    because: "there is nothing to call",
  },
  {
    defect: "loses what follows a reference in a text",
    breaks: (driver) => storing(driver, (value) => value.replace(/(\{\{a\.b\}\}).+$/s, "$1")),
    own: "random: whatever is stored comes back, under whatever name",
  },
  {
    defect: "forgets a secret when it is replaced for the fifth time",
    breaks: (driver) => {
      const times = new Map<string, number>();
      return {
        replace: async (name, record, options) => {
          const revision = await driver.replace(name, record, options);
          times.set(name, (times.get(name) ?? 0) + 1);
          if (times.get(name) === 5) await driver.delete(name, { ...callOf(options), immediate: true });
          return revision;
        },
      };
    },
    own: "random: any row of writes and deletes leaves what it should",
  },
];
