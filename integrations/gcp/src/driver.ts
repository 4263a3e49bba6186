import {
  type CallOptions,
  type CreateOptions,
  type DeleteOptions,
  type DriverCapabilities,
  DriverError,
  type ListOptions,
  type ReadOptions,
  type ReplaceOptions,
  type Revision,
  type SecretRecord,
  type SecretsManagerDriver,
  type StoredSecret,
} from "@coffer/core";
import { Calls, within } from "./calls.ts";
import { openService } from "./client.ts";
import { CallFailure, classify, statusOf } from "./errors.ts";
import { history, listPages } from "./listing.ts";
import { isMarked } from "./marker.ts";
import { serviceName } from "./names.ts";
import { contentOf, PAYLOAD_LIMIT, payloadOf } from "./payload.ts";
import { RecentVersions } from "./recent.ts";
import { register } from "./register.ts";
import { isRevision, replace } from "./replace.ts";
import { dateOf, lastPart } from "./service.ts";
import { DEFAULT_RETRIES, type GcpSettings } from "./settings-types.ts";

/** What Secret Manager can do. */
export const GCP_CAPABILITIES: DriverCapabilities = {
  writable: true,
  // CreateSecret refuses a name that is taken.
  atomicCreate: true,
  // AddSecretVersion compares nothing: a writer in the moment between the look and the write is noticed after it.
  compareAndSwap: "best_effort",
  revisions: true,
  // A deleted secret is gone at once.
  restore: false,
  // Annotations belong to the secret, the value to a version.
  marker: "separate",
  listMetadata: false,
  listing: "eventual",
  readAfterWrite: "eventual",
  maxValueBytes: PAYLOAD_LIMIT,
  caseSensitive: true,
  batchSize: 1,
  maxInFlight: 32,
};

/** Opens Secret Manager. No request is made before the first call needs one. */
export async function openGcpDriver(settings: GcpSettings): Promise<SecretsManagerDriver> {
  const calls = new Calls(openService(settings), settings.max_retries ?? DEFAULT_RETRIES);
  const recent = new RecentVersions();
  const closing = new AbortController();
  const fields = fieldsOf(settings);

  const resourceOf = async (id: string, options: CallOptions): Promise<string> => `${await calls.parent(options)}/secrets/${id}`;

  const access = async (resource: string, version: string, options: CallOptions): Promise<StoredSecret | undefined> => {
    try {
      const accessed = await calls.send("accessSecretVersion", { name: `${resource}/versions/${version}` }, options);
      const { record, encoding } = contentOf(accessed);
      return { state: "value", managed: null, revision: lastPart(accessed.name), record, ...(encoding === undefined ? {} : { encoding }) };
    } catch (error) {
      if (statusOf(error) === "NOT_FOUND") return undefined;
      throw error;
    }
  };

  /** Tells a secret without a version from one that is not there: `latest` answers both alike. */
  const withoutValue = async (resource: string, options: CallOptions): Promise<StoredSecret | undefined> => {
    try {
      const { annotations, createTime } = await calls.send("getSecret", { name: resource }, options);
      return { state: "empty", managed: isMarked(annotations ?? {}), createdAt: dateOf(createTime) };
    } catch (error) {
      // Whoever may read values only was told by the access that there is none, and may not see more.
      if (statusOf(error) === "NOT_FOUND" || statusOf(error) === "PERMISSION_DENIED") return undefined;
      throw error;
    }
  };

  return {
    capabilities: GCP_CAPABILITIES,

    async read(name: string, options: ReadOptions) {
      const { id } = serviceName(name, options.scope);
      const resource = await resourceOf(id, options);
      if (options.revision !== undefined) return isRevision(options.revision) ? access(resource, options.revision, options) : undefined;
      const shown = await access(resource, "latest", options);
      const newer = recent.newerThan(id, shown?.revision);
      const written = newer === undefined ? undefined : await access(resource, newer, options);
      return written ?? shown ?? withoutValue(resource, options);
    },

    async create(name: string, record: SecretRecord, options: CreateOptions): Promise<Revision> {
      const { id, hashed } = serviceName(name, options.scope);
      const payload = payloadOf(record);
      options.signal.throwIfAborted();
      const parent = await calls.parent(options);
      const registering = register(calls, { parent, id, name: hashed ? name : undefined, payload, fields }, options, closing.signal);
      // It goes on when the caller gives up: half of it would be a secret without a value.
      const revision = await within(
        registering.then((written) => {
          recent.wrote(id, written);
          return written;
        }),
        options,
      );
      return revision;
    },

    async replace(name: string, record: SecretRecord, options: ReplaceOptions): Promise<Revision> {
      const { id } = serviceName(name, options.scope);
      const payload = payloadOf(record);
      const revision = await replace(calls, await resourceOf(id, options), payload, options);
      recent.wrote(id, revision);
      return revision;
    },

    async delete(name: string, options: DeleteOptions) {
      const { id } = serviceName(name, options.scope);
      recent.forget(id);
      try {
        await calls.send("deleteSecret", { name: await resourceOf(id, options) }, options);
      } catch (error) {
        // Gone, after an attempt whose answer was lost: that attempt did it.
        if (statusOf(error) === "NOT_FOUND" && error instanceof CallFailure && error.lost) return;
        throw error;
      }
    },

    async *list(options: ListOptions) {
      for await (const page of listPages(calls, options)) yield* page;
    },

    listPages: (options) => listPages(calls, options),

    async *history(name: string, options: CallOptions) {
      yield* history(calls, await resourceOf(serviceName(name, options.scope).id, options), options);
    },

    async close() {
      closing.abort(new DriverError("closed"));
      await calls.close();
    },

    classify,
  };
}

/** What the settings say about new secrets. */
function fieldsOf({ location, replication, kms_key: key, labels }: GcpSettings): object {
  const encryption = (name: string | undefined): object => (name === undefined ? {} : { customerManagedEncryption: { kmsKeyName: name } });
  const common = labels === undefined ? {} : { labels };
  if (location !== undefined) return { ...common, ...encryption(typeof key === "string" ? key : undefined) };
  if (replication === undefined || replication === "automatic")
    return { ...common, replication: { automatic: encryption(typeof key === "string" ? key : undefined) } };
  const replicas = replication.map((place) => ({ location: place, ...encryption(typeof key === "object" ? key[place] : undefined) }));
  return { ...common, replication: { userManaged: { replicas } } };
}
