import { DriverError } from "@coffer/core";
import { classifyVaultError, isLost } from "./errors.ts";

/**
 * Writes, and looks when the answer is lost. What is found to have happened is a success; what has not is tried once more, and what nobody can tell is
 * an error that says so.
 * @param found looks whether this very write has happened, and answers its result
 */
export async function writeOnce<Result>(
  act: () => Promise<Result>,
  found: () => Promise<{ readonly result: Result } | undefined>,
): Promise<Result> {
  let lost: unknown;
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      // Whatever refuses the second attempt: the first one may still arrive.
      if (lost === undefined && !isLost(error)) throw error;
      lost = error;
    }
    let happened: { readonly result: Result } | undefined;
    try {
      happened = await found();
    } catch {
      throw unsure(lost);
    }
    if (happened !== undefined) return happened.result;
  }
  throw unsure(lost);
}

/** A write of which nobody can tell whether it has happened. */
export function unsure(error: unknown): DriverError {
  const info = DriverError.isInstance(error) ? error.info : classifyVaultError(error, { operation: "replace" });
  return new DriverError(info.code, DriverError.isInstance(error) ? error.raw() : error, {
    ...info,
    outcome: "unknown",
    hint: "Read the secret to see whether the change has happened.",
  });
}
