import { type ErrorCode, type SecretsManager, SecretsError } from "@coffer/core";
import { hintOf } from "../output/failure.ts";

/** One thing that was looked at. */
export interface Finding {
  readonly check: string;
  readonly state: "ok" | "note" | "problem";
  readonly found: string;
  /** What mends it. */
  readonly hint: string | null;
}

// No secret of this name exists: what is asked is whether one could be read.
const PROBE = "coffer-doctor-probe";
const OUT_OF_REACH: ReadonlySet<ErrorCode> = new Set(["unavailable", "timeout"]);

/**
 * Looks at an opened secrets manager, step by step: whether it answers, whether it accepts the credentials, whether reading and listing are allowed. What a step
 * needs to have worked ends the rest. Changes nothing.
 * @throws SecretsError `aborted`
 */
export async function* lookAtService(manager: SecretsManager, signal: AbortSignal): AsyncGenerator<Finding> {
  const { writable, revisions, restore } = await manager.capabilities({ signal });
  const abilities = [writable ? "can write" : "read-only", revisions ? "keeps revisions" : "keeps no revisions"];
  yield ok("open", [...abilities, ...(restore ? ["deletes can be undone"] : [])].join(", "));

  const remote = manager.flavor !== "local";
  // One request answers three questions, by how it fails.
  const probed = await outcomeOf(manager.hasSecret(PROBE, { signal }));
  const steps = remote ? connectionSteps(probed) : [];
  yield* steps;
  if (steps.some(({ state }) => state === "problem")) return;
  yield SecretsError.isInstance(probed) ? problem("read", probed) : ok("read", "allowed");

  const listed = await outcomeOf(firstName(manager, signal));
  if (SecretsError.isInstance(listed)) yield problem("list", listed);
  else yield ok("list", listed === undefined ? "allowed, there are no secrets yet" : "allowed, there are secrets");
  if (remote && writable) yield { check: "write", state: "note", found: "not tried, because it would change something", hint: null };
}

/** What an answer, or its failure, says about the way to the service and about who is asking. */
function connectionSteps(probed: boolean | SecretsError): readonly Finding[] {
  const error = SecretsError.isInstance(probed) ? probed : undefined;
  if (error !== undefined && OUT_OF_REACH.has(error.code)) return [problem("reach", error)];
  const reached = ok("reach", "it answers");
  // A setting that turns out wrong while the credential is looked for: nothing was sent, so nothing answered and nothing was accepted.
  const unsent = error?.code === "invalid_settings" && !hasAnswered(error);
  if (error === undefined || (error.code !== "unauthenticated" && !unsent))
    return [reached, ok("identity", "the credentials are accepted")];
  // Where there is no credential, nothing was sent.
  return [...(hasAnswered(error) ? [reached] : []), problem("identity", error)];
}

function ok(check: string, found: string): Finding {
  return { check, state: "ok", found, hint: null };
}

/** What an error says as a finding. */
export function problem(check: string, error: SecretsError): Finding {
  return { check, state: "problem", found: error.message, hint: hintOf(error) ?? null };
}

async function firstName(manager: SecretsManager, signal: AbortSignal): Promise<string | undefined> {
  for await (const { name } of manager.listSecrets({ signal })) return name;
  return undefined;
}

/** Whether the service itself has told the error. */
function hasAnswered({ cause }: SecretsError): boolean {
  return typeof cause === "object" && cause !== null && "status" in cause;
}

/** What a call answers, or its error. Giving up is no outcome. */
async function outcomeOf<Result>(call: Promise<Result>): Promise<Result | SecretsError> {
  try {
    return await call;
  } catch (error) {
    if (!SecretsError.isInstance(error) || error.code === "aborted") throw error;
    return error;
  }
}
