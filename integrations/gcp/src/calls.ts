import { setTimeout as pause } from "node:timers/promises";
import type { ErrorInfo } from "@coffer/core";
import { CallFailure, classify } from "./errors.ts";
import type { Bounds, Method, Methods, Service } from "./service.ts";
import type { Trip } from "./wire.ts";

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 10_000;

/** What may be sent again although an earlier attempt could have been carried out. */
const REPEATABLE: ReadonlySet<Method> = new Set([
  "accessSecretVersion",
  "getSecret",
  "listSecrets",
  "listSecretVersions",
  "createSecret",
  "deleteSecret",
]);

/**
 * Requests with their retries: after throttling, while the service is briefly not there, and, for methods whose repetition shows or does no harm, after a lost
 * answer. Waits grow, differ, honour Retry-After, and never outlast the call.
 */
export class Calls {
  readonly #service: Service;
  readonly #retries: number;

  constructor(service: Service, retries: number) {
    this.#service = service;
    this.#retries = retries;
  }

  parent(bounds: Bounds): Promise<string> {
    return within(this.#service.parent(bounds), bounds);
  }

  /** @throws CallFailure; its `lost` says that an earlier attempt may have been carried out */
  async send<Name extends Method>(method: Name, request: Methods[Name]["request"], bounds: Bounds): Promise<Methods[Name]["answer"]> {
    let lost = false;
    for (let attempt = 0; ; attempt += 1) {
      const trip: Trip = { sent: false };
      try {
        const { signal, deadline } = bounds;
        signal.throwIfAborted();
        return await within(this.#service.send(method, request, { signal, deadline, trip }), bounds);
      } catch (error) {
        const info = classify(error, { operation: "replace" });
        const wait = waitAfter(error, attempt);
        const inTime = performance.now() + wait < bounds.deadline && !bounds.signal.aborted;
        if (!(error instanceof CallFailure)) throw error;
        if (attempt >= this.#retries || !inTime || !passes(info, method)) throw new CallFailure(error.raw(), error.trip, lost, trip.host);
        lost ||= info.outcome === "unknown";
        await pause(wait, undefined, { signal: bounds.signal });
      }
    }
  }

  close(): Promise<void> {
    return this.#service.close();
  }
}

function passes({ code, outcome }: ErrorInfo, method: Method): boolean {
  if (code === "throttled") return outcome === "not_applied" || REPEATABLE.has(method);
  return code === "unavailable" && (outcome === "not_applied" || REPEATABLE.has(method));
}

/** How long to wait before the next attempt, in milliseconds: longer each time, never twice the same, and at least as long as the service asks. */
export function waitAfter(error: unknown, attempt: number): number {
  const asked = error instanceof CallFailure ? (error.trip?.retryAfterMs ?? 0) : 0;
  return Math.max(asked, Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS) * (0.5 + Math.random()));
}

/** A promise as long as it may be waited for. The SDK does not give up while it fetches a token. */
export async function within<Result>(promise: Promise<Result>, { signal, deadline }: Bounds): Promise<Result> {
  let end = (): void => {};
  const giveUp = new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => reject(new CallFailure(signal.reason, undefined, false));
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    // The SDK, which knows more, is given a moment to say the same.
    const timer = setTimeout(
      () => reject(new CallFailure(new DOMException("The call took too long", "TimeoutError"), undefined, false)),
      Math.max(0, deadline - performance.now()) + 100,
    );
    end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    };
  });
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, giveUp]);
  } finally {
    end();
  }
}
