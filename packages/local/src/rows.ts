import { type Census, encodeCensus } from "./census.ts";
import type { Connection, Row } from "./connection.ts";
import type { HeadRow, RevisionRow, Sealer } from "./sealing.ts";
import { isProtection } from "./protection.ts";
import type { WrappedKey } from "./wrapping.ts";

/** Thrown when something in the store does not open under its key, or is not what Coffer writes. It says what, without any content. */
export class Unopenable extends Error {
  readonly what: string;

  constructor(what: string) {
    super(what);
    this.what = what;
  }
}

/** Which store a file is, and what its key is wrapped in. */
export interface StoreIdentity {
  readonly storeId: string;
  readonly key: WrappedKey;
}

const HEAD_COLUMNS = "name, schema, revision, created_at, updated_at, oldest";
const PAGE_LENGTH = 500;
const REVISION_COLUMNS = "name, schema, revision, created_at";

/** @throws Unopenable when the rows are not what Coffer writes */
export function identityOf(connection: Connection): StoreIdentity {
  return connection.snapshot(() => {
    const storeId = connection.row("SELECT store_id FROM store WHERE id = 1")?.[0];
    const keys = connection.rows("SELECT id, protection, parameters, wrapped FROM keys").map(keyFrom);
    const [key] = keys;
    if (typeof storeId !== "string" || key === undefined || keys.length !== 1)
      throw new Unopenable("The store does not say which key it needs.");
    return { storeId, key };
  });
}

function keyFrom([id, protection, parameters, wrapped]: Row): WrappedKey | undefined {
  const sane = typeof id === "number" && isProtection(protection) && typeof parameters === "string" && wrapped instanceof Uint8Array;
  return sane ? { id, protection, parameters, wrapped } : undefined;
}

/** The number of the key that the store is sealed with now. */
export function keyIdOf(connection: Connection): unknown {
  return connection.row("SELECT max(id) FROM keys")?.[0];
}

export function sealedCensusOf(connection: Connection): unknown {
  return connection.row("SELECT census FROM store WHERE id = 1")?.[0];
}

export function putCensus(connection: Connection, sealer: Sealer, census: Census): void {
  connection.run("UPDATE store SET census = ? WHERE id = 1", sealer.seal(sealer.censusLabel, encodeCensus(census)));
}

/** Makes this the one key of the store. */
export function putKey(connection: Connection, { id, protection, parameters, wrapped }: WrappedKey): void {
  connection.run("DELETE FROM keys");
  connection.run("INSERT INTO keys (id, protection, parameters, wrapped) VALUES (?, ?, ?, ?)", id, protection, parameters, wrapped);
}

/** A secret as its row tells it, and its sealed values. */
export interface Head {
  readonly row: HeadRow;
  readonly sealed: unknown;
}

export function findHead(connection: Connection, name: string): Head | undefined {
  const row = connection.row(`SELECT ${HEAD_COLUMNS}, sealed FROM secrets WHERE name = ?`, name);
  return row === undefined ? undefined : { row: asked(headFrom(row), name), sealed: row[6] };
}

// In a damaged file a search may end at another row than the one that was asked for, and that row is authentic too.
function asked<Found extends RevisionRow>(row: Found, name: string, revision = row.revision): Found {
  if (row.name === name && row.revision === revision) return row;
  throw new Unopenable("A search in the store ends at the wrong row.");
}

/**
 * All secrets in the order of their names. Pages, because rows that are held for long cost a long listing more than reading them does.
 * @throws Unopenable when they are in another order: a search by name could miss some, and a listing would go round in circles
 */
export function* headPages(connection: Connection): Generator<readonly HeadRow[]> {
  const sql = `SELECT ${HEAD_COLUMNS} FROM secrets INDEXED BY listing WHERE name > ? ORDER BY name LIMIT ${PAGE_LENGTH}`;
  let last = "";
  for (;;) {
    const page: HeadRow[] = connection.rows(sql, last).map(headFrom);
    const before = last;
    for (const { name } of page) {
      if (name <= last && byteOrder(name, last) <= 0) throw outOfOrder();
      last = name;
    }
    if (page.length === 0) return;
    if (byteOrder(last, before) <= 0) throw outOfOrder();
    yield page;
  }
}

// SQLite's order. That of the language, which is quicker to find, differs for characters beyond the basic plane only.
function byteOrder(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

function outOfOrder(): Unopenable {
  return new Unopenable("The list of the secrets is damaged.");
}

/** Whether the listing has a secret of this name; only of use where the table does not, because then one of them is damaged. */
export function isListed(connection: Connection, name: string): boolean {
  return connection.row("SELECT 1 FROM secrets INDEXED BY listing WHERE name = ?", name) !== undefined;
}

export function countHeads(connection: Connection): number {
  return Number(connection.row("SELECT count(*) FROM secrets")?.[0]);
}

export function findRevision(
  connection: Connection,
  name: string,
  revision: number,
): { readonly row: RevisionRow; readonly sealed: unknown } | undefined {
  const row = connection.row(`SELECT ${REVISION_COLUMNS}, sealed FROM revisions WHERE name = ? AND revision = ?`, name, revision);
  return row === undefined ? undefined : { row: asked(revisionFrom(row), name, revision), sealed: row[4] };
}

/** The revisions before the current one, newest first. */
export function olderRevisions(connection: Connection, name: string): { readonly row: RevisionRow; readonly sealed: unknown }[] {
  const rows = connection.rows(`SELECT ${REVISION_COLUMNS}, sealed FROM revisions WHERE name = ? ORDER BY revision DESC`, name);
  return rows.map((row) => ({ row: asked(revisionFrom(row), name), sealed: row[4] }));
}

export function insertHead(connection: Connection, sealer: Sealer, row: HeadRow, values: string): void {
  const { name, schema, revision, createdAt, updatedAt, oldest } = row;
  const sealed = sealer.seal(sealer.headLabel(row), values);
  connection.run(
    `INSERT INTO secrets (${HEAD_COLUMNS}, sealed) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    name,
    schema,
    revision,
    createdAt,
    updatedAt,
    oldest,
    sealed,
  );
}

export function updateHead(connection: Connection, sealer: Sealer, row: HeadRow, values: string | Uint8Array): void {
  const { name, schema, revision, createdAt, updatedAt, oldest } = row;
  const sealed = sealer.seal(sealer.headLabel(row), values);
  connection.run(
    "UPDATE secrets SET schema = ?, revision = ?, created_at = ?, updated_at = ?, oldest = ?, sealed = ? WHERE name = ?",
    schema,
    revision,
    createdAt,
    updatedAt,
    oldest,
    sealed,
    name,
  );
}

/** Writes an older revision; one with the same number is overwritten. */
export function putRevision(connection: Connection, sealer: Sealer, row: RevisionRow, values: Uint8Array): void {
  const { name, schema, revision, createdAt } = row;
  const sealed = sealer.seal(sealer.revisionLabel(row), values);
  connection.run(
    `INSERT OR REPLACE INTO revisions (${REVISION_COLUMNS}, sealed) VALUES (?, ?, ?, ?, ?)`,
    name,
    schema,
    revision,
    createdAt,
    sealed,
  );
}

export function dropRevisionsBefore(connection: Connection, name: string, revision: number): void {
  connection.run("DELETE FROM revisions WHERE name = ? AND revision < ?", name, revision);
}

export function dropSecret(connection: Connection, name: string): void {
  connection.run("DELETE FROM revisions WHERE name = ?", name);
  connection.run("DELETE FROM secrets WHERE name = ?", name);
}

/**
 * The sealed values of the current revision, as bytes of JSON.
 * @throws Unopenable
 */
export function openHead(sealer: Sealer, { row, sealed }: Head): Buffer {
  const plain = sealer.open(sealer.headLabel(row), sealed);
  if (plain === undefined) throw new Unopenable(`The secret was changed outside of Coffer.`);
  return plain;
}

/** @throws Unopenable */
export function openRevision(sealer: Sealer, { row, sealed }: { readonly row: RevisionRow; readonly sealed: unknown }): Buffer {
  const plain = sealer.open(sealer.revisionLabel(row), sealed);
  if (plain === undefined) throw new Unopenable("An older revision of the secret was changed outside of Coffer.");
  return plain;
}

// The columns are strict, but a damaged file may hold anything.
function headFrom([name, schema, revision, createdAt, updatedAt, oldest]: Row): HeadRow {
  if (
    typeof name === "string" &&
    (schema === null || typeof schema === "string") &&
    typeof revision === "number" &&
    typeof createdAt === "number" &&
    typeof updatedAt === "number" &&
    typeof oldest === "number"
  )
    return { name, schema, revision, createdAt, updatedAt, oldest };
  throw new Unopenable("A row of the store is damaged.");
}

function revisionFrom([name, schema, revision, createdAt]: Row): RevisionRow {
  if (
    typeof name === "string" &&
    (schema === null || typeof schema === "string") &&
    typeof revision === "number" &&
    typeof createdAt === "number"
  )
    return { name, schema, revision, createdAt };
  throw new Unopenable("A row of the store is damaged.");
}
