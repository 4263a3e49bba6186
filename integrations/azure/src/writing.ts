import { setTimeout as pause } from "node:timers/promises";
import { type CallOptions, DriverError } from "@coffer/core";
import { classifyAzureError, isLost, isUnderWay } from "./errors.ts";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/** Waits a growing while before something is tried again; `false` when the deadline comes first. */
export async function waited(attempt: number, options: CallOptions): Promise<boolean> {
  const wait = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS) * (0.75 + Math.random() / 4);
  if (performance.now() + wait >= options.deadline) return false;
  await pause(wait, undefined, { signal: options.signal });
  return true;
}

/** Does something again as long as a deletion or a recovery of the name is under way in the vault, which takes some seconds. */
export async function whenSettled<Result>(options: CallOptions, act: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      if (!isUnderWay(error) || !(await waited(attempt, options))) throw error;
    }
  }
}

/**
 * Writes, and looks when the answer is lost. What is found to have happened is a success; what has not is tried once more, and what nobody can tell is
 * an error that says so.
 * @param found looks whether this very write has happened, and answers its result
 */
export async function writeOnce<Result>(
  act: () => Promise<Result>,
  found: () => Promise<{ readonly result: Result } | undefined>,
): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    if (!isLost(error)) throw error;
    const first = await looked(error, found);
    if (first !== undefined) return first.result;
  }
  try {
    return await act();
  } catch (error) {
    const second = await looked(error, found);
    if (second !== undefined) return second.result;
    // Also when the second attempt was refused outright: the first one may still arrive.
    throw unsure(error);
  }
}

async function looked<Result>(
  error: unknown,
  found: () => Promise<{ readonly result: Result } | undefined>,
): Promise<{ readonly result: Result } | undefined> {
  try {
    return await found();
  } catch {
    throw unsure(error);
  }
}

function unsure(error: unknown): DriverError {
  const info = DriverError.isInstance(error) ? error.info : classifyAzureError(error, { operation: "replace" });
  return new DriverError(info.code, DriverError.isInstance(error) ? error.raw() : error, {
    ...info,
    outcome: "unknown",
    hint: "Read the secret to see whether the change has happened.",
  });
}
