import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { randomUUID } from "node:crypto";
import { DriverError } from "@coffer/core";
import { besides } from "./paths.ts";

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** What `lstat` says, or `undefined` when there is nothing. */
export function look(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/**
 * Refuses a file that is not the user's own and private.
 * @throws DriverError `permission_denied` with the command that mends it
 */
export function assertPrivateFile(path: string, stats: Stats): void {
  if (stats.isSymbolicLink())
    throw unsafe(`${path} is a symbolic link.`, `Put the real file in its place: mv "$(readlink -f ${quoted(path)})" ${quoted(path)}`);
  if (!stats.isFile()) throw unsafe(`${path} is not a regular file.`, "Move it away, or choose another path.");
  assertOwn(path, stats, "600");
}

/**
 * Refuses a directory in which somebody else could replace or see files.
 * @throws DriverError `permission_denied` with the command that mends it; `invalid_settings` when it is no directory
 */
export function assertPrivateFolder(path: string, stats: Stats): void {
  if (stats.isSymbolicLink())
    throw unsafe(`The directory ${path} is a symbolic link.`, `Set the path to the real directory: readlink -f ${quoted(path)}`);
  if (!stats.isDirectory())
    throw new DriverError("invalid_settings", undefined, { safeMessage: `${path} is not a directory.`, hint: "Choose another path." });
  assertOwn(path, stats, "700");
}

function assertOwn(path: string, stats: Stats, mode: "600" | "700"): void {
  const user = process.geteuid?.();
  // Windows has no such owner and bits; access lists of the profile directory stand in their place.
  if (user === undefined) return;
  if (stats.uid !== user) {
    throw unsafe(`${path} belongs to another user (${stats.uid}).`, `If it is yours: sudo chown ${user} ${quoted(path)}`);
  }
  if ((stats.mode & 0o077) !== 0) {
    throw unsafe(
      `${path} can be used by others (mode ${(stats.mode & 0o7777).toString(8).padStart(4, "0")}).`,
      `chmod ${mode} ${quoted(path)}`,
    );
  }
}

function unsafe(safeMessage: string, hint: string): DriverError {
  return new DriverError("permission_denied", undefined, { safeMessage, hint });
}

// Without a backslash: one that is shown to people is doubled.
function quoted(path: string): string {
  return /^[A-Za-z0-9_./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", `'"'"'`)}'`;
}

/** Makes a private directory, with the directories above it, or checks the one that is there. Those that it makes are added to `made`. */
export function ensurePrivateFolder(path: string, made: string[] = []): void {
  if (look(path) === undefined) makeFolders(path, made);
  const stats = look(path);
  if (stats !== undefined) assertPrivateFolder(path, stats);
}

function makeFolders(path: string, made: string[]): void {
  const above = dirname(path);
  if (above !== path && look(above) === undefined) makeFolders(above, made);
  try {
    mkdirSync(path, { mode: FOLDER_MODE });
    made.push(path);
    // Under an umask like 0777 the new directory could not be entered. It was never wider than this.
    chmodSync(path, FOLDER_MODE);
    syncFolder(above);
  } catch (error) {
    // Another process was faster.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/**
 * Makes a file that no other user can ever open, whatever the umask, and fails when the name is taken, also by a symbolic link.
 * The content is written in full or the call fails: `writeFileSync` on a descriptor goes on after a short write.
 */
export function createPrivateFile(path: string, content = ""): void {
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, FILE_MODE);
  try {
    fchmodSync(file, FILE_MODE);
    if (content !== "") {
      writeFileSync(file, content);
      fsyncSync(file);
    }
  } finally {
    closeSync(file);
  }
}

/** Replaces a file as a whole, or makes it: whoever reads it sees the old or the new content, also after a crash. */
export function replacePrivateFile(path: string, content: string): void {
  const temporary = besides(path, `${randomUUID()}.tmp`);
  try {
    createPrivateFile(temporary, content);
    renameSync(temporary, path);
  } catch (error) {
    removeFile(temporary);
    throw error;
  }
  syncFolder(dirname(path));
}

// A file under a temporary name, and what SQLite keeps beside it.
const UNFINISHED = /^[0-9a-f-]{36}\.(?:new|tmp)(?:-wal|-shm|-journal)?$/;

/** Removes what processes that were killed while they made or replaced this file have left. The caller holds the lock under which that is done. */
export function removeUnfinished(path: string): void {
  const folder = dirname(path);
  const start = `.${basename(path)}.`;
  for (const name of readdirSync(folder)) {
    if (name.startsWith(start) && UNFINISHED.test(name.slice(start.length))) removeFile(join(folder, name));
  }
}

/** Removes directories that were made in vain. One that is in use by now stays, with those above it. */
export function removeEmptyFolders(made: readonly string[]): void {
  try {
    for (const path of made.toReversed()) rmdirSync(path);
  } catch {
    // Somebody else has put something there.
  }
}

/** Removes a file, if it is there. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Makes the names in a directory durable. */
export function syncFolder(path: string): void {
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
