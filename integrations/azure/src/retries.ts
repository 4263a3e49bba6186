import { setTimeout as pause } from "node:timers/promises";
import { TransportError, type WireAnswer, type WireRequest } from "./transport.ts";

/** How often a request is sent at most. */
export const ATTEMPTS = 4;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 4_000;

/**
 * Sends a request, again where that is safe: any request that the service has refused to look at (429) or that never reached it, and one that changes
 * nothing also after a lost answer and a failing service. A write whose answer is lost is not repeated here: the driver looks what became of it first.
 * Waits as long as `Retry-After` says, but not beyond the deadline: then the refusal is the answer.
 * @param deadline on the clock of `performance.now()`
 */
export async function sendWithRetries(
  send: (request: WireRequest) => Promise<WireAnswer>,
  request: WireRequest,
  deadline: number,
): Promise<WireAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    let answer: WireAnswer | undefined;
    let trouble: unknown;
    try {
      answer = await send(request);
    } catch (error) {
      trouble = error;
    }
    const again = answer === undefined ? mayRepeatAfter(trouble, request) : mayRepeat(answer.status, request);
    const wait = waitMs(attempt, answer?.headers);
    if (!again || attempt === ATTEMPTS || performance.now() + wait >= deadline) {
      if (answer === undefined) throw trouble;
      return answer;
    }
    await pause(wait, undefined, request.signal === undefined ? {} : { signal: request.signal });
  }
}

function changesNothing({ method, url }: WireRequest): boolean {
  // A token is asked for with POST.
  return method === "GET" || (method === "POST" && url.endsWith("/token"));
}

function mayRepeat(status: number, request: WireRequest): boolean {
  if (status === 429) return true;
  return changesNothing(request) && (status === 408 || (status >= 500 && status !== 501 && status !== 505));
}

function mayRepeatAfter(trouble: unknown, request: WireRequest): boolean {
  return trouble instanceof TransportError && trouble.trouble === "network" && (!trouble.sent || changesNothing(request));
}

/** What the service asks for, or a growing time with chance in it, so that many clients do not come back together. */
function waitMs(attempt: number, headers: Readonly<Record<string, string>> = {}): number {
  const asked = headers["retry-after"];
  if (asked !== undefined) {
    const seconds = Number(asked);
    const until = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(asked) - Date.now();
    if (Number.isFinite(until)) return Math.max(0, until);
  }
  return Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS) * (0.5 + Math.random() / 2);
}
