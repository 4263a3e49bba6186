import { DriverError, type ReplaceOptions, type Revision, type SecretRecord, type SecretsManagerDriver } from "@coffer/core";
import type { Context } from "./context.ts";
import { classifyAwsError, explained, isMissing, isNamed, strangeAnswer } from "./errors.ts";
import { isManaged, markerTags } from "./marker.ts";
import { serviceName } from "./names.ts";
import { payloadOf } from "./payload.ts";
import { isOurs, isRevision, newRevision } from "./revisions.ts";

// A version under this label is stored and not current. The label moves to each new one by itself.
const PENDING = "coffer-pending";
const CURRENT = "AWSCURRENT";

/** New values of secrets that exist. */
export function replacing({ api }: Context): Pick<SecretsManagerDriver, "replace"> {
  return {
    async replace(name: string, record: SecretRecord, options: ReplaceOptions) {
      const id = serviceName(name, options.scope);
      const revision = newRevision(options.operationId, record.schema);
      const payload = payloadOf(record);
      try {
        await claim(name, id, options);
        if (options.expected === undefined) await put(id, payload, revision, options);
        else await swap(id, payload, revision, options.expected, options);
      } catch (error) {
        if (!DriverError.isInstance(error) && isMissing(error)) throw explained("not_found", error, { outcome: outcomeOf(error) });
        throw error;
      }
      return revision;
    },
  };

  /**
   * Makes sure that the secret is ours to replace. In a scope whose path is ours that takes no request, unless somebody else has written the revision that is
   * expected; in scope `none` it takes a look at the tags. With `adopt` the marker is set first: a secret that is marked and keeps its old value does no harm.
   */
  async function claim(name: string, SecretId: string, options: ReplaceOptions): Promise<void> {
    if (options.adopt) {
      await api.tagResource({ SecretId, Tags: markerTags(name, SecretId) }, options);
      return;
    }
    const { expected } = options;
    if (expected === undefined ? options.scope !== "none" : isOurs(expected)) return;
    const found = await api.describeSecret({ SecretId }, options);
    if (found.DeletedDate !== undefined) throw new DriverError("not_found");
    if (!isManaged(found.Tags) || found.OwningService !== undefined)
      throw new DriverError("conflict", undefined, {
        retryable: false,
        safeMessage:
          found.OwningService === undefined
            ? "Another tool has written it: it has no tag managed-by=coffer."
            : "Another service of AWS manages it.",
        hint: found.OwningService === undefined ? "Pass adopt: true to take it over." : "Change it through that service.",
      });
  }

  async function put(SecretId: string, SecretString: string, revision: Revision, options: ReplaceOptions): Promise<void> {
    // A repeated request does nothing: the token is known, and the value the same.
    const answer = await api.putSecretValue({ SecretId, SecretString, ClientRequestToken: revision }, options);
    if (answer.VersionId === undefined) throw strangeAnswer("replace");
  }

  /** Stores the value beside the current one, then moves the label from the expected version to it, which the service does only when it is there. */
  async function swap(
    SecretId: string,
    SecretString: string,
    revision: Revision,
    expected: Revision,
    options: ReplaceOptions,
  ): Promise<void> {
    if (!isRevision(expected)) throw new DriverError("conflict");
    try {
      const answer = await api.putSecretValue({ SecretId, SecretString, ClientRequestToken: revision, VersionStages: [PENDING] }, options);
      if (answer.VersionId === undefined) throw strangeAnswer("replace");
    } catch (error) {
      // Whatever became of it, what is current has not changed.
      const info = DriverError.isInstance(error) ? error.info : classifyAwsError(error, "replace", false);
      throw isMissing(error) ? explained("not_found", error) : explained(info.code, error, { ...info, outcome: "not_applied" });
    }
    try {
      const move = { SecretId, VersionStage: CURRENT, MoveToVersionId: revision, RemoveFromVersionId: expected };
      const answer = await api.updateSecretVersionStage(move, options);
      if (answer.Name === undefined) throw strangeAnswer("replace");
    } catch (error) {
      // The expected version may be gone altogether; the new one cannot be.
      if (!isNamed(error, "InvalidParameterException", "ResourceNotFoundException")) throw error;
      if (api.mayHaveHappened(error) && (await wasCurrent(SecretId, revision, options))) return;
      throw explained("conflict", error);
    }
  }

  /** Whether an earlier attempt, whose answer was lost, has moved the label: then the version is current, or was until somebody replaced it. */
  async function wasCurrent(SecretId: string, revision: Revision, options: ReplaceOptions): Promise<boolean> {
    const found = await api.describeSecret({ SecretId }, options);
    const stages = found.VersionIdsToStages?.[revision] ?? [];
    return stages.includes(CURRENT) || stages.includes("AWSPREVIOUS");
  }

  function outcomeOf(error: unknown): "unknown" | "not_applied" {
    return api.mayHaveHappened(error) ? "unknown" : "not_applied";
  }
}
