import type { Outcome } from "../spec.ts";
import { isMarked } from "./marker.ts";
import { type ErrorCode, isRetryableCode } from "./codes.ts";

const MARKER = Symbol.for("@coffer/core/secrets-error/1");

/** What is safe to know about the error behind a `SecretsError`: its name and its codes, never its text. */
export interface ScrubbedCause {
  readonly name?: string;
  readonly code?: string;
  readonly status?: number;
  readonly requestId?: string;
}

export interface SecretsErrorDetails {
  /** The method that failed, as the user called it: `getSecret`. */
  readonly operation?: string | undefined;
  readonly flavor?: string | undefined;
  readonly secretName?: string | undefined;
  readonly keys?: readonly string[] | undefined;
  readonly retryable?: boolean | undefined;
  readonly outcome?: Outcome | undefined;
  readonly hint?: string | undefined;
  readonly cause?: ScrubbedCause | undefined;
  readonly raw?: unknown;
}

/**
 * The one error of Coffer. Act on `code`; the message is for people: what happened and why. `hint` says what to do.
 * No message, field or cause ever holds a value, and the error of an SDK never becomes the `cause`, because Node prints causes in full.
 */
export class SecretsError extends Error {
  override readonly name = "SecretsError";
  readonly code: ErrorCode;
  readonly operation: string | undefined;
  readonly flavor: string | undefined;
  readonly secretName: string | undefined;
  /** The keys of the secret that are at fault. */
  readonly keys: readonly string[] | undefined;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** `unknown` when a write may have happened although its answer was lost. */
  readonly outcome: Outcome;
  readonly hint: string | undefined;
  readonly #raw: unknown;

  constructor(code: ErrorCode, message: string, details: SecretsErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.operation = details.operation;
    this.flavor = details.flavor;
    this.secretName = details.secretName;
    this.keys = details.keys;
    this.retryable = details.retryable ?? isRetryableCode(code);
    this.outcome = details.outcome ?? "not_applied";
    this.hint = details.hint;
    this.#raw = details.raw;
    Object.defineProperty(this, MARKER, { value: true });
  }

  /** The error of the SDK, if there was one. It may hold tokens and values: look at it in a debugger, never print or log it. */
  unsafeRaw(): unknown {
    return this.#raw;
  }

  /** Whether `value` is a `SecretsError` of this or of another copy of core; `instanceof` cannot tell that. */
  static isInstance(value: unknown): value is SecretsError {
    return isMarked(value, MARKER);
  }
}
