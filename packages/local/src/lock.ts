import { chmodSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { DriverError } from "@coffer/core";
import { isBusy } from "./errors.ts";
import { assertPrivateFile, createPrivateFile, look } from "./files.ts";
import { sqlite } from "./sqlite.ts";
import { assertPatient, type Patience, whenFree } from "./waiting.ts";

/**
 * Runs work that only one process may do at a time. The lock is SQLite's own on an empty file: the system gives it up when its holder dies, so
 * there is nothing stale to recognise, whatever happens to clocks and process ids. The work may remove the file: who waits for it then notices.
 * @throws DriverError `timeout` or `aborted` while waiting
 */
export async function withLock<Result>(path: string, patience: Patience, work: () => Result | Promise<Result>): Promise<Result> {
  for (;;) {
    const inode = ensureLockFile(path);
    const lock = openLock(path);
    try {
      // Its last holder may have removed the file: a lock on it would keep nobody out.
      const isHeld = await whenFree(patience, () => tryLock(lock, () => look(path)?.ino === inode));
      if (isHeld) return await work();
    } finally {
      lock?.close();
    }
    assertPatient(patience);
  }
}

function openLock(path: string): DatabaseSync | undefined {
  const location = pathToFileURL(path);
  location.searchParams.set("mode", "rw");
  try {
    return new (sqlite().DatabaseSync)(location);
  } catch (error) {
    if (look(path) === undefined) return undefined;
    throw error;
  }
}

function tryLock(lock: DatabaseSync | undefined, isCurrent: () => boolean): boolean {
  try {
    lock?.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    // SQLite takes a file that was removed for one on a broken disk.
    if (isBusy(error) || isCurrent()) throw error;
  }
  return lock !== undefined && isCurrent();
}

/** The inode of the lock file, which is made when it is missing. */
function ensureLockFile(path: string): number | undefined {
  try {
    createPrivateFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const stats = look(path);
  if (stats === undefined) return undefined;
  assertPrivateFile(path, stats);
  // Made under an umask of 0777 by a process that is about to change the mode, or died before it could.
  if ((stats.mode & 0o777) === 0) chmodSync(path, 0o600);
  if (stats.size > 0)
    throw new DriverError("permission_denied", undefined, { safeMessage: `${path} is in the way.`, hint: `Remove it: rm ${path}` });
  return stats.ino;
}
