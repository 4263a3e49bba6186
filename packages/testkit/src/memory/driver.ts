import type {
  CallOptions,
  CreateOptions,
  DeleteOptions,
  DriverCapabilities,
  ListOptions,
  ReadOptions,
  ReadOutcome,
  ReplaceOptions,
  Revision,
  RevisionInfo,
  SecretRecord,
  SecretsManagerDriver,
  StoredSecret,
  StoredSecretInfo,
} from "@coffer/core";
import { decodePayload, DriverError, encodePayload } from "@coffer/core";
import { classifyMemoryError, type MemoryServiceError } from "./errors.ts";
import { breath, type MemoryGate, type MemoryRequest } from "./faults.ts";
import { currentVersion, type MemoryEntry, type MemoryShelf, type MemoryVersion } from "./shelf.ts";

/** How many names one page of a listing holds: small enough that the suite's long listing takes several. */
const PAGE_SIZE = 100;

/** Opens a driver on the service behind the gate. Every call of it is one request, and does what the capabilities declare and no more. */
export function openMemoryDriver(gate: MemoryGate, shelf: MemoryShelf, capabilities: DriverCapabilities): SecretsManagerDriver {
  let closed = false;

  const request = async <Answer>(details: MemoryRequest, options: CallOptions, work: () => Answer | Promise<Answer>): Promise<Answer> => {
    if (closed) throw new DriverError("closed");
    options.signal.throwIfAborted();
    return gate.pass(details, work);
  };
  const refuse = (details: MemoryRequest, status: number, reason: string, message: string): MemoryServiceError =>
    gate.error(details, { status, reason, message });
  const revisionOf = (version: MemoryVersion): Revision | undefined =>
    capabilities.revisions || capabilities.compareAndSwap !== "none" ? version.revision : undefined;
  const managedOf = (entry: MemoryEntry): boolean | null => (capabilities.marker === "none" ? null : entry.managed);

  const stored = (entry: MemoryEntry, version: MemoryVersion): StoredSecret => {
    const metadata = { revision: revisionOf(version), createdAt: entry.createdAt, updatedAt: version.createdAt, managed: managedOf(entry) };
    if (version.payload === undefined) return { ...metadata, state: "empty" };
    const { record, encoding } = decodePayload(version.payload);
    return { ...metadata, state: "value", record, ...(encoding === undefined ? {} : { encoding }) };
  };
  /** The payload of a record, or the refusal of the service. */
  const payloadOf = (details: MemoryRequest, record: SecretRecord): string => {
    if (!capabilities.writable) throw refuse(details, 403, "ReadOnly", "this service cannot be written to");
    const limit = capabilities.maxValueBytes;
    if (limit !== null && Buffer.byteLength(encodePayload(record)) > limit)
      throw refuse(details, 413, "PayloadTooLarge", `a payload has at most ${limit} bytes`);
    return encodePayload(record);
  };
  const live = (details: MemoryRequest, name: string): MemoryEntry => {
    const entry = shelf.find(name);
    if (entry === undefined || entry.deleted) throw refuse(details, 404, "NoSuchSecret", "there is no such secret");
    return entry;
  };
  /** The marker, where it takes a request of its own: until that succeeds the secret is there and unmarked. */
  const mark = async (details: MemoryRequest, options: CallOptions): Promise<void> => {
    if (capabilities.marker !== "separate" || details.name === undefined) return;
    const { name } = details;
    try {
      await request({ ...details, operation: "replace" }, options, () => {
        const entry = shelf.find(name);
        if (entry !== undefined) shelf.mend({ ...entry, managed: true });
      });
    } catch (error) {
      throw new DriverError("unavailable", error, { outcome: "unknown", safeMessage: "The value was written, its marker was not." });
    }
  };

  return {
    capabilities,

    async read(name: string, options: ReadOptions) {
      const details = { operation: "read", name } as const;
      return request(details, options, () => {
        const entry = shelf.glance(name);
        if (entry === undefined) return undefined;
        if (entry.disabled) throw refuse(details, 403, "Disabled", "the secret is disabled");
        if (options.revision === undefined) return stored(entry, currentVersion(entry));
        const version = entry.versions.find(({ revision }) => revision === options.revision);
        if (version === undefined) throw refuse(details, 404, "NoSuchRevision", "there is no such revision");
        return stored(entry, version);
      });
    },

    async create(name: string, record: SecretRecord, options: CreateOptions) {
      const details = { operation: "create", name, record } as const;
      const written = await request(details, options, async () => {
        const payload = payloadOf(details, record);
        const holder = shelf.holder(name);
        if (holder?.deleted === true && (options.onDeleted === "error" || holder.name !== name)) {
          throw refuse(details, 409, "NameReserved", "the name belongs to a secret that was deleted and can be restored");
        }
        if (holder?.deleted === false) throw refuse(details, 409, "NameTaken", "there is a secret with this name");
        if (!capabilities.atomicCreate) await breath();
        const entry = shelf.grown(holder, name, payload, capabilities.marker === "atomic");
        shelf.put(entry);
        return revisionOf(currentVersion(entry));
      });
      await mark(details, options);
      return written;
    },

    async replace(name: string, record: SecretRecord, options: ReplaceOptions) {
      const details = { operation: "replace", name, record } as const;
      const written = await request(details, options, async () => {
        const payload = payloadOf(details, record);
        const found = live(details, name);
        // Where the marker takes a request of its own it is only asked for where names are not ours anyway.
        const checked = capabilities.marker === "atomic" || (capabilities.marker === "separate" && options.scope === "none");
        if (checked && !found.managed && !options.adopt) throw refuse(details, 409, "NotMarked", "the secret was not written by Coffer");
        if (options.expected !== undefined && currentVersion(found).revision !== options.expected) {
          throw refuse(details, 412, "RevisionChanged", "the secret has been changed since");
        }
        if (capabilities.compareAndSwap !== "atomic") await breath();
        const entry = shelf.grown(live(details, name), name, payload, found.managed || capabilities.marker === "atomic");
        shelf.put(entry);
        return revisionOf(currentVersion(entry));
      });
      await mark(details, options);
      return written;
    },

    async delete(name: string, options: DeleteOptions) {
      const details = { operation: "delete", name } as const;
      await request(details, options, () => {
        if (!capabilities.writable) throw refuse(details, 403, "ReadOnly", "this service cannot be written to");
        // A name that a soft delete has left reserved is freed by deleting it for good.
        if (options.immediate && shelf.find(name)?.deleted === true) return shelf.drop(name);
        const entry = live(details, name);
        if (capabilities.restore && !options.immediate) return shelf.put({ ...entry, deleted: true });
        return shelf.drop(name);
      });
    },

    async *list(options: ListOptions): AsyncIterable<StoredSecretInfo> {
      let entries: readonly MemoryEntry[] | undefined;
      for (let page = 1; entries === undefined || (page - 1) * PAGE_SIZE < entries.length; page += 1) {
        const from = (page - 1) * PAGE_SIZE;
        const answer = await request({ operation: "list", page }, options, () => {
          entries ??= shelf.snapshot(options.prefix);
          return entries.slice(from, from + PAGE_SIZE);
        });
        for (const entry of answer) yield listed(entry);
      }
    },

    ...(capabilities.batchSize > 1 && {
      async *readMany(names: AsyncIterable<string>, options: CallOptions): AsyncIterable<ReadOutcome> {
        for await (const batch of batches(names, capabilities.batchSize)) {
          yield* await request({ operation: "read_many" }, options, () => batch.map((name) => answerFor(name)));
        }
      },
    }),

    ...(capabilities.revisions && {
      async *history(name: string, options: CallOptions): AsyncIterable<RevisionInfo> {
        const details = { operation: "history", name } as const;
        const entry = await request(details, options, () => live(details, name));
        const current = currentVersion(entry);
        for (const version of entry.versions.toReversed()) {
          const schema = version.payload === undefined ? undefined : decodePayload(version.payload).record.schema;
          yield { revision: version.revision, createdAt: version.createdAt, current: version === current, schema: schema ?? null };
        }
      },
    }),

    ...(capabilities.restore && {
      async restore(name: string, options: CallOptions) {
        const details = { operation: "restore", name } as const;
        await request(details, options, () => {
          const entry = shelf.find(name);
          if (entry?.deleted !== true) throw refuse(details, 404, "NothingToRestore", "there is no deleted secret with this name");
          shelf.put({ ...entry, deleted: false });
        });
      },
    }),

    async close() {
      closed = true;
    },

    classify: classifyMemoryError,
  };

  function listed(entry: MemoryEntry): StoredSecretInfo {
    if (!capabilities.listMetadata) return { name: entry.name, managed: null };
    const version = currentVersion(entry);
    return {
      name: entry.name,
      revision: revisionOf(version),
      createdAt: entry.createdAt,
      updatedAt: version.createdAt,
      managed: managedOf(entry),
      ...(version.payload === undefined
        ? { state: "empty" as const }
        : { state: "value" as const, schema: decodePayload(version.payload).record.schema ?? null }),
    };
  }

  function answerFor(name: string): ReadOutcome {
    const details = { operation: "read_many", name } as const;
    if (gate.refuses(name)) return { name, error: refuse(details, 403, "Forbidden", "the caller has no permission for this secret") };
    const entry = shelf.glance(name);
    if (entry?.disabled === true) return { name, error: refuse(details, 403, "Disabled", "the secret is disabled") };
    return { name, secret: entry === undefined ? undefined : stored(entry, currentVersion(entry)) };
  }
}

async function* batches(names: AsyncIterable<string>, size: number): AsyncIterable<string[]> {
  let batch: string[] = [];
  for await (const name of names) {
    batch.push(name);
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}
