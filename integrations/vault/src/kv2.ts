import {
  type CallOptions,
  type CreateOptions,
  type DeleteOptions,
  DriverError,
  type ListOptions,
  type ReadOptions,
  type ReplaceOptions,
  type Revision,
  type RevisionInfo,
  type SecretRecord,
  type StoredSecret,
  type StoredSecretInfo,
} from "@coffer/core";
import { isNothing, isVersionMismatch, type LostVersion, lostVersion, objectOf } from "./answers.ts";
import { type Engine, type EngineCalls, isSameRecord, pathOf, payloadOf, recordIn, refuseForeign } from "./engine.ts";
import { classifyVaultError, isLost } from "./errors.ts";
import { foldersOf } from "./listing.ts";
import { isMarked, withMarker } from "./marker.ts";
import { unsure, writeOnce } from "./writing.ts";

/** How many secrets are asked about at once where a listing does not say enough. */
const ASKED_AT_ONCE = 32;
/** How often a replacement of whatever stands there is tried against others who write at the same time. */
const ATTEMPTS = 6;
const VERSION = /^[1-9]\d{0,9}$/;

/** The calls of a driver on an engine of version 2. */
export function kv2Calls(engine: Engine): EngineCalls {
  return {
    read: (name, options) => read(engine, name, options),
    create: (name, record, options) => create(engine, name, record, options),
    replace: (name, record, options) => replace(engine, name, record, options),
    delete: (name, options) => remove(engine, name, options),
    listPages: (options) => listPages(engine, options),
    history: (name, options) => history(engine, name, options),
    ...(engine.softDelete ? { restore: (name, options) => restore(engine, name, options) } : {}),
  };
}

interface LiveVersion {
  readonly version: number;
  readonly record: SecretRecord;
  readonly created: Date | undefined;
  readonly customMetadata: unknown;
}

/** What stands under a name: a version with a value, the trace of a deleted one, or nothing. */
type State =
  | { readonly kind: "live"; readonly live: LiveVersion }
  | { readonly kind: "lost"; readonly lost: LostVersion }
  | { readonly kind: "nothing" };

/** What stands under a name of an engine of version 2, or did in an earlier version; `undefined` when there is no value. */
async function read(engine: Engine, name: string, options: ReadOptions): Promise<StoredSecret | undefined> {
  const { revision } = options;
  // The server takes 0 and text for the newest version.
  if (revision !== undefined && !VERSION.test(revision)) return undefined;
  const state = await look(engine, name, options, revision);
  if (state.kind !== "live") return undefined;
  const { version, record, created } = state.live;
  return { state: "value", revision: String(version), updatedAt: created, managed: managedOf(engine, state.live), record };
}

async function create(engine: Engine, name: string, record: SecretRecord, options: CreateOptions): Promise<Revision> {
  const payload = payloadOf(engine, record);
  let before = 0;
  let customMetadata: unknown;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const written = await put(engine, name, { record, payload, before, customMetadata }, options);
    if (written !== undefined) {
      await mark(engine, name, written.customMetadata, options);
      return String(written.version);
    }
    const state = await look(engine, name, options);
    if (state.kind === "live") throw new DriverError("already_exists");
    // Deleted for good since, or deleted so that the numbers go on: with the next one the condition holds.
    before = state.kind === "lost" ? state.lost.version : 0;
    customMetadata = state.kind === "lost" ? state.lost.customMetadata : undefined;
    if (state.kind === "lost" && !state.lost.destroyed && options.onDeleted === "error") throw reserved(engine);
  }
  throw new DriverError("conflict", undefined, { safeMessage: "Others write and delete the same name all the time." });
}

async function replace(engine: Engine, name: string, record: SecretRecord, options: ReplaceOptions): Promise<Revision> {
  const payload = payloadOf(engine, record);
  const { expected } = options;
  // What is known already need not be looked at; a deleted secret that can be restored would pass for one that is there, and a marker may have to be kept or set.
  const blind = expected !== undefined && options.scope !== "none" && !engine.customMetadata && !engine.softDelete;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const live = blind ? undefined : await existing(engine, name, options);
    if (live !== undefined) refuseForeign(managedOf(engine, live), options);
    if (expected !== undefined && (!VERSION.test(expected) || (live !== undefined && String(live.version) !== expected))) {
      await existing(engine, name, options);
      throw new DriverError("conflict");
    }
    const before = live?.version ?? Number(expected);
    const written = await put(engine, name, { record, payload, before, customMetadata: live?.customMetadata }, options);
    if (written !== undefined) {
      await mark(engine, name, written.customMetadata, options);
      return String(written.version);
    }
    if (expected !== undefined) {
      await existing(engine, name, options);
      throw new DriverError("conflict");
    }
  }
  throw new DriverError("conflict", undefined, { safeMessage: "Others write the same secret all the time." });
}

async function remove(engine: Engine, name: string, options: DeleteOptions): Promise<void> {
  const state = await look(engine, name, options);
  // For good means that the name is free afterwards, also when only a deleted version keeps it.
  if (state.kind === "nothing" || (state.kind === "lost" && !options.immediate)) throw new DriverError("not_found");
  const gentle = engine.softDelete && !options.immediate;
  await writeOnce(
    async () =>
      void (await engine.connection.request(
        { method: "DELETE", path: pathOf(engine, gentle ? "data" : "metadata", name, options.scope) },
        options,
      )),
    async () => {
      const now = await look(engine, name, options);
      if (now.kind === "nothing" || (gentle && now.kind === "lost")) return { result: undefined };
      // Somebody has written since: what stands there is not what was to be deleted.
      if (now.kind === "live" && !isSameVersion(now, state)) throw new DriverError("conflict");
      return undefined;
    },
  );
}

/** Whether it is still the version that was seen before: the numbers begin anew when a secret is deleted for good. */
function isSameVersion({ live }: Extract<State, { kind: "live" }>, before: State): boolean {
  return before.kind === "live" && before.live.version === live.version && before.live.created?.getTime() === live.created?.getTime();
}

/** Brings the version back that was deleted last. */
async function restore(engine: Engine, name: string, options: CallOptions): Promise<void> {
  const state = await look(engine, name, options);
  if (state.kind !== "lost" || state.lost.destroyed)
    throw new DriverError("not_found", undefined, {
      safeMessage: state.kind === "live" ? "It is not deleted." : "There is nothing left to restore.",
    });
  const body = { versions: [state.lost.version] };
  await writeOnce(
    async () =>
      void (await engine.connection.request({ method: "POST", path: pathOf(engine, "undelete", name, options.scope), body }, options)),
    async () => ((await look(engine, name, options)).kind === "live" ? { result: undefined } : undefined),
  );
}

/** The versions that still have a value, newest first. */
async function* history(engine: Engine, name: string, options: CallOptions): AsyncGenerator<RevisionInfo> {
  const metadata = await metadataOf(engine, name, options);
  if (metadata?.live !== true) throw new DriverError("not_found");
  const versions = Object.entries(metadata.versions).filter(([number, version]) => VERSION.test(number) && !isGone(engine, version));
  for (const [number, version] of versions.toSorted(([one], [other]) => Number(other) - Number(one)))
    yield {
      revision: number,
      createdAt: dateIn(objectOf(version)["created_time"]) ?? null,
      current: Number(number) === metadata.current,
      schema: null,
    };
}

async function* listPages(engine: Engine, options: ListOptions): AsyncGenerator<readonly StoredSecretInfo[]> {
  const folders = foldersOf(engine, `${engine.mount}/metadata`, options);
  // The engine lists the names of deleted secrets, too, and no markers.
  const asks = engine.softDelete || (engine.customMetadata && options.scope === "none");
  for await (const page of folders) {
    if (!asks) yield page;
    else {
      for (let start = 0; start < page.length; start += ASKED_AT_ONCE) {
        const some = page.slice(start, start + ASKED_AT_ONCE);
        const known = await Promise.all(some.map((info) => askedAbout(engine, info, options)));
        const live = known.filter((info) => info !== undefined);
        if (live.length > 0) yield live;
      }
    }
  }
}

async function askedAbout(engine: Engine, info: StoredSecretInfo, options: ListOptions): Promise<StoredSecretInfo | undefined> {
  const metadata = await metadataOf(engine, info.name, options);
  if (metadata?.live !== true) return undefined;
  return { ...info, revision: String(metadata.current), managed: engine.customMetadata ? metadata.marked : null };
}

/** What the engine knows of a secret beside its values. */
interface Metadata {
  readonly current: number;
  /** The current version has a value. */
  readonly live: boolean;
  readonly versions: Readonly<Record<string, unknown>>;
  readonly marked: boolean;
}

/** The metadata of a secret; `undefined` when the engine has none of this name. */
async function metadataOf(engine: Engine, name: string, options: CallOptions): Promise<Metadata | undefined> {
  try {
    const answer = await engine.connection.request({ method: "GET", path: pathOf(engine, "metadata", name, options.scope) }, options);
    const { current_version: current, versions, custom_metadata: customMetadata } = objectOf(answer["data"]);
    if (typeof current !== "number") throw strangeAnswer();
    const all = objectOf(versions);
    const live = Object.hasOwn(all, String(current)) && !isGone(engine, all[String(current)]);
    return { current, live, versions: all, marked: isMarked(customMetadata) };
  } catch (error) {
    if (isNothing(error)) return undefined;
    throw error;
  }
}

function isGone({ connection }: Engine, version: unknown): boolean {
  const { deletion_time: deleted, destroyed } = objectOf(version);
  // A version can have a time to come at which it will vanish. The server tells its time to the second.
  const at = dateIn(deleted);
  return destroyed === true || (at !== undefined && at.getTime() <= connection.now() + 1_000);
}

async function look(engine: Engine, name: string, options: CallOptions, version?: string): Promise<State> {
  const path = pathOf(engine, "data", name, options.scope);
  try {
    const query = version === undefined ? "" : `?version=${version}`;
    const answer = await engine.connection.request({ method: "GET", path: path + query }, options);
    const { data, metadata } = objectOf(answer["data"]);
    const { version: number, created_time: created, destroyed, custom_metadata: customMetadata } = objectOf(metadata);
    if (typeof number !== "number") throw strangeAnswer();
    // Some answers about a deleted version are no refusals.
    if (data === null) return { kind: "lost", lost: { version: number, destroyed: destroyed === true, customMetadata } };
    return { kind: "live", live: { version: number, record: recordIn(data), created: dateIn(created), customMetadata } };
  } catch (error) {
    const lost = lostVersion(error);
    if (lost !== undefined) return { kind: "lost", lost };
    if (isNothing(error)) return { kind: "nothing" };
    throw error;
  }
}

async function existing(engine: Engine, name: string, options: CallOptions): Promise<LiveVersion> {
  const state = await look(engine, name, options);
  if (state.kind !== "live") throw new DriverError("not_found");
  return state.live;
}

interface Write {
  readonly record: SecretRecord;
  readonly payload: Readonly<Record<string, unknown>>;
  /** The version that the write is made for; 0 for none. */
  readonly before: number;
  /** What was known of the custom metadata beforehand. */
  readonly customMetadata: unknown;
}

/** What has come of a write. */
interface Written {
  readonly version: number;
  /** As the server tells it of the new version, which a secret can have before its first one; otherwise as it was known. */
  readonly customMetadata: unknown;
}

/**
 * Writes the next version, once, and finds out what became of it when the answer is lost: its number is known beforehand, so it can be looked for.
 * @returns the number and the custom metadata; `undefined` when another version stands there
 */
async function put(engine: Engine, name: string, write: Write, options: CallOptions): Promise<Written | undefined> {
  const path = pathOf(engine, "data", name, options.scope);
  const version = write.before + 1;
  let lost: unknown;
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    try {
      const body = { options: { cas: write.before }, data: write.payload };
      const answer = await engine.connection.request({ method: "POST", path, body }, options);
      checkWritten(answer);
      const { custom_metadata: customMetadata = write.customMetadata } = objectOf(answer["data"]);
      return { version, customMetadata };
    } catch (error) {
      if (DriverError.isInstance(error) && error.info.code === "invalid_settings") throw error;
      if (lost === undefined && isVersionMismatch(error)) return undefined;
      // Whatever refuses the second attempt: the first one may still arrive.
      if (lost === undefined && !isLost(error)) throw error;
      lost = error;
    }
    const found = await look(engine, name, options, String(version)).catch(() => undefined);
    if (found?.kind === "live")
      return isSameRecord(found.live.record, write.record) ? { version, customMetadata: found.live.customMetadata } : undefined;
    if (found?.kind !== "nothing") break;
  }
  throw unsure(lost);
}

/** Every write is answered with its number: an engine of version 1 has none, and has stored the envelope as if it were the secret. */
function checkWritten(answer: Readonly<Record<string, unknown>>): void {
  if (typeof objectOf(answer["data"])["version"] === "number") return;
  if (Object.keys(answer).length > 0) throw strangeAnswer("unknown");
  throw new DriverError("invalid_settings", undefined, {
    outcome: "unknown",
    safeMessage: "The engine is not of version 2: what was written stands in its folder `data`.",
    hint: "Set kv_version to 1, or leave it out; and delete what stands in that folder.",
  });
}

function managedOf({ customMetadata }: Engine, live: LiveVersion): boolean | null {
  return customMetadata ? isMarked(live.customMetadata) : null;
}

/** Marks what was written as ours, where the settings ask for it. It is a request of its own: until it succeeds the secret is there and unmarked. */
async function mark(engine: Engine, name: string, customMetadata: unknown, options: CallOptions): Promise<void> {
  if (!engine.customMetadata || isMarked(customMetadata)) return;
  const body = { custom_metadata: withMarker(customMetadata) };
  try {
    await writeOnce(
      async () =>
        void (await engine.connection.request({ method: "POST", path: pathOf(engine, "metadata", name, options.scope), body }, options)),
      async () => {
        const state = await look(engine, name, options);
        return state.kind === "live" && isMarked(state.live.customMetadata) ? { result: undefined } : undefined;
      },
    );
  } catch (error) {
    const info = DriverError.isInstance(error) ? error.info : classifyVaultError(error, { operation: "replace" });
    throw new DriverError(info.code, DriverError.isInstance(error) ? error.raw() : error, {
      retryable: info.retryable,
      status: info.status,
      outcome: "unknown",
      safeMessage: "The value was written, its marker in the custom metadata was not.",
      hint: "Grant create and update on the metadata path of the engine, then write it again; or leave custom_metadata out.",
    });
  }
}

function reserved({ softDelete }: Engine): DriverError {
  return new DriverError("recently_deleted", undefined, {
    safeMessage: "The engine still holds versions of a deleted secret of this name.",
    hint: `${softDelete ? "Restore it" : "Bring it back with `vault kv undelete`"}, register it with onDeleted: "restore", delete it with immediate, or choose another name.`,
  });
}

function strangeAnswer(outcome: "not_applied" | "unknown" = "not_applied"): DriverError {
  return new DriverError("unavailable", undefined, { outcome, safeMessage: "The server answers with something that is no secret." });
}

function dateIn(text: unknown): Date | undefined {
  if (typeof text !== "string" || text === "") return undefined;
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
