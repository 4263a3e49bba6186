import type { ErrorCode } from "@coffer/core";

/** What the command line ends with. The one table of exit statuses; docs/errors.md shows it. */
export const EXIT = {
  done: 0,
  /** A failure that no other status tells apart, or a prompt that was left with Ctrl-D. */
  failed: 1,
  /** The command line is not well-formed, or a file that it names cannot be read. */
  usage: 2,
  notFound: 3,
  /** The name is taken, reserved, or somebody else was faster. */
  conflict: 4,
  /** A schema, a name, a key or a value is not valid. */
  invalid: 5,
  /** Not signed in, not allowed, or disabled. */
  denied: 6,
  /** Unreachable, too slow or throttled: the same command may succeed later. */
  unavailable: 7,
  untrusted: 8,
  /** The store or an entry in it is damaged. */
  corrupt: 9,
  /** The secrets manager, its settings or its flavor must be changed first, or cannot do this. */
  setup: 10,
  secretInOutput: 11,
  /** Our own bug. */
  bug: 70,
  /** The output could not be written (a full disk). */
  output: 74,
  /** This Node is too old; `bin.ts` says so before anything else is loaded. */
  runtime: 78,
  hangup: 129,
  interrupted: 130,
  brokenPipe: 141,
  terminated: 143,
} as const;

/** The exit status of every error code. The compiler refuses a code that is missing here. */
export const EXIT_OF_CODE: Readonly<Record<ErrorCode, number>> = {
  not_found: EXIT.notFound,
  already_exists: EXIT.conflict,
  conflict: EXIT.conflict,
  recently_deleted: EXIT.conflict,
  disabled: EXIT.denied,
  permission_denied: EXIT.denied,
  unauthenticated: EXIT.denied,
  throttled: EXIT.unavailable,
  unavailable: EXIT.unavailable,
  timeout: EXIT.unavailable,
  aborted: EXIT.interrupted,
  too_large: EXIT.invalid,
  invalid_name: EXIT.invalid,
  invalid_key: EXIT.invalid,
  invalid_request: EXIT.invalid,
  schema_violation: EXIT.invalid,
  schema_mismatch: EXIT.invalid,
  unknown_schema: EXIT.invalid,
  unknown_flavor: EXIT.setup,
  flavor_ambiguous: EXIT.setup,
  invalid_settings: EXIT.setup,
  no_secrets_manager: EXIT.setup,
  unsupported: EXIT.setup,
  untrusted: EXIT.untrusted,
  corrupt: EXIT.corrupt,
  closed: EXIT.failed,
  secret_in_output: EXIT.secretInOutput,
  unknown: EXIT.failed,
};

/** The exit status of a signal: 128 and its number, as shells have it. */
export const EXIT_OF_SIGNAL = { SIGHUP: EXIT.hangup, SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated } as const;
