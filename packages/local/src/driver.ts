import {
  type DriverCapabilities,
  type ListOptions,
  DriverError,
  payloadBytes,
  type Revision,
  type RevisionInfo,
  type SecretRecord,
  type SecretsManagerDriver,
  type StoredSecret,
  type StoredSecretInfo,
} from "@coffer/core";
import { classifyLocalError } from "./errors.ts";
import {
  dropRevisionsBefore,
  dropSecret,
  findHead,
  findRevision,
  type Head,
  insertHead,
  isListed,
  olderRevisions,
  openHead,
  openRevision,
  putRevision,
  Unopenable,
  updateHead,
} from "./rows.ts";
import type { HeadRow } from "./sealing.ts";
import type { CheckedSettings } from "./settings-types.ts";
import { LocalStore, type OpenedStore } from "./store.ts";

/** One megabyte: a secret is a password, a key or a certificate; what is larger belongs into a file. */
const MAX_VALUE_BYTES = 1024 * 1024;

/** What the local flavor can do. */
export const LOCAL_CAPABILITIES: DriverCapabilities = {
  writable: true,
  atomicCreate: true,
  compareAndSwap: "atomic",
  revisions: true,
  restore: false,
  marker: "atomic",
  listMetadata: true,
  listing: "strong",
  readAfterWrite: "strong",
  maxValueBytes: MAX_VALUE_BYTES,
  caseSensitive: true,
  batchSize: 1,
  // Reads are answered one after the other by the same file.
  maxInFlight: 1,
};

/** Opens the driver. Nothing is read or made before the first call. */
export async function openLocalDriver(settings: CheckedSettings): Promise<SecretsManagerDriver> {
  const store = new LocalStore(settings);
  return {
    capabilities: LOCAL_CAPABILITIES,
    read: (name, options) => store.reading(options, (opened) => read(store, opened, name, options.revision)),
    create: async (name, record, options) => {
      const written = await store.writing(options, true, ({ connection, sealer, sum }, census) => {
        if (findHead(connection, name) !== undefined) throw new DriverError("already_exists");
        if (isListed(connection, name)) throw new Unopenable("The row of the secret is damaged.");
        const now = Date.now();
        const revision = census.floor + 1;
        const head = { name, schema: record.schema ?? null, revision, createdAt: now, updatedAt: now, oldest: revision };
        insertHead(connection, sealer, head, textOf(record));
        return { census: sum.changed(census, head, undefined), result: String(revision) };
      });
      return written?.result;
    },
    replace: async (name, record, options) => {
      const written = await store.writing(options, false, (opened, census) => {
        const { connection, sealer, sum } = opened;
        const before = findHead(connection, name) ?? missing(store, opened, name);
        const { row } = before;
        if (options.expected !== undefined && options.expected !== String(row.revision)) throw new DriverError("conflict");
        const oldest = Math.max(row.oldest, row.revision + 2 - settings.revisions);
        const head: HeadRow = { ...row, schema: record.schema ?? null, revision: row.revision + 1, updatedAt: Date.now(), oldest };
        // It is opened in any case: what is not ours to read must not be carried on as if it were.
        const values = openHead(sealer, before);
        if (settings.revisions > 1)
          putRevision(connection, sealer, { name, schema: row.schema, revision: row.revision, createdAt: row.updatedAt }, values);
        dropRevisionsBefore(connection, name, oldest);
        updateHead(connection, sealer, head, textOf(record));
        return { census: sum.changed(census, head, row), result: String(head.revision) };
      });
      if (written === undefined) throw new DriverError("not_found");
      return written.result;
    },
    delete: async (name, options) => {
      const written = await store.writing(options, false, (opened, census) => {
        const head = findHead(opened.connection, name) ?? missing(store, opened, name);
        openHead(opened.sealer, head);
        dropSecret(opened.connection, name);
        const without = opened.sum.changed(census, undefined, head.row);
        return { census: { ...without, floor: Math.max(census.floor, head.row.revision) }, result: undefined };
      });
      if (written === undefined) throw new DriverError("not_found");
    },
    async *list(options): AsyncGenerator<StoredSecretInfo> {
      for await (const page of listPages(store, options)) yield* page;
    },
    listPages: (options) => listPages(store, options),
    async *history(name, options): AsyncGenerator<RevisionInfo> {
      const revisions = await store.reading(options, (opened) => opened.connection.snapshot(() => history(store, opened, name)));
      if (revisions === undefined) throw new DriverError("not_found");
      yield* revisions;
    },
    close: async () => store.close(),
    classify: classifyLocalError,
  };
}

function read(store: LocalStore, opened: OpenedStore, name: string, revision: Revision | undefined): StoredSecret | undefined {
  const head = findHead(opened.connection, name);
  if (head === undefined) {
    return opened.connection.snapshot(() => {
      // Written by another process between the two looks.
      const late = findHead(opened.connection, name);
      if (late === undefined) store.assertAbsent(opened, name);
      return late === undefined ? undefined : storedHead(opened, late);
    });
  }
  if (revision === undefined || revision === String(head.row.revision)) return storedHead(opened, head);
  return opened.connection.snapshot(() => {
    // The head is looked at again: what is kept of its revisions may just have changed.
    const latest = findHead(opened.connection, name) ?? head;
    // Only a head that opens tells the truth about which revisions there are.
    openHead(opened.sealer, latest);
    const { row } = latest;
    const number = Number(revision);
    if (String(number) !== revision || !Number.isSafeInteger(number)) return undefined;
    const found = findRevision(opened.connection, name, number);
    if (found === undefined) {
      if (number >= row.oldest && number < row.revision) throw new Unopenable("A revision of the secret is missing from the store.");
      return undefined;
    }
    const values = openRevision(opened.sealer, found);
    return stored(values, found.row.schema, number, row.createdAt, found.row.createdAt);
  });
}

async function* listPages(store: LocalStore, options: ListOptions): AsyncGenerator<readonly StoredSecretInfo[]> {
  // The whole store is looked through, also for a part of it: only so is it certain that nothing was taken out.
  for await (const heads of store.pages(options)) {
    const page: StoredSecretInfo[] = [];
    for (const head of heads) if (head.name.startsWith(options.prefix)) page.push(infoOf(head));
    if (page.length > 0) yield page;
  }
}

function history(store: LocalStore, opened: OpenedStore, name: string): RevisionInfo[] {
  const head = findHead(opened.connection, name) ?? missing(store, opened, name);
  openHead(opened.sealer, head);
  const { row } = head;
  const older = olderRevisions(opened.connection, name);
  if (older.length !== row.revision - row.oldest || older.some((entry, index) => entry.row.revision !== row.revision - 1 - index))
    throw new Unopenable("A revision of the secret is missing from the store.");
  for (const entry of older) openRevision(opened.sealer, entry);
  const infoAbout = (revision: number, createdAt: number, schema: string | null): RevisionInfo => ({
    revision: String(revision),
    createdAt: new Date(createdAt),
    current: revision === row.revision,
    schema,
  });
  return [
    infoAbout(row.revision, row.updatedAt, row.schema),
    ...older.map((entry) => infoAbout(entry.row.revision, entry.row.createdAt, entry.row.schema)),
  ];
}

/** Says that a secret does not exist, once it is certain that none was taken out of the file. */
function missing(store: LocalStore, opened: OpenedStore, name: string): never {
  store.assertAbsent(opened, name);
  throw new DriverError("not_found");
}

function storedHead({ sealer }: OpenedStore, head: Head): StoredSecret {
  const { schema, revision, createdAt, updatedAt } = head.row;
  return stored(openHead(sealer, head), schema, revision, createdAt, updatedAt);
}

function stored(values: Buffer, schema: string | null, revision: number, createdAt: number, updatedAt: number): StoredSecret {
  return {
    state: "value",
    record: recordOf(values, schema),
    revision: String(revision),
    createdAt: new Date(createdAt),
    updatedAt: new Date(updatedAt),
    managed: true,
  };
}

function infoOf({ name, schema, revision, createdAt, updatedAt }: HeadRow): StoredSecretInfo {
  return { name, schema, revision: String(revision), createdAt: new Date(createdAt), updatedAt: new Date(updatedAt), managed: true };
}

function textOf(record: SecretRecord): string {
  if (payloadBytes(record) > MAX_VALUE_BYTES) throw new DriverError("too_large");
  return JSON.stringify(record.values);
}

function recordOf(values: Buffer, schema: string | null): SecretRecord {
  // The tag has proved that these are the bytes that `textOf` made. Without a prototype `__proto__` is a key like any other.
  const map = Object.setPrototypeOf(JSON.parse(values.toString("utf8")), null) as Record<string, string>;
  return schema === null ? { values: map } : { schema, values: map };
}
