import type { ErrorCode, ErrorInfo, Operation } from "@coffer/core";
import { isRetryableCode } from "@coffer/core";

/** What an SDK tends to keep on an error: the request as it was sent, with credentials and values in clear text. */
interface SentRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/**
 * The raw error of the memory service, made like those of real SDKs: its message and its `request` hold the credential and the record that
 * was sent. Only `reply`, the service's own JSON error, is fit to be shown.
 */
export class MemoryServiceError extends Error {
  override readonly name = "MemoryServiceError";
  readonly request: SentRequest;
  /** The HTTP status, absent when no answer arrived. */
  readonly status: number | undefined;
  /** Node's code of a failed connection: `ECONNREFUSED`, `ECONNRESET`. */
  readonly code: string | undefined;
  readonly requestId: string | undefined;
  readonly reply: { readonly reason: string; readonly message: string } | undefined;

  constructor(
    request: SentRequest,
    answer: {
      readonly status?: number;
      readonly code?: string;
      readonly requestId?: string;
      readonly reason?: string;
      readonly message?: string;
    },
  ) {
    super(`${request.method} answered ${answer.status ?? answer.code}: ${JSON.stringify(request)}`);
    this.request = request;
    this.status = answer.status;
    this.code = answer.code;
    this.requestId = answer.requestId;
    this.reply = answer.reason === undefined ? undefined : { reason: answer.reason, message: answer.message ?? answer.reason };
  }
}

/** The reasons of the memory service, each with the code that stands for it. */
const REASONS: Readonly<Record<string, ErrorCode>> = {
  NoSuchSecret: "not_found",
  NothingToRestore: "not_found",
  NameTaken: "already_exists",
  NameReserved: "recently_deleted",
  RevisionChanged: "conflict",
  NotMarked: "conflict",
  NoSuchRevision: "not_found",
  Disabled: "disabled",
  PayloadTooLarge: "too_large",
  Unacceptable: "invalid_request",
  ReadOnly: "unsupported",
};

const STATUSES: Readonly<Record<number, ErrorCode>> = {
  400: "invalid_request",
  401: "unauthenticated",
  403: "permission_denied",
  429: "throttled",
  500: "unavailable",
  502: "unavailable",
  503: "unavailable",
};

/** The driver's table: what a failure of the memory service means. Knows nothing but `MemoryServiceError`; the rest is `unknown`. */
export function classifyMemoryError(error: unknown, context: { readonly operation: Operation }): ErrorInfo {
  const writes =
    context.operation === "create" || context.operation === "replace" || context.operation === "delete" || context.operation === "restore";
  const info = (code: ErrorCode, applied: boolean): ErrorInfo => ({
    code,
    retryable: isRetryableCode(code),
    outcome: writes && applied ? "unknown" : "not_applied",
  });
  if (error instanceof DOMException && error.name === "TimeoutError") return info("timeout", true);
  if (error instanceof DOMException && error.name === "AbortError") return info("aborted", true);
  if (!(error instanceof MemoryServiceError)) return info("unknown", true);
  if (error.code === "ECONNREFUSED") return info("unavailable", false);
  if (error.code === "ECONNRESET") return info("unavailable", true);
  const code = (error.reply === undefined ? undefined : REASONS[error.reply.reason]) ?? STATUSES[error.status ?? 0] ?? "unknown";
  const told = { ...info(code, false), status: error.status, requestId: error.requestId, safeMessage: error.reply?.message };
  // Unlike a change by somebody else, that a secret is not ours does not pass.
  return error.reply?.reason === "NotMarked" ? { ...told, retryable: false } : told;
}
