import { type CreateOptions, DriverError, type Revision, type SecretRecord, type SecretsManagerDriver } from "@coffer/core";
import { wait } from "./deadline.ts";
import type { Context } from "./context.ts";
import { classifyAwsError, explained, isMissing, isNamed, isPendingDeletion, strangeAnswer } from "./errors.ts";
import { isManaged, markerTags } from "./marker.ts";
import { serviceName } from "./names.ts";
import { payloadOf } from "./payload.ts";
import { newRevision } from "./revisions.ts";

// How long a name is waited for that this process has just deleted for good: AWS does that asynchronously.
const FREED_MS = [100, 200, 400, 800, 1600, 1600];

/** New secrets. */
export function creating({ api, settings, created, dropped }: Context): Pick<SecretsManagerDriver, "create"> {
  return {
    async create(name: string, record: SecretRecord, options: CreateOptions) {
      const id = serviceName(name, options.scope, "new");
      const revision = newRevision(options.operationId, record.schema);
      const payload = payloadOf(record);
      for (const pause of FREED_MS) {
        try {
          return await attempt(id, name, payload, revision, options);
        } catch (error) {
          if (!isPendingDeletion(error)) throw error;
          if (!dropped.has(id)) return reserved(error, id, name, payload, revision, options);
        }
        await wait(pause, options);
      }
      return attempt(id, name, payload, revision, options);
    },
  };

  /** One request that creates the secret with its value and its marker, or fails because the name is taken. */
  async function attempt(Name: string, name: string, SecretString: string, revision: Revision, options: CreateOptions): Promise<Revision> {
    const tags = [...markerTags(name, Name), ...Object.entries(settings.tags ?? {}).map(([Key, Value]) => ({ Key, Value }))];
    const key = settings.kms_key === undefined ? {} : { KmsKeyId: settings.kms_key };
    try {
      const answer = await api.createSecret({ Name, SecretString, ClientRequestToken: revision, Tags: tags, ...key }, options);
      if (answer.VersionId === undefined) throw strangeAnswer("create");
    } catch (error) {
      if (!isNamed(error, "ResourceExistsException")) throw error;
      // Taken by ourselves, perhaps: by an earlier attempt whose answer was lost.
      if (!api.mayHaveHappened(error) || !(await hasVersion(Name, revision, options))) throw explained("already_exists", error);
    }
    created.add(Name);
    dropped.delete(Name);
    return revision;
  }

  async function hasVersion(SecretId: string, VersionId: Revision, options: CreateOptions): Promise<boolean> {
    try {
      return (await api.getSecretValue({ SecretId, VersionId }, options)).VersionId === VersionId;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  /** The name belongs to a secret that waits to be deleted: that is an error with its ways out, or the secret is brought back. */
  async function reserved(
    refusal: unknown,
    SecretId: string,
    name: string,
    SecretString: string,
    revision: Revision,
    options: CreateOptions,
  ): Promise<Revision> {
    // Only to say until when; who may not look is not told.
    const found = await api.describeSecret({ SecretId }, options).catch(() => undefined);
    if (options.onDeleted === "error")
      throw explained("recently_deleted", refusal, {
        safeMessage: reservation(found?.DeletedDate),
        hint: 'Restore it, register it with onDeleted: "restore", delete it with immediate: true, or choose another name.',
      });
    await api.restoreSecret({ SecretId }, options);
    try {
      if (found !== undefined && !isManaged(found.Tags)) await api.tagResource({ SecretId, Tags: markerTags(name, SecretId) }, options);
      await api.putSecretValue({ SecretId, SecretString, ClientRequestToken: revision }, options);
    } catch (error) {
      if (DriverError.isInstance(error)) throw error;
      const info = classifyAwsError(error, "create", true);
      throw explained(info.code, error, {
        ...info,
        safeMessage: "The deleted secret was restored; whether it has the new content is not known.",
      });
    }
    return revision;
  }
}

/** The date is that of the end in the documentation, and has been seen to be that of the deletion: the words fit both. */
function reservation(date: Date | undefined): string | undefined {
  if (date === undefined) return undefined;
  const day = date.toISOString().slice(0, 16).replace("T", " ");
  return date.getTime() > Date.now()
    ? `AWS keeps it until ${day} UTC.`
    : `It was deleted on ${day} UTC; AWS keeps it for 7 to 30 days from then on.`;
}
