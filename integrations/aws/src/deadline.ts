import { type CallOptions, DriverError } from "@coffer/core";

/**
 * Runs one request, for no longer than its call may take. The signal that it gets covers both reasons to stop, and nobody waits for what does not listen to it:
 * credentials, for example, are fetched by parts of the SDK that hear of no signal.
 * @throws DriverError `timeout` when the time is over; after an abort whatever the request fails with
 */
export async function boundedCall<Result>(options: CallOptions, run: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  options.signal.throwIfAborted();
  const remaining = options.deadline - performance.now();
  if (remaining <= 0) throw new DriverError("timeout");
  const limit = new AbortController();
  const forward = (): void => limit.abort(options.signal.reason);
  options.signal.addEventListener("abort", forward, { once: true });
  const timer = setTimeout(() => limit.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError")), remaining);
  try {
    return await Promise.race([run(limit.signal), ended(limit.signal)]);
  } catch (error) {
    if (limit.signal.aborted && (limit.signal.reason as Error | undefined)?.name === "TimeoutError")
      throw new DriverError("timeout", error);
    throw error;
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener("abort", forward);
  }
}

/** Waits between two requests of one call; ends early, and without an error, when the call must stop. */
export async function wait(milliseconds: number, { signal }: CallOptions): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done, { once: true });
  });
}

function ended(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
