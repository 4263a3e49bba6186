import { setImmediate as yieldToOthers } from "node:timers/promises";
import { DriverError } from "@coffer/core";
import { isBusy } from "./errors.ts";

/** How long a call may wait: a part of the options of every call of a driver. */
export interface Patience {
  readonly signal: AbortSignal;
  /** Milliseconds on the clock of `performance.now()`. */
  readonly deadline: number;
}

const QUICK_ATTEMPTS = 3;
const LONGEST_PAUSE_MS = 25;
const TIMER_SLACK_MS = 2;

/**
 * Tries until SQLite no longer gives way to another process. The event loop runs on between two attempts, and the wait ends at once when the
 * caller gives up; nothing was written by then.
 * @throws DriverError `timeout` or `aborted`
 */
export async function whenFree<Result>(patience: Patience, attempt: () => Result): Promise<Result> {
  for (let failures = 0; ; failures += 1) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error)) throw error;
      assertPatient(patience);
    }
    // Most writes are over in less time than the shortest timer.
    if (failures < QUICK_ATTEMPTS) await yieldToOthers();
    else await pause(Math.min(LONGEST_PAUSE_MS, 2 ** (failures - QUICK_ATTEMPTS)) * (0.5 + Math.random()), patience);
  }
}

/** @throws DriverError `timeout` or `aborted` when the caller has given up */
export function assertPatient({ signal, deadline }: Patience): void {
  if (performance.now() >= deadline) throw timedOut();
  if (signal.aborted) throw givenUp(deadline);
}

// Timers fire up to a millisecond early, also the one that aborts the signal when the deadline has come.
function givenUp(deadline: number): DriverError {
  return performance.now() >= deadline - TIMER_SLACK_MS ? timedOut() : new DriverError("aborted");
}

function timedOut(): DriverError {
  return new DriverError("timeout", undefined, {
    safeMessage: "Another process kept the store busy.",
    hint: "Try again, or allow more time; a process that is stopped in the middle of a write keeps the store locked.",
  });
}

function pause(milliseconds: number, patience: Patience): Promise<void> {
  const { signal, deadline } = patience;
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      try {
        assertPatient(patience);
        resolve();
      } catch (error) {
        reject(error);
      }
    };
    const timer = setTimeout(finish, Math.max(0, Math.min(milliseconds, deadline - performance.now())));
    signal.addEventListener("abort", finish, { once: true });
  });
}

/**
 * The result of work that others may wait for too; this caller leaves when its own patience ends.
 * @throws DriverError `timeout` or `aborted`
 */
export function untilImpatient<Result>(work: Promise<Result>, patience: Patience): Promise<Result> {
  const { signal, deadline } = patience;
  return new Promise<Result>((resolve, reject) => {
    const stop = (): void => {
      finish(() => reject(givenUp(deadline)));
    };
    const timer = Number.isFinite(deadline)
      ? setTimeout(stop, Math.min(Math.max(0, deadline - performance.now()), 2 ** 31 - 1))
      : undefined;
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      settle();
    };
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    work.then(
      (result) => finish(() => resolve(result)),
      (error: unknown) => finish(() => reject(error)),
    );
  });
}
