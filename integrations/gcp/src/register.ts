import { type CreateOptions, DriverError, type Revision } from "@coffer/core";
import type { Calls } from "./calls.ts";
import { statusOf, wasLost } from "./errors.ts";
import { annotationsFor, isMarked, type RegisterTrace, registerTrace } from "./marker.ts";
import { holds, type Payload } from "./payload.ts";
import { type Bounds, lastPart, type SecretResource } from "./service.ts";

/** What is to be registered, and where. */
export interface NewSecret {
  /** `projects/…` or `projects/…/locations/…`. */
  readonly parent: string;
  readonly id: string;
  /** The name of the secret, where the id does not tell it. */
  readonly name: string | undefined;
  readonly payload: Payload;
  /** Replication, labels and keys, from the settings. */
  readonly fields: object;
}

/** How long the second request may take beyond the time of the call: a secret without a value is worse than a late one. */
const FINISH_MS = 5_000;
/** What the clocks of two machines may differ by, with some room for a request that is still on its way. */
const CLOCKS_MS = 60_000;

/**
 * Stores a new secret in two requests, because the service has no single one: the secret, then its first version. Once begun it is carried through, also when the
 * caller gives up meanwhile; what a crash leaves all the same is a secret without a version, which a later register completes.
 */
export async function register(calls: Calls, secret: NewSecret, options: CreateOptions, closing: AbortSignal): Promise<Revision> {
  const bounds: Bounds = { signal: closing, deadline: options.deadline };
  const trace: RegisterTrace = {
    operationId: options.operationId,
    until: Date.now() + Math.max(0, options.deadline - performance.now()) + FINISH_MS,
  };
  const resource = `${secret.parent}/secrets/${secret.id}`;
  const made = await claim(calls, secret, resource, trace, bounds);
  const finishing: Bounds = { signal: closing, deadline: options.deadline + FINISH_MS };
  try {
    return await addFirst(calls, resource, secret.payload, finishing);
  } catch (error) {
    if (wasLost(error)) throw error;
    // Nothing was written: what was made for it goes again. Should that fail too, the trace lets a later register complete it.
    if (made !== undefined) await calls.send("deleteSecret", { name: resource, etag: made }, finishing).catch(() => undefined);
    throw statusOf(error) === "NOT_FOUND"
      ? new DriverError("conflict", error, { safeMessage: "It was deleted while it was registered." })
      : error;
  }
}

/**
 * Makes the secret, or takes over one without a version whose register is long over.
 * @returns the etag of what was made here; `undefined` when it was taken over
 * @throws DriverError `already_exists`, or `conflict` while another register may still be under way
 */
async function claim(calls: Calls, secret: NewSecret, resource: string, trace: RegisterTrace, bounds: Bounds): Promise<string | undefined> {
  try {
    const annotations = annotationsFor(trace, secret.name);
    const made = await calls.send(
      "createSecret",
      { parent: secret.parent, secretId: secret.id, secret: { ...secret.fields, annotations } },
      bounds,
    );
    if (lastPart(made.name) !== secret.id)
      throw new DriverError("unavailable", undefined, { outcome: "unknown", safeMessage: "The answer is not the service's." });
    return made.etag ?? undefined;
  } catch (error) {
    if (statusOf(error) !== "ALREADY_EXISTS") throw error;
    return await takeOver(calls, resource, trace, bounds, error);
  }
}

async function takeOver(calls: Calls, resource: string, trace: RegisterTrace, bounds: Bounds, taken: unknown): Promise<string | undefined> {
  // By its number, because only that is answered consistently: a listing may not show a version yet.
  if (!(await isWithoutVersion(calls, resource, bounds))) throw new DriverError("already_exists", taken);
  const shell = await calls.send("getSecret", { name: resource }, bounds);
  const { annotations, etag } = shell;
  const earlier = registerTrace(annotations ?? {});
  // Made by this very register, whose answer was lost.
  if (earlier?.operationId === trace.operationId) return etag ?? undefined;
  if (earlier === undefined)
    throw new DriverError("already_exists", taken, {
      safeMessage: isMarked(annotations ?? {}) ? "It has no value yet." : "Another tool has made it, and it has no value yet.",
      hint: "Replace it (with adopt, in scope none) to give it one.",
    });
  if (Date.now() < earlier.until + CLOCKS_MS)
    throw new DriverError("conflict", taken, {
      safeMessage: "Another register of it was begun and has not written the value yet.",
      hint: "Try again. If that register was interrupted, its secret can be completed about two minutes after it began.",
    });
  try {
    // The etag lets exactly one of several through.
    await calls.send("updateSecret", claimOf(resource, shell, trace), bounds);
  } catch (error) {
    if (statusOf(error) === "FAILED_PRECONDITION") throw new DriverError("conflict", error);
    throw error;
  }
  return undefined;
}

function claimOf(
  resource: string,
  { annotations, etag }: SecretResource,
  trace: RegisterTrace,
): { secret: { name: string; etag: string; annotations: Record<string, string> }; updateMask: { paths: string[] } } {
  return {
    secret: { name: resource, etag: etag ?? "", annotations: { ...annotations, ...annotationsFor(trace, undefined) } },
    updateMask: { paths: ["annotations"] },
  };
}

async function isWithoutVersion(calls: Calls, resource: string, bounds: Bounds): Promise<boolean> {
  try {
    await calls.send("accessSecretVersion", { name: `${resource}/versions/1` }, bounds);
    return false;
  } catch (error) {
    const status = statusOf(error);
    if (status === "NOT_FOUND") return true;
    // It is there and disabled, or not for our eyes: in any case the name is taken.
    if (status === "FAILED_PRECONDITION" || status === "PERMISSION_DENIED") return false;
    throw error;
  }
}

async function addFirst(calls: Calls, resource: string, payload: Payload, bounds: Bounds): Promise<Revision> {
  for (let again = true; ; again = false) {
    try {
      return lastPart((await calls.send("addSecretVersion", { parent: resource, payload }, bounds)).name);
    } catch (error) {
      if (!wasLost(error)) throw error;
      // The answer is lost. Whether the version is there is answered consistently, because its number is known.
      const there = await calls
        .send("accessSecretVersion", { name: `${resource}/versions/1` }, bounds)
        .catch((reason: unknown) => statusOf(reason));
      if (typeof there === "object" && holds(there, payload)) return "1";
      if (there !== "NOT_FOUND" || !again) throw error;
    }
  }
}
