import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { randomUUID } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { printable, SecretsError } from "@coffer/core";

/** How a file and the directory that is made for it may be used: the user's own are private, a project's are what its neighbours are. */
export type Privacy = "private" | "shared";

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
const SHARED_FILE = 0o666;

/** Makes the directory of a file, with those above it, when it is missing. */
export function ensureFolder(path: string, privacy: Privacy): void {
  if (existsSync(path)) return;
  ensureFolder(dirname(path), privacy);
  withFileErrors(path, () => {
    try {
      mkdirSync(path, privacy === "private" ? { mode: PRIVATE_FOLDER } : {});
      // Under an umask like 0777 the new directory could not be entered. It was never wider than this.
      if (privacy === "private") chmodSync(path, PRIVATE_FOLDER);
      syncFolder(dirname(path));
    } catch (error) {
      // Another process was faster.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  });
}

/**
 * Replaces a file as a whole, or makes it: whoever reads it sees the old or the new content, also after a crash or on a full disk.
 * @param beforeRename the last look before the new content takes its place
 */
export function replaceFile(path: string, content: string, privacy: Privacy, beforeRename: () => void): void {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  withFileErrors(path, () => {
    try {
      const mode = privacy === "private" ? PRIVATE_FILE : SHARED_FILE;
      const file = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, mode);
      try {
        if (privacy === "private") fchmodSync(file, PRIVATE_FILE);
        else if (existsSync(path)) fchmodSync(file, statSync(path).mode & 0o777);
        // Goes on after a short write, or fails.
        writeFileSync(file, content);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      beforeRename();
      renameSync(temporary, path);
    } catch (error) {
      discard(temporary);
      throw error;
    }
  });
  try {
    syncFolder(dirname(path));
  } catch (error) {
    const { code = "EIO" } = error as NodeJS.ErrnoException;
    throw new SecretsError("unavailable", `${printable(path)} was written, but the disk did not confirm it (${code}).`, {
      outcome: "unknown",
      hint: "Look whether the change is there.",
      cause: { name: "Error", code },
    });
  }
}

/** Removes a file that is of no use, where what happened matters more than whether that works. The next change sweeps it up. */
export function discard(path: string): void {
  try {
    removeFile(path);
  } catch {
    // Said above.
  }
}

const UNFINISHED = /\.[0-9a-f]{8}-[0-9a-f-]{27}\.tmp$/;

/** Removes what processes that were killed while they wrote this file have left. The caller holds the lock. */
export function sweep(path: string): void {
  const start = `.${basename(path)}.`;
  withFileErrors(path, () => {
    for (const name of readdirSync(dirname(path)))
      if (name.startsWith(start) && UNFINISHED.test(name)) removeFile(join(dirname(path), name));
  });
}

/** Removes a file, if it is there. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Runs work on files; what the system refuses becomes an error that says what and where, and nothing else. */
export function withFileErrors<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (SecretsError.isInstance(error)) throw error;
    const { code = "EIO" } = error as NodeJS.ErrnoException;
    const cause = { name: "Error", code };
    const shown = printable(path);
    if (code === "EROFS") throw new SecretsError("permission_denied", `${shown} is on a file system that is read-only.`, { cause });
    if (code === "EACCES" || code === "EPERM")
      throw new SecretsError("permission_denied", `${shown} cannot be written: its directory is read-only or belongs to another user.`, {
        hint: "Nothing was changed. COFFER_CONFIG_DIR and XDG_STATE_HOME choose other directories.",
        cause,
      });
    throw new SecretsError("unavailable", `${shown} could not be written (${code}). It was left as it is.`, { cause });
  }
}

function syncFolder(path: string): void {
  let folder: number;
  try {
    folder = openSync(path, constants.O_RDONLY);
  } catch (error) {
    // A directory that may be entered and not read (or Windows, which opens none): what was written is there, only not yet for certain on the disk.
    if (["EACCES", "EPERM", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return;
    throw error;
  }
  try {
    fsyncSync(folder);
  } catch (error) {
    if (!["EINVAL", "EPERM", "ENOTSUP"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    closeSync(folder);
  }
}
