import { DriverError } from "../errors/driver-error.ts";
import { type ErrorCode, isErrorCode, isRetryableCode } from "../errors/codes.ts";
import { type ScrubbedCause, SecretsError } from "../errors/secrets-error.ts";
import { createRedactor, type Redactor } from "../redaction.ts";
import { printable } from "../secret/printable.ts";
import type { ErrorInfo, Operation, SecretsManagerDriver, TextValues } from "../spec.ts";
import type { Call, Ending } from "./call.ts";

/** What an error needs to know about the call that failed. */
export interface GuardContext {
  /** The method of the manager, as the user called it. */
  readonly method: string;
  readonly flavor: string;
  readonly secretName?: string | undefined;
  /** The values on their way to the service: whatever the service answers, these are masked. */
  readonly inFlight?: TextValues | undefined;
}

type Classifier = Pick<SecretsManagerDriver, "classify">;

// How long a driver that honours the signal may take to say itself what became of the call, once that must stop.
const GRACE_MS = 25;
const MESSAGE_LIMIT = 300;
const TEXT_LIMIT = 10_000;
const WRITES: ReadonlySet<Operation> = new Set(["create", "replace", "delete", "restore"]);
const READS: ReadonlySet<Operation> = new Set(["read", "list", "read_many", "history"]);

/**
 * Runs one call of a driver: no longer than the operation may take, and with its error wrapped, here and nowhere else.
 * @throws SecretsError
 */
export async function guard<Result>(
  call: Call,
  operation: Operation,
  context: GuardContext,
  driver: Classifier | undefined,
  run: () => Promise<Result>,
): Promise<Result> {
  const ended = call.ended;
  if (ended !== undefined) throw endedError(call, ended, operation, context, "not_applied");
  let pending: Promise<Result>;
  try {
    // Made a promise of our own kind: a driver that is written in JavaScript may answer at once, or with somebody else's.
    pending = Promise.resolve(run());
  } catch (error) {
    throw wrap(error, operation, context, driver);
  }
  return new Promise<Result>((resolve, reject) => {
    let grace: ReturnType<typeof setTimeout> | undefined;
    const given = (reason: Ending, said?: string): SecretsError =>
      endedError(call, reason, operation, context, WRITES.has(operation) ? "unknown" : "not_applied", said);
    const stop = (reason: Ending): void => {
      call.end(reason);
      grace ??= setTimeout(() => finish(() => reject(given(reason))), GRACE_MS);
    };
    const onAbort = (): void => stop("aborted");
    const onTime = (): void => {
      // A long operation that goes on is given more time while one of its steps waits.
      if (call.remaining > 1) timer = setTimeout(onTime, call.remaining);
      else stop("timeout");
    };
    let timer = setTimeout(onTime, Math.max(call.remaining, 0));
    call.watch(stop);
    call.userSignal?.addEventListener("abort", onAbort, { once: true });
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      clearTimeout(grace);
      call.unwatch(stop);
      call.userSignal?.removeEventListener("abort", onAbort);
      settle();
    };
    // It may have been given up by what the driver did before it first waited.
    if (call.userSignal?.aborted === true) onAbort();
    pending.then(
      (result) => finish(() => resolve(result)),
      (error: unknown) =>
        finish(() => {
          const stopped = call.ended;
          // After our own abort every SDK throws an error of its own kind; what happened is that we gave up. Only a driver that knows says more.
          const ours = stopped !== undefined && !DriverError.isInstance(error) && !SecretsError.isInstance(error);
          reject(ours ? given(stopped, saidOf(error, operation, context, driver)) : wrap(error, operation, context, driver));
        }),
    );
  });
}

/**
 * Iterates over what a driver yields, each step guarded like a call and with the whole time of the operation for itself: how long the caller takes
 * between two steps counts for nothing. Leaving the loop early ends the driver's iteration too.
 */
export async function* guardEach<Item>(
  call: Call,
  operation: Operation,
  context: GuardContext,
  driver: Classifier,
  start: () => AsyncIterable<Item>,
): AsyncGenerator<Item> {
  let iterator: AsyncIterator<Item> | undefined;
  let handedOut = false;
  try {
    for (;;) {
      const step = await guard(call, operation, context, driver, async () => (iterator ??= start()[Symbol.asyncIterator]()).next());
      if (step.done === true) return;
      handedOut = true;
      yield step.value;
      handedOut = false;
      call.restart();
    }
  } finally {
    if (handedOut) {
      call.end("aborted");
      await leave(iterator);
    }
  }
}

/** Tells an iteration that nobody wants the rest. It is not waited for longer than a moment: what hangs would hang here again. */
export async function leave(iterator: AsyncIterator<unknown> | undefined): Promise<void> {
  let grace: ReturnType<typeof setTimeout> | undefined;
  const left = (async () => iterator?.return?.())().catch(() => undefined);
  const moment = new Promise<void>((resolve) => {
    grace = setTimeout(resolve, GRACE_MS);
  });
  await Promise.race([left, moment]);
  clearTimeout(grace);
}

/** The one place where an error of a driver becomes ours. Takes whatever was thrown, and never throws itself. */
export function wrap(error: unknown, operation: Operation, context: GuardContext, driver: Classifier | undefined): SecretsError {
  const redactor = createRedactor(Object.values(context.inFlight ?? {}));
  if (SecretsError.isInstance(error)) return withoutValues(error, redactor);
  const info = explain(error, operation, driver);
  const said = info.safeMessage === undefined ? "" : ` ${shown(info.safeMessage, redactor)}`;
  const raw = DriverError.isInstance(error) ? attempt(() => error.raw()) : error;
  return new SecretsError(
    info.code,
    `${headline(info.code, context)}${said}${info.outcome === "unknown" && WRITES.has(operation) ? " The change may have happened nevertheless." : ""}`,
    {
      operation: context.method,
      flavor: context.flavor,
      secretName: context.secretName,
      retryable: info.retryable,
      outcome: info.outcome,
      hint: info.hint === undefined ? HINTS[info.code] : shown(info.hint, redactor),
      cause: scrub(raw, info, (text) => redactor.redact(text) === text),
      raw,
    },
  );
}

/** A driver may throw an error of ours, with words of its own in it. */
function withoutValues(error: SecretsError, redactor: Redactor): SecretsError {
  const { message, hint } = error;
  if (redactor.redact(message) === message && (hint === undefined || redactor.redact(hint) === hint)) return error;
  const { code, operation, flavor, secretName, keys, retryable, outcome } = error;
  return new SecretsError(code, redactor.redact(message), {
    operation,
    flavor,
    secretName,
    keys,
    retryable,
    outcome,
    hint: hint === undefined ? undefined : redactor.redact(hint),
    raw: error,
  });
}

function explain(error: unknown, operation: Operation, driver: Classifier | undefined): ErrorInfo {
  const unexplained: ErrorInfo = { code: "unknown", retryable: false, outcome: WRITES.has(operation) ? "unknown" : "not_applied" };
  // A table that fails on an unforeseen error, or answers something else than the contract says, must not hide that error behind its own.
  const told = attempt((): { readonly [Key in keyof ErrorInfo]?: unknown } | undefined => {
    const info: Partial<ErrorInfo> | undefined = DriverError.isInstance(error) ? error.info : driver?.classify(error, { operation });
    return info === undefined ? undefined : { ...info };
  });
  if (told === undefined || !isErrorCode(told.code)) return unexplained;
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  return {
    code: told.code,
    retryable: told.retryable === true,
    // A table of errors need not know what was asked for: a read changes nothing, however it ends.
    outcome: READS.has(operation)
      ? "not_applied"
      : told.outcome === "unknown" || told.outcome === "not_applied"
        ? told.outcome
        : unexplained.outcome,
    status: typeof told.status === "number" ? told.status : undefined,
    requestId: text(told.requestId),
    safeMessage: text(told.safeMessage),
    hint: text(told.hint),
  };
}

/** What `look` finds; `undefined` when looking throws, as it does at proxies and getters that somebody broke. */
function attempt<Result>(look: () => Result): Result | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** What a driver knows of a call that ran out of time: whose answer did not come. */
function saidOf(error: unknown, operation: Operation, { inFlight }: GuardContext, driver: Classifier | undefined): string {
  const { code, safeMessage } = explain(error, operation, driver);
  return code !== "timeout" || safeMessage === undefined ? "" : ` ${shown(safeMessage, createRedactor(Object.values(inFlight ?? {})))}`;
}

function endedError(
  call: Call,
  reason: "timeout" | "aborted",
  operation: Operation,
  context: GuardContext,
  outcome: "not_applied" | "unknown",
  said = "",
): SecretsError {
  const what = `${context.flavor} (${context.method}${context.secretName === undefined ? "" : ` "${printable(context.secretName)}"`})`;
  const maybe = outcome === "unknown" ? " The change may have happened nevertheless." : "";
  const details = { operation: context.method, flavor: context.flavor, secretName: context.secretName, outcome };
  if (reason === "aborted")
    return new SecretsError("aborted", `The call to ${what} was aborted.${maybe}`, {
      ...details,
      retryable: false,
      hint: maybe === "" ? undefined : "Read the secret to see which of the two holds.",
    });
  return new SecretsError(
    "timeout",
    `${what} did not finish within ${call.timeoutMs / 1000} s while it was busy with "${operation}".${said}${maybe}`,
    { ...details, hint: HINTS.timeout },
  );
}

// Names and codes of errors come from the service too, so only the shape of an identifier passes, and no value in flight.
const SAFE_IDENTIFIER = /^[A-Za-z][A-Za-z0-9_.:-]{0,63}$/;

function scrub(raw: unknown, info: ErrorInfo, isClean: (text: string) => boolean): ScrubbedCause | undefined {
  const error = (typeof raw === "object" && raw !== null ? raw : {}) as { readonly name?: unknown; readonly code?: unknown };
  const pick = (text: unknown): string | undefined =>
    typeof text === "string" && SAFE_IDENTIFIER.test(text) && isClean(text) ? text : undefined;
  const name = pick(attempt(() => error.name));
  const code = pick(attempt(() => error.code));
  const requestId = pick(info.requestId === undefined ? undefined : `id:${info.requestId}`)?.slice(3);
  const cause = {
    ...(name === undefined ? {} : { name }),
    ...(code === undefined ? {} : { code }),
    ...(info.status === undefined ? {} : { status: info.status }),
    ...(requestId === undefined ? {} : { requestId }),
  };
  return Object.keys(cause).length === 0 ? undefined : cause;
}

/** Text of a service as it may stand in a message: without values, without control characters, and not longer than a few lines. */
function shown(text: string, redactor: Redactor): string {
  // A whole page of HTML is not worth the search. What is cut off could be the second half of a value: the stream holds back its first half.
  const clean = text.length > TEXT_LIMIT ? redactor.stream().write(text.slice(0, TEXT_LIMIT)) : redactor.redact(text);
  const line = printable(clean);
  return line.length > MESSAGE_LIMIT ? `${line.slice(0, MESSAGE_LIMIT)}…` : line;
}

function headline(code: ErrorCode, { flavor, secretName, method }: GuardContext): string {
  const secret = secretName === undefined ? "A secret" : `The secret "${printable(secretName)}"`;
  switch (code) {
    case "not_found":
      return `${secret} does not exist in ${flavor}.`;
    case "already_exists":
      return `${secret} already exists in ${flavor}.`;
    case "conflict":
      return `${secret} was changed by somebody else, or is not ours to change.`;
    case "recently_deleted":
      return `${secret} was deleted a short time ago, and ${flavor} still reserves its name.`;
    case "disabled":
      return `${secret} is disabled in ${flavor}.`;
    case "permission_denied":
      return `${flavor} does not allow ${method}${secretName === undefined ? "" : ` of "${printable(secretName)}"`}.`;
    case "unauthenticated":
      return `${flavor} does not accept the credentials.`;
    case "throttled":
      return `${flavor} is receiving too many requests.`;
    case "unavailable":
      return `${flavor} cannot be used right now.`;
    case "timeout":
      return `${flavor} did not answer in time.`;
    case "aborted":
      return "The call was aborted.";
    case "too_large":
      return `${secret} is too large for ${flavor}.`;
    case "corrupt":
      return `What ${flavor} has stored is damaged.`;
    case "closed":
      return `The connection to ${flavor} is closed.`;
    case "unknown":
      return `${flavor} failed in a way that is not understood (${method}).`;
    default:
      return `${flavor} refused ${method}${secretName === undefined ? "" : ` of "${printable(secretName)}"`}.`;
  }
}

const HINTS: Partial<Record<ErrorCode, string>> = {
  not_found: "List the secrets to see which names exist.",
  already_exists: "Update the secret, or choose another name.",
  conflict: "Read the secret again and repeat the change.",
  recently_deleted: 'Restore it, register it with onDeleted: "restore", or choose another name.',
  disabled: "Enable it in the service's console.",
  permission_denied: "Ask whoever administers the service for the permission.",
  unauthenticated: "Log in again, or check the credentials in the settings.",
  throttled: "Wait a moment and try again.",
  unavailable: "Check that the service can be reached, and try again.",
  timeout: "Try again, or allow more time with timeoutMs.",
};

/** An error of the manager itself, where no driver was called. */
export function managerError(code: ErrorCode, message: string, context: GuardContext, hint?: string): SecretsError {
  return new SecretsError(code, message, {
    operation: context.method,
    flavor: context.flavor,
    secretName: context.secretName,
    retryable: isRetryableCode(code),
    hint: hint ?? HINTS[code],
  });
}

/** The error for a name that is not there, the same wherever it is noticed. */
export function notFound(context: GuardContext): SecretsError {
  return managerError("not_found", headline("not_found", context), context);
}
