/** Every code a `SecretsError` can have. The list is closed: programs switch on it, and the CLI maps each to one exit status. */
export const ERROR_CODES = [
  "not_found",
  "already_exists",
  "conflict",
  "recently_deleted",
  "disabled",
  "permission_denied",
  "unauthenticated",
  "throttled",
  "unavailable",
  "timeout",
  "aborted",
  "too_large",
  "invalid_name",
  "invalid_key",
  "invalid_request",
  "schema_violation",
  "schema_mismatch",
  "unknown_schema",
  "unknown_flavor",
  "flavor_ambiguous",
  "invalid_settings",
  "no_secrets_manager",
  "unsupported",
  "untrusted",
  "corrupt",
  "closed",
  "secret_in_output",
  "unknown",
] as const;

/** A code of `SecretsError`; docs/errors.md says what each means and what to do. */
export type ErrorCode = (typeof ERROR_CODES)[number];

const KNOWN: ReadonlySet<unknown> = new Set(ERROR_CODES);

/** Whether a value is one of the codes. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return KNOWN.has(value);
}

const RETRYABLE: ReadonlySet<ErrorCode> = new Set(["conflict", "throttled", "unavailable", "timeout"]);

/** Whether failures with this code usually pass by themselves, for drivers that have no better knowledge. */
export function isRetryableCode(code: ErrorCode): boolean {
  return RETRYABLE.has(code);
}
