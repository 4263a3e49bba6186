import { CLOSED, TransportError, type WireAnswer, type WireRequest } from "./transport.ts";

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 4_000;

/** How often a request is sent, and again after what. */
export interface RetryRules {
  /** How often it is sent at most. */
  readonly attempts: number;
  /** No attempt begins later; on the clock of `performance.now()`. */
  readonly deadline: number;
  /** Whether a request changes nothing, so that it may be sent again whatever became of it: GET by default. */
  changesNothing?(request: WireRequest): boolean;
  /** Whether with this answer the service has refused to look at the request, so that it may be sent again whatever it is: status 429 by default. */
  isUnseen?(answer: WireAnswer): boolean;
  /** Whether the failure of the service is one that will be the same the next time. */
  isFinal?(answer: WireAnswer): boolean;
}

/**
 * Sends a request, again where that is safe: any request that the service has refused to look at or that never reached it, and one that changes nothing
 * also after a lost answer and a failing service. A write whose answer is lost is not repeated here: the driver looks what became of it first. Waits as long as
 * `Retry-After` says, but not beyond the deadline: then the refusal is the answer.
 * @throws whatever the last attempt failed with
 */
export async function retried(
  send: (request: WireRequest) => Promise<WireAnswer>,
  request: WireRequest,
  rules: RetryRules,
): Promise<WireAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    let answer: WireAnswer | undefined;
    let trouble: unknown;
    try {
      answer = await send(request);
    } catch (error) {
      trouble = error;
    }
    const again = answer === undefined ? mayRepeatAfter(trouble, request, rules) : mayRepeat(answer, request, rules);
    const wait = waitMs(attempt, answer?.headers["retry-after"]);
    if (!again || attempt >= rules.attempts || performance.now() + wait >= rules.deadline) {
      if (answer === undefined) throw trouble;
      return answer;
    }
    await pause(wait, request.signal);
  }
}

function isRead({ method }: WireRequest): boolean {
  return method === "GET";
}

function mayRepeat(answer: WireAnswer, request: WireRequest, rules: RetryRules): boolean {
  const { status } = answer;
  const { isUnseen = () => status === 429, changesNothing = isRead, isFinal = () => false } = rules;
  if (isUnseen(answer)) return true;
  // 501 and 505 say what the service cannot do at all.
  const failing = status === 408 || (status >= 500 && status !== 501 && status !== 505);
  return failing && changesNothing(request) && !isFinal(answer);
}

function mayRepeatAfter(trouble: unknown, request: WireRequest, { changesNothing = isRead }: RetryRules): boolean {
  if (!(trouble instanceof TransportError) || trouble.trouble !== "network" || trouble.code === CLOSED) return false;
  return !trouble.sent || changesNothing(request);
}

/** What the service asks for, or a growing time with chance in it, so that many clients do not come back together. */
function waitMs(attempt: number, asked: string | undefined): number {
  if (asked !== undefined) {
    const seconds = Number(asked);
    const until = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(asked) - Date.now();
    if (Number.isFinite(until)) return Math.max(0, until);
  }
  return Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS) * (0.5 + Math.random() / 2);
}

/** @throws the reason of the signal */
function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, milliseconds);
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
  });
}
