import type { DatabaseSync } from "node:sqlite";
import { DriverError } from "@coffer/core";
import { damaged } from "./errors.ts";

/** The format of the file. A program that knows only older ones leaves it alone. */
export const FORMAT = 1;
/** "Coff": what marks a SQLite file as ours. */
const APPLICATION_ID = 0x436f6666;
export const PAGE_BYTES = 4096;

// Names and metadata are in clear text, so that listings need no key for every row; each is sealed with its value and counted by the census.
const TABLES = [
  "CREATE TABLE store (id INTEGER PRIMARY KEY CHECK (id = 1), store_id TEXT NOT NULL, census BLOB NOT NULL) STRICT",
  "CREATE TABLE keys (id INTEGER PRIMARY KEY, protection TEXT NOT NULL, parameters TEXT NOT NULL, wrapped BLOB NOT NULL) STRICT",
  "CREATE TABLE secrets (name TEXT NOT NULL PRIMARY KEY, schema TEXT, revision INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, oldest INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID",
  // A listing reads this and nothing else; without it every sealed value would have to be read past.
  "CREATE INDEX listing ON secrets (name, schema, revision, created_at, updated_at, oldest)",
  "CREATE TABLE revisions (name TEXT NOT NULL, revision INTEGER NOT NULL, schema TEXT, created_at INTEGER NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (name, revision)) STRICT, WITHOUT ROWID",
];

/** Makes the tables in an empty file and switches it to the write-ahead log. The transaction stays open for the first rows. */
export function layOut(database: DatabaseSync): void {
  database.exec(
    `PRAGMA page_size = ${PAGE_BYTES}; PRAGMA temp_store = MEMORY; PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL; BEGIN IMMEDIATE`,
  );
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT}; ${TABLES.join(";")}`);
}

/** What every connection needs: no trust in what the file brings, no temporary file outside memory. */
export function prepareForReading(database: DatabaseSync): void {
  database.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY");
}

/** What a connection that writes needs besides: a commit is on the disk, and what is deleted is overwritten. */
export function prepareForWriting(database: DatabaseSync): void {
  database.exec("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON");
}

/**
 * Refuses a file that is not a store of this format, before anything of it is used. `immutable` says that it was opened as a file that nobody can
 * write.
 * @throws DriverError `corrupt` when it is something else or was changed, `unsupported` when a newer Coffer has written it
 */
export function assertFormat(database: DatabaseSync, path: string, immutable: boolean): void {
  const applicationId = pragma(database, "application_id");
  const format = pragma(database, "user_version");
  if (applicationId !== APPLICATION_ID) throw damaged(path, "The file is not a store of Coffer, or its header is damaged.");
  assertNotNewer(format, path);
  // Where nothing can be written SQLite opens no log, and does not say that there would be one.
  if (format !== FORMAT || (!immutable && pragma(database, "journal_mode") !== "wal"))
    throw damaged(path, "The header of the store is damaged.");
  const schema = database.prepare("SELECT count(*) AS objects, group_concat(sql, ';') AS sql FROM sqlite_schema").get();
  if (schema?.["objects"] !== TABLES.length || schema["sql"] !== TABLES.join(";"))
    throw damaged(path, "The tables of the store are not what they were.");
}

/** @throws DriverError `unsupported` when a newer Coffer has written the store */
export function assertNotNewer(format: unknown, path: string): void {
  if (typeof format !== "number" || format <= FORMAT) return;
  throw new DriverError("unsupported", undefined, {
    safeMessage: `The store was written by a newer Coffer (format ${format}; this one knows ${FORMAT}). (${path})`,
    hint: "Update Coffer: npm install -g coffer@latest. The file was left as it is.",
  });
}

function pragma(database: DatabaseSync, name: string): unknown {
  return database.prepare(`PRAGMA ${name}`).get()?.[name];
}
