import { DriverError, type ReplaceOptions, type Revision } from "@coffer/core";
import type { Calls } from "./calls.ts";
import { statusOf, wasLost } from "./errors.ts";
import { type Annotations, isMarked, locked, marked, swapLock, unlocked } from "./marker.ts";
import { bytesOf, holds, type Payload } from "./payload.ts";
import { lastPart, type SecretResource } from "./service.ts";

const REVISION = /^[1-9]\d{0,14}$/;
// What the clocks of two writers may differ by.
const CLOCKS_MS = 10_000;
// How often a value that was overwritten unseen is put back, when others keep on writing.
const REPAIRS = 3;

/** Whether a revision is one that the service has given out: the number of a version. */
export function isRevision(revision: Revision): boolean {
  return REVISION.test(revision);
}

/**
 * Writes a new version of a secret that exists: one request, unless a marker or a revision has to be looked at first.
 * @param resource `projects/…/secrets/…`
 * @throws DriverError `conflict` when it is not ours, or not at the expected revision
 */
export async function replace(calls: Calls, resource: string, payload: Payload, options: ReplaceOptions): Promise<Revision> {
  const { scope, adopt, expected } = options;
  if (expected !== undefined) return swap(calls, resource, payload, expected, options);
  if (scope === "none" || adopt) {
    const secret = await calls.send("getSecret", { name: resource }, options);
    refuseForeign(secret, options);
    if (!isMarked(secret.annotations ?? {})) await annotate(calls, resource, secret, marked(secret.annotations ?? {}), options);
  }
  return add(calls, resource, payload, options);
}

/** In scope `none` names are not ours anyway, so the marker decides. */
function refuseForeign({ annotations }: SecretResource, { scope, adopt }: ReplaceOptions): void {
  if (scope !== "none" || adopt || isMarked(annotations ?? {})) return;
  throw new DriverError("conflict", undefined, {
    retryable: false,
    safeMessage: "It was not written by Coffer.",
    hint: "Replace it with adopt to take it over.",
  });
}

/** Sets the annotations, which are replaced as a whole: the etag keeps what somebody else writes into them meanwhile. */
async function annotate(
  calls: Calls,
  resource: string,
  { etag }: SecretResource,
  annotations: Annotations,
  options: ReplaceOptions,
): Promise<SecretResource> {
  try {
    const secret = { name: resource, etag: etag ?? "", annotations };
    return await calls.send("updateSecret", { secret, updateMask: { paths: ["annotations"] } }, options);
  } catch (error) {
    if (statusOf(error) === "FAILED_PRECONDITION") throw new DriverError("conflict", error);
    // The value is not touched yet, whatever became of the annotations.
    if (wasLost(error)) throw new DriverError("unavailable", error);
    throw error;
  }
}

/** @param sought the version in which a write whose answer was lost is looked for */
async function add(calls: Calls, resource: string, payload: Payload, options: ReplaceOptions, sought = "latest"): Promise<Revision> {
  try {
    return revisionOf((await calls.send("addSecretVersion", { parent: resource, payload }, options)).name);
  } catch (error) {
    if (!wasLost(error) || options.signal.aborted) throw error;
    // The answer is lost. When the newest version holds the payload, what was wanted has happened; when it does not, it may merely be shown late.
    const newest = await calls.send("accessSecretVersion", { name: `${resource}/versions/${sought}` }, options).catch(() => undefined);
    if (newest !== undefined && holds(newest, payload)) return revisionOf(newest.name);
    throw error;
  }
}

/**
 * Compares and swaps as well as a service allows that compares nothing when a version is added. Versions are numbered without gaps, and by number they are
 * answered consistently: nobody has written since `expected` exactly when the next number does not exist. Writers that compare announce themselves in the
 * annotations, where an etag lets one of them through. One that does not compare, in the moment before the version is added, shows in the number that it gets;
 * then what that writer wrote is put back on top.
 */
async function swap(calls: Calls, resource: string, payload: Payload, expected: Revision, options: ReplaceOptions): Promise<Revision> {
  if (!isRevision(expected)) throw new DriverError("conflict");
  const next = String(Number(expected) + 1);
  const [secret, taken] = await Promise.all([
    calls.send("getSecret", { name: resource }, options),
    exists(calls, `${resource}/versions/${next}`, options),
  ]);
  refuseForeign(secret, options);
  const annotations = secret.annotations ?? {};
  const other = swapLock(annotations);
  if (taken || (other?.base === expected && other.operationId !== options.operationId && Date.now() < other.until + CLOCKS_MS))
    throw new DriverError("conflict");
  const until = Date.now() + Math.max(0, options.deadline - performance.now());
  const lock = { base: expected, operationId: options.operationId, until };
  const announced = await annotate(calls, resource, secret, locked(options.adopt ? marked(annotations) : annotations, lock), options);
  // Looked for by its number: when the value stays the same, the newest version is `expected` itself, and would be taken for what was just written.
  const written = await add(calls, resource, payload, options, next).catch(async (error: unknown) => {
    // Nothing was written, so nobody has to wait until the announcement is over.
    if (!wasLost(error)) await annotate(calls, resource, announced, unlocked(announced.annotations ?? {}), options).catch(() => undefined);
    throw error;
  });
  return written === next ? written : putBack(calls, resource, Number(written), options);
}

async function exists(calls: Calls, version: string, options: ReplaceOptions): Promise<boolean> {
  try {
    await calls.send("accessSecretVersion", { name: version }, options);
    return true;
  } catch (error) {
    // Disabled or destroyed, it is there all the same.
    if (statusOf(error) === "FAILED_PRECONDITION") return true;
    if (statusOf(error) === "NOT_FOUND") return false;
    throw error;
  }
}

/** Brings the version below ours back to the top, and ours with it to an end: always a conflict. */
async function putBack(calls: Calls, resource: string, written: number, options: ReplaceOptions): Promise<never> {
  let ours = written;
  let restored = false;
  try {
    for (let attempt = 0; !restored && attempt < REPAIRS && ours > 1; attempt += 1) {
      const accessed = await calls.send("accessSecretVersion", { name: `${resource}/versions/${ours - 1}` }, options);
      const payload = { data: bytesOf(accessed), dataCrc32c: String(accessed.payload?.dataCrc32c?.toString()) };
      const number = Number(revisionOf((await calls.send("addSecretVersion", { parent: resource, payload }, options)).name));
      restored = number === ours + 1;
      ours = number;
    }
  } catch {
    // What stands in the way of the repair is not what the caller asked for; that it lacks is told below.
  }
  if (restored) throw new DriverError("conflict");
  throw new DriverError("conflict", undefined, {
    outcome: "unknown",
    safeMessage: "Somebody else wrote at the same time, and this value now lies on top of theirs, which the history still has.",
    hint: "Read the secret and its history, and write what is to be current.",
  });
}

function revisionOf(name: string | null | undefined): Revision {
  const revision = lastPart(name);
  if (isRevision(revision)) return revision;
  throw new DriverError("unavailable", undefined, { outcome: "unknown", safeMessage: "The answer is not the service's." });
}
