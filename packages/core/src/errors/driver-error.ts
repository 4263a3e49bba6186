import type { ErrorInfo } from "../spec.ts";
import { isMarked } from "./marker.ts";
import { type ErrorCode, isRetryableCode } from "./codes.ts";

const MARKER = Symbol.for("@coffer/core/driver-error/1");

/**
 * Thrown by a driver that knows more about a failure than `classify` could see from the error alone. It never reaches a user:
 * the manager turns it into a `SecretsError`. Recognised by a marker, so that a driver may use another copy of core than the application.
 */
export class DriverError extends Error {
  override readonly name = "DriverError";
  readonly info: ErrorInfo;
  readonly #raw: unknown;

  /**
   * @param code what happened
   * @param raw the error of the SDK, if there was one; kept out of sight, because such errors carry tokens and values
   * @param details overrides; by default the code decides `retryable`, and the outcome is `not_applied`
   */
  constructor(code: ErrorCode, raw?: unknown, details: Partial<Omit<ErrorInfo, "code">> = {}) {
    super(details.safeMessage ?? code);
    this.#raw = raw;
    this.info = { retryable: isRetryableCode(code), outcome: "not_applied", ...details, code };
    Object.defineProperty(this, MARKER, { value: true });
  }

  /** The error of the SDK. May hold tokens and values: never print it. */
  raw(): unknown {
    return this.#raw;
  }

  /** Whether `value` is a `DriverError` of this or of another copy of core. */
  static isInstance(value: unknown): value is DriverError {
    return isMarked(value, MARKER);
  }
}
