import { retried, type WireAnswer, type WireRequest } from "@coffer/core/transport";
import { refusalIn, refusesDots } from "./answers.ts";
import { jsonIn } from "./json.ts";

/** How often a request is repeated, and until when, on the clock of `performance.now()`. */
export interface RetryLimits {
  readonly retries: number;
  readonly deadline: number;
}

/** Sends a request, again where that is safe. */
export function sendWithRetries(
  send: (request: WireRequest) => Promise<WireAnswer>,
  request: WireRequest,
  { retries, deadline }: RetryLimits,
): Promise<WireAnswer> {
  return retried(send, request, { attempts: retries + 1, deadline, isUnseen, isFinal });
}

// 412: a standby has not heard of our last write yet. 429: a quota.
function isUnseen({ status }: WireAnswer): boolean {
  return status === 429 || status === 412;
}

/** The refusal of a name is a failure of the server in its own words, and always the same. */
function isFinal({ status, text }: WireAnswer): boolean {
  return refusesDots(refusalIn(status, jsonIn(text)));
}
