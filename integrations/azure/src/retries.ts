import { retried, type WireAnswer, type WireRequest } from "@coffer/core/transport";

/** How often a request is sent at most. */
export const ATTEMPTS = 4;

/**
 * Sends a request, again where that is safe.
 * @param deadline on the clock of `performance.now()`
 */
export function sendWithRetries(
  send: (request: WireRequest) => Promise<WireAnswer>,
  request: WireRequest,
  deadline: number,
): Promise<WireAnswer> {
  return retried(send, request, { attempts: ATTEMPTS, deadline, changesNothing });
}

function changesNothing({ method, url }: WireRequest): boolean {
  // A token is asked for with POST.
  return method === "GET" || (method === "POST" && url.endsWith("/token"));
}
