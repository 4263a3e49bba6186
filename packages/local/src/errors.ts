import { DriverError, type ErrorCode, type ErrorInfo, type Operation, type Outcome, SecretsError } from "@coffer/core";

/** How a failure is explained: its code, whether it may pass, and what to do. */
interface Explanation {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly say: string;
  readonly hint?: string;
}

const DAMAGED: Explanation = {
  code: "corrupt",
  retryable: false,
  say: "The file is not in order.",
  hint: "Restore the file from a backup, or move it away to begin anew. It was left as it is; secrets that are intact can still be read by name.",
};
const BUSY: Explanation = {
  code: "unavailable",
  retryable: true,
  say: "Another process is using the store.",
  hint: "Try again in a moment.",
};
const FULL: Explanation = {
  code: "unavailable",
  retryable: true,
  say: "The disk is full.",
  hint: "The disk is full: free some space, then try again.",
};
const BROKEN_DISK: Explanation = {
  code: "unavailable",
  retryable: true,
  say: "The disk reported an error.",
  hint: "Check the disk, then try again.",
};
const REFUSED: Explanation = {
  code: "permission_denied",
  retryable: false,
  say: "The system refused access to the file or its directory.",
  hint: "Check who owns the file and its directory, and whether they can be written.",
};

// By SQLite's primary result code. An SQL error cannot come from our statements, which are fixed: the tables are not what they were.
const SQLITE: Readonly<Record<number, Explanation>> = {
  1: DAMAGED,
  3: REFUSED,
  5: BUSY,
  6: BUSY,
  7: { code: "unavailable", retryable: true, say: "There is not enough memory.", hint: "Close other programs, then try again." },
  8: REFUSED,
  10: BROKEN_DISK,
  11: DAMAGED,
  13: FULL,
  14: REFUSED,
  15: BUSY,
  17: DAMAGED,
  18: { code: "too_large", retryable: false, say: "The value is larger than a file of this kind can hold." },
  19: DAMAGED,
  20: DAMAGED,
  23: REFUSED,
  24: DAMAGED,
  26: DAMAGED,
};

const SYSTEM: Readonly<Record<string, Explanation>> = {
  EACCES: REFUSED,
  EPERM: REFUSED,
  EROFS: REFUSED,
  ENOSPC: FULL,
  EFBIG: FULL,
  EIO: BROKEN_DISK,
  EMFILE: { code: "unavailable", retryable: true, say: "Too many files are open.", hint: "Close some, or raise the limit (ulimit -n)." },
  ENFILE: { code: "unavailable", retryable: true, say: "Too many files are open on this machine.", hint: "Try again in a moment." },
  ELOOP: { code: "permission_denied", retryable: false, say: "The path is a symbolic link.", hint: "Put the real file in its place." },
  ENOTDIR: { code: "invalid_settings", retryable: false, say: "A part of the path is not a directory.", hint: 'Check the setting "path".' },
  EISDIR: { code: "invalid_settings", retryable: false, say: "The path is a directory.", hint: 'Set "path" to a file.' },
  ENOENT: { code: "invalid_settings", retryable: false, say: "A part of the path does not exist.", hint: 'Check the setting "path".' },
  // A column holds a number that no revision or time can be.
  ERR_OUT_OF_RANGE: DAMAGED,
};

// fsync of the log failed after all of it was written: after a crash it may or may not be found whole.
const IOERR_FSYNC = 1034;
const IOERR_DIR_FSYNC = 1290;

/** The extended result code of an error of SQLite. */
export function sqliteCode(error: unknown): number | undefined {
  const errcode = (error as { readonly errcode?: unknown } | null | undefined)?.errcode;
  return typeof errcode === "number" ? errcode : undefined;
}

/** Whether SQLite gave way to another process: the very same call will succeed later. */
export function isBusy(error: unknown): boolean {
  const primary = (sqliteCode(error) ?? 0) & 0xff;
  return primary === 5 || primary === 6 || primary === 15;
}

/** Whether a commit that failed so may nevertheless be found after a crash. */
export function mayHaveCommitted(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === IOERR_FSYNC || code === IOERR_DIR_FSYNC;
}

function explanationOf(error: unknown): Explanation | undefined {
  const errcode = sqliteCode(error);
  if (errcode !== undefined) return SQLITE[errcode & 0xff];
  const { code, errno } = (error ?? {}) as { readonly code?: unknown; readonly errno?: unknown };
  // For a full quota Node has no name, only the number.
  if (errno === -process.getBuiltinModule("node:os").constants.errno.EDQUOT) return FULL;
  return typeof code === "string" ? SYSTEM[code] : undefined;
}

/** The table of this flavor: every error of SQLite and of the file system that a call can meet. */
export function classifyLocalError(error: unknown, _context?: { readonly operation: Operation }): ErrorInfo {
  const found = explanationOf(error);
  if (found === undefined) return { code: "unknown", retryable: false, outcome: "unknown" };
  const { code, retryable, say, hint } = found;
  return {
    code,
    retryable,
    outcome: mayHaveCommitted(error) ? "unknown" : "not_applied",
    safeMessage: say,
    ...(hint === undefined ? {} : { hint }),
  };
}

/** The error of a call, explained and naming the file; what is explained already passes through. */
export function explained(error: unknown, path: string, outcome?: Outcome): unknown {
  if (DriverError.isInstance(error)) return error;
  const found = explanationOf(error);
  if (found === undefined) return error;
  return new DriverError(found.code, error, {
    retryable: found.retryable,
    outcome: outcome ?? (mayHaveCommitted(error) ? "unknown" : "not_applied"),
    safeMessage: `${found.say} (${path})`,
    ...(found.hint === undefined ? {} : { hint: found.hint }),
  });
}

/** The store is damaged: what is wrong, in a sentence without any content of the file. */
export function damaged(path: string, what: string): DriverError {
  return new DriverError("corrupt", undefined, {
    safeMessage: `${what} (${path})`,
    ...(DAMAGED.hint === undefined ? {} : { hint: DAMAGED.hint }),
  });
}

/** Only the log of a store is left: it may hold the newest secrets, and must not be taken for the log of a new store. */
export function orphanedLog(path: string): DriverError {
  return new DriverError("corrupt", undefined, {
    safeMessage: `The file of the store is gone, but its log is still there. (${path})`,
    hint: `Put the file back beside its log (${path}-wal), or move the log away to begin anew.`,
  });
}

/**
 * Runs a function that the program has given. It runs before anything is written, so what it throws means that nothing was; the text of its
 * error is not shown, because nobody knows what is in it.
 * @throws DriverError `aborted`; an error of Coffer as it is
 */
export async function callProgram<Result>(setting: string, work: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (SecretsError.isInstance(error) || DriverError.isInstance(error)) throw error;
    throw new DriverError("aborted", error, {
      safeMessage: `The function "${setting}" of the settings has thrown an error; nothing was done.`,
    });
  }
}
