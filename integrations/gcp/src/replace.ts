import { DriverError, type ReplaceOptions, type Revision } from "@coffer/core";
import type { Calls } from "./calls.ts";
import { statusOf, wasLost } from "./errors.ts";
import { isMarked, marked } from "./marker.ts";
import { holds, type Payload } from "./payload.ts";
import { lastPart } from "./service.ts";

const REVISION = /^[1-9]\d{0,15}$/;
// How often a value that was overwritten unseen is put back, when others keep on writing.
const REPAIRS = 3;

/** Whether a revision is one that the service has given out: the number of a version. */
export function isRevision(revision: Revision): boolean {
  return REVISION.test(revision);
}

/**
 * Writes a new version of a secret that exists.
 * @param resource `projects/…/secrets/…`
 * @throws DriverError `conflict` when it is not ours, or not at the expected revision
 */
export async function replace(calls: Calls, resource: string, payload: Payload, options: ReplaceOptions): Promise<Revision> {
  if (options.scope === "none" || options.adopt) await ours(calls, resource, options);
  return options.expected === undefined
    ? add(calls, resource, payload, options)
    : swap(calls, resource, payload, options.expected, options);
}

/** Looks for the marker where names are not ours anyway, and sets it on what is adopted. */
async function ours(calls: Calls, resource: string, options: ReplaceOptions): Promise<void> {
  const { annotations, etag } = await calls.send("getSecret", { name: resource }, options);
  if (isMarked(annotations ?? {})) return;
  if (!options.adopt)
    throw new DriverError("conflict", undefined, {
      retryable: false,
      safeMessage: "It was not written by Coffer.",
      hint: "Replace it with adopt to take it over.",
    });
  try {
    // A mask replaces the whole map; the etag keeps what somebody else adds to it meanwhile.
    const secret = { name: resource, etag: etag ?? "", annotations: marked(annotations ?? {}) };
    await calls.send("updateSecret", { secret, updateMask: { paths: ["annotations"] } }, options);
  } catch (error) {
    if (statusOf(error) === "FAILED_PRECONDITION") throw new DriverError("conflict", error);
    throw error;
  }
}

async function add(calls: Calls, resource: string, payload: Payload, options: ReplaceOptions): Promise<Revision> {
  try {
    return revisionOf((await calls.send("addSecretVersion", { parent: resource, payload }, options)).name);
  } catch (error) {
    if (!wasLost(error) || options.signal.aborted) throw error;
    // The answer is lost. When the newest version holds the payload, what was wanted has happened; when it does not, it may merely be shown late.
    const newest = await calls.send("accessSecretVersion", { name: `${resource}/versions/latest` }, options).catch(() => undefined);
    if (newest !== undefined && holds(newest, payload)) return revisionOf(newest.name);
    throw error;
  }
}

/**
 * Compares and swaps as well as a service allows that compares nothing when a version is added. Versions are numbered without gaps, and asked for by number they
 * are answered consistently: so nobody has written since `expected` exactly when the next number does not exist yet. A writer who comes between the look and
 * the write shows in the number that the write gets; then what that writer wrote is put back on top.
 */
async function swap(calls: Calls, resource: string, payload: Payload, expected: Revision, options: ReplaceOptions): Promise<Revision> {
  const next = String(Number(expected) + 1);
  if (!isRevision(expected)) throw new DriverError("conflict");
  const status = await calls.send("accessSecretVersion", { name: `${resource}/versions/${next}` }, options).then(
    () => "OK",
    (error: unknown) => {
      const told = statusOf(error);
      // Disabled or destroyed, it is there all the same.
      if (told === "NOT_FOUND" || told === "FAILED_PRECONDITION") return told;
      throw error;
    },
  );
  if (status !== "NOT_FOUND") throw new DriverError("conflict");
  const written = await add(calls, resource, payload, options);
  if (written !== next) await putBack(calls, resource, written, options);
  return written;
}

async function putBack(calls: Calls, resource: string, written: Revision, options: ReplaceOptions): Promise<never> {
  let ours = Number(written);
  try {
    for (let attempt = 0; attempt < REPAIRS && ours > 1; attempt += 1) {
      const { payload } = await calls.send("accessSecretVersion", { name: `${resource}/versions/${ours - 1}` }, options);
      const data = payload?.data;
      if (data === undefined || data === null) break;
      const bytes = typeof data === "string" ? Buffer.from(data, "base64") : data;
      const added = await calls.send(
        "addSecretVersion",
        { parent: resource, payload: { data: bytes, dataCrc32c: String(payload?.dataCrc32c ?? "") } },
        options,
      );
      const number = Number(revisionOf(added.name));
      if (number === ours + 1) throw new DriverError("conflict");
      ours = number;
    }
  } catch (error) {
    if (DriverError.isInstance(error)) throw error;
  }
  throw new DriverError("conflict", undefined, {
    outcome: "unknown",
    safeMessage: "Somebody else wrote at the same time, and this value now lies on top of theirs, which the history still has.",
    hint: "Read the secret and its history, and write what is to be current.",
  });
}

function revisionOf(name: string | null | undefined): Revision {
  const revision = lastPart(name);
  if (!isRevision(revision))
    throw new DriverError("unavailable", undefined, { outcome: "unknown", safeMessage: "The answer is not the service's." });
  return revision;
}
