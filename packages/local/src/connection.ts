import { accessSync, constants } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { damaged, orphanedLog } from "./errors.ts";
import { assertPrivateFile, assertPrivateFolder, look } from "./files.ts";
import { assertFormat, assertNotNewer, PAGE_BYTES, prepareForReading, prepareForWriting } from "./format.ts";
import { sqlite } from "./sqlite.ts";

/** The columns of a row, in the order of the statement. */
export type Row = readonly unknown[];
type Parameter = string | number | Uint8Array | null;

/**
 * A connection to a store that exists, whose files and format are in order. Statements are prepared once and answer with arrays of columns.
 * Everything in here is synchronous: a transaction of one caller is over before another one's begins.
 */
export class Connection {
  readonly path: string;
  /** What it was opened for; one for writing reads as well. */
  readonly mode: "read" | "write";
  readonly #inode: number;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  private constructor(path: string, mode: "read" | "write", inode: number, database: DatabaseSync) {
    this.path = path;
    this.mode = mode;
    this.#inode = inode;
    this.#database = database;
  }

  /**
   * Opens the store, or returns `undefined` when there is none. It never makes one.
   * @throws DriverError when the files are not private, or are damaged; errors of SQLite as they are, among them "busy"
   */
  static open(path: string, mode: "read" | "write"): Connection | undefined {
    const inode = inspectFiles(path);
    if (inode === undefined) return undefined;
    const { location, readOnly, immutable } = wayIn(path, mode);
    const database = openExisting(path, location, readOnly);
    if (database === undefined) return undefined;
    try {
      prepareForReading(database);
      assertFormat(database, path, immutable);
      if (mode === "write") prepareForWriting(database);
      return new Connection(path, mode, inode, database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Whether it was not closed yet. */
  get isOpen(): boolean {
    return this.#database.isOpen;
  }

  /** Whether the file at the path is still the one that was opened; a restored backup, for example, is not. */
  isCurrent(): boolean {
    return look(this.path)?.ino === this.#inode;
  }

  /** A prepared statement of this text. */
  prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      statement.setReturnArrays(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  row(sql: string, ...parameters: Parameter[]): Row | undefined {
    // With arrays asked for, that is what comes; the types of Node know objects only.
    return this.prepared(sql).get(...parameters) as unknown as Row | undefined;
  }

  rows(sql: string, ...parameters: Parameter[]): readonly Row[] {
    return this.prepared(sql).all(...parameters) as unknown as readonly Row[];
  }

  run(sql: string, ...parameters: Parameter[]): void {
    this.prepared(sql).run(...parameters);
  }

  /** Several reads of one and the same state. Inside of a transaction that is the state of the transaction. */
  snapshot<Result>(work: () => Result): Result {
    if (this.#database.isTransaction) return work();
    this.run("BEGIN");
    try {
      return work();
    } finally {
      this.rollback();
    }
  }

  /** Everything that is read from now on is of one state, until the connection is closed. */
  beginSnapshot(): void {
    this.run("BEGIN");
    // SQLite takes the snapshot with the first read.
    this.row("PRAGMA user_version");
  }

  /** All or nothing, and on the disk when it returns. */
  transaction<Result>(work: () => Result): Result {
    this.begin();
    try {
      const result = work();
      this.commit();
      return result;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  /**
   * Takes the write lock; fails at once when another process has it.
   * @throws DriverError `unsupported` when a newer Coffer has taken the store over since it was opened
   */
  begin(): void {
    this.run("BEGIN IMMEDIATE");
    try {
      assertNotNewer(this.row("PRAGMA user_version")?.[0], this.path);
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  commit(): void {
    this.run("COMMIT");
  }

  rollback(): void {
    // After some failures SQLite has rolled back already.
    if (this.#database.isTransaction) this.run("ROLLBACK");
  }

  /** Moves what was committed from the log into the file, as far as no reader and no trouble is in the way: it is safe in either place. */
  checkpoint(): void {
    try {
      this.rows("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // The next commit or close tries again.
    }
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }
}

/** Looks at the store and everything beside it that SQLite would open; answers the inode of the store, or `undefined` when there is none. */
function inspectFiles(path: string): number | undefined {
  const folder = look(dirname(path));
  if (folder === undefined) return undefined;
  const file = look(path);
  if (file === undefined && folder.isDirectory()) {
    // Were a new store made here, SQLite would "recover" the log of the old one into it.
    if (look(`${path}-wal`) !== undefined) throw orphanedLog(path);
    return undefined;
  }
  assertPrivateFolder(dirname(path), folder);
  if (file === undefined) return undefined;
  assertPrivateFile(path, file);
  for (const suffix of ["-wal", "-shm"]) {
    const side = look(path + suffix);
    if (side !== undefined) assertPrivateFile(path + suffix, side);
  }
  // A store is never without its write-ahead log; SQLite would "recover" the file from whatever lies here.
  if (look(`${path}-journal`) !== undefined) throw damaged(path, "Beside the store lies a rollback journal that is not its own.");
  if (file.size === 0) throw damaged(path, "The file of the store is empty.");
  if (file.size % PAGE_BYTES !== 0) throw damaged(path, "The file of the store was cut off.");
  return file.ino;
}

interface WayIn {
  readonly location: URL;
  readonly readOnly: boolean;
  readonly immutable: boolean;
}

/**
 * How a store is opened. The lock that POSIX gives on a file is lost for the whole process as soon as *any* descriptor of that file is closed,
 * so the header is not read with plain file calls: SQLite looks at it, and where something waits in the log it may do so read-only, without
 * moving anything into a file that may turn out to be damaged.
 */
function wayIn(path: string, mode: "read" | "write"): WayIn {
  const location = pathToFileURL(path);
  // Should the file disappear in this very moment, SQLite would make an empty one in its place.
  location.searchParams.set("mode", "rw");
  if (mode === "write") {
    // SQLite would open the file for reading instead, and leave a log of its own behind.
    accessSync(path, constants.W_OK);
    return { location, readOnly: false, immutable: false };
  }
  const waiting = (look(`${path}-wal`)?.size ?? 0) > 0;
  if (!waiting && canWrite(dirname(path)) && canWrite(path)) return { location, readOnly: false, immutable: false };
  location.searchParams.set("mode", "ro");
  // Nobody can write here, and nothing waits in a log: the file is all there is, and needs no lock.
  if (!waiting) location.searchParams.set("immutable", "1");
  return { location, readOnly: true, immutable: !waiting };
}

function openExisting(path: string, location: URL, readOnly: boolean): DatabaseSync | undefined {
  try {
    return new (sqlite().DatabaseSync)(location, { readOnly });
  } catch (error) {
    if (look(path) === undefined) return undefined;
    throw error;
  }
}

function canWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
