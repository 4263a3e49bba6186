import { setTimeout as pause } from "node:timers/promises";
import { refusalIn, refusesDots } from "./answers.ts";
import { TransportError, type WireAnswer, type WireRequest } from "./transport.ts";

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 4_000;

/** How often a request is repeated, and until when, on the clock of `performance.now()`. */
export interface RetryLimits {
  readonly retries: number;
  readonly deadline: number;
}

/**
 * Sends a request, again where that is safe: any request that the service has refused to look at (429, 412) or that never reached it, and one that changes
 * nothing also after a lost answer and a failing service. A write whose answer is lost is not repeated here: the driver looks what became of it first.
 * Waits as long as `Retry-After` says, but not beyond the deadline: then the refusal is the answer.
 */
export async function sendWithRetries(
  send: (request: WireRequest) => Promise<WireAnswer>,
  request: WireRequest,
  { retries, deadline }: RetryLimits,
): Promise<WireAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    let answer: WireAnswer | undefined;
    let trouble: unknown;
    try {
      answer = await send(request);
    } catch (error) {
      trouble = error;
    }
    const again = answer === undefined ? isRepeatableTrouble(trouble, request) : isRepeatable(answer, request);
    const wait = waitMs(attempt, answer?.headers["retry-after"]);
    if (!again || attempt > retries || performance.now() + wait >= deadline) {
      if (answer === undefined) throw trouble;
      return answer;
    }
    await pause(wait, undefined, request.signal === undefined ? {} : { signal: request.signal });
  }
}

// 412: a standby has not heard of our last write yet. 429: a quota.
function isRepeatable({ status, body }: WireAnswer, { method }: WireRequest): boolean {
  if (status === 429 || status === 412) return true;
  return method === "GET" && status >= 500 && status !== 501 && !refusesDots(refusalIn(status, body));
}

function isRepeatableTrouble(trouble: unknown, { method }: WireRequest): boolean {
  return trouble instanceof TransportError && trouble.trouble === "network" && (!trouble.sent || method === "GET");
}

/** What the service asks for, or a growing time with chance in it, so that many clients do not come back together. */
function waitMs(attempt: number, retryAfter: string | undefined): number {
  const seconds = Number(retryAfter ?? Number.NaN);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  return Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS) * (0.5 + Math.random() / 2);
}
