import type { Input } from "./input.ts";
import { invalid } from "./input.ts";
import { addVersion, CURRENT, type EmulatedSecret, type EmulatedSecrets, moveStage, staged, type Version } from "./secrets.ts";
import { AwsError } from "./wire.ts";

/** What an operation may look at besides its input. */
export interface Surroundings {
  readonly secrets: EmulatedSecrets;
  /** Milliseconds that a deletion without recovery takes. */
  readonly forcedDeletionMs: number;
  /** Milliseconds after which a new secret turns up in listings. */
  readonly listingLagMs: number;
  /** Whether CreateSecret takes a repeated request for another one. */
  readonly forgetsTokens: boolean;
  /** Whether the caller may not use this operation on this secret. */
  denied(operation: string, name: string): boolean;
  /** Whether a read is still answered from before the secret was made. */
  late(secret: EmulatedSecret): boolean;
  /** The refusal for lack of permission. */
  denial(operation: string, name: string): AwsError;
  /** The page of a listing is about to be answered. */
  page(number: number): { readonly repeat: boolean };
}

/** One operation: the members that its input may have, whether it changes something, and what it does. */
export interface OperationDefinition {
  readonly members: readonly string[];
  readonly writes: boolean;
  run(input: Input, surroundings: Surroundings): object;
}

const NAME = /^[A-Za-z0-9/_+=.@-]+$/;
const ID = [1, 2048] as const;
const TOKEN = [32, 64] as const;
const STAGE = [1, 256] as const;
const DAY_MS = 86_400_000;
const MISSING = "Secrets Manager can't find the specified secret.";

/** The operations of the service that the emulator knows, by name. */
export const OPERATIONS: Readonly<Record<string, OperationDefinition>> = {
  CreateSecret: {
    members: ["Name", "ClientRequestToken", "Description", "KmsKeyId", "SecretString", "SecretBinary", "Tags"],
    writes: true,
    run(input, around) {
      const name = input.required("Name", [1, 512], NAME);
      const value = input.value();
      const token = input.required("ClientRequestToken", TOKEN);
      const tags = input.tags();
      guarded(around, "CreateSecret", name);
      const taken = around.secrets.find(name);
      if (taken?.deletedAt !== undefined)
        throw new AwsError(
          "InvalidRequestException",
          "You can't create this secret because a secret with this name is already scheduled for deletion.",
        );
      if (taken !== undefined) {
        // The token makes a repeated request succeed.
        const same = taken.versions.find(({ id }) => id === token);
        if (!around.forgetsTokens && same !== undefined && value !== undefined && Buffer.from(same.value).equals(Buffer.from(value)))
          return { ARN: taken.arn, Name: name, VersionId: token };
        throw new AwsError("ResourceExistsException", `The operation failed because the secret ${name} already exists.`);
      }
      const secret = around.secrets.add(name);
      secret.kmsKeyId = input.text("KmsKeyId", [0, 2048]);
      for (const [key, tag] of tags) secret.tags.set(key, tag);
      if (value === undefined) return { ARN: secret.arn, Name: name };
      addVersion(secret, { id: token, value, createdAt: around.secrets.instant() }, [CURRENT]);
      return { ARN: secret.arn, Name: name, VersionId: token };
    },
  },

  GetSecretValue: {
    members: ["SecretId", "VersionId", "VersionStage"],
    writes: false,
    run(input, around) {
      const id = input.required("SecretId", ID);
      const versionId = input.text("VersionId", TOKEN);
      const stage = input.text("VersionStage", STAGE);
      const secret = live(around, "GetSecretValue", id);
      if (around.late(secret)) throw new AwsError("ResourceNotFoundException", MISSING);
      return valueOf(secret, versionId, stage);
    },
  },

  BatchGetSecretValue: {
    members: ["SecretIdList", "Filters", "MaxResults", "NextToken"],
    writes: false,
    run(input, around) {
      const ids = input.texts("SecretIdList", [1, 20], ID);
      if (ids === undefined) throw invalid("Either SecretIdList or Filters must be provided, but not both.");
      const values: object[] = [];
      const errors: object[] = [];
      // Answers come in an order of their own.
      for (const id of ids.toReversed()) {
        try {
          const secret = live(around, "GetSecretValue", id);
          if (around.late(secret)) throw new AwsError("ResourceNotFoundException", MISSING);
          values.push(valueOf(secret, undefined, undefined));
        } catch (error) {
          if (!(error instanceof AwsError)) throw error;
          errors.push({ SecretId: id, ErrorCode: error.type, Message: error.message });
        }
      }
      return { SecretValues: values, Errors: errors };
    },
  },

  PutSecretValue: {
    members: ["SecretId", "ClientRequestToken", "SecretString", "SecretBinary", "VersionStages"],
    writes: true,
    run(input, around) {
      const id = input.required("SecretId", ID);
      const token = input.required("ClientRequestToken", TOKEN);
      const value = input.value();
      const stages = input.texts("VersionStages", [1, 20], STAGE) ?? [CURRENT];
      const secret = live(around, "PutSecretValue", id);
      if (value === undefined) throw invalid("You must provide either SecretString or SecretBinary.");
      unowned(secret);
      const version = addVersion(secret, { id: token, value, createdAt: around.secrets.instant() }, stages);
      return { ARN: secret.arn, Name: secret.name, VersionId: version.id, VersionStages: [...version.stages] };
    },
  },

  UpdateSecretVersionStage: {
    members: ["SecretId", "VersionStage", "MoveToVersionId", "RemoveFromVersionId"],
    writes: true,
    run(input, around) {
      const id = input.required("SecretId", ID);
      const stage = input.required("VersionStage", STAGE);
      const moveTo = input.text("MoveToVersionId", TOKEN);
      const removeFrom = input.text("RemoveFromVersionId", TOKEN);
      const secret = live(around, "UpdateSecretVersionStage", id);
      const holder = staged(secret, stage);
      const target = moveTo === undefined ? undefined : secret.versions.find((version) => version.id === moveTo);
      if (moveTo !== undefined && target === undefined)
        throw new AwsError("ResourceNotFoundException", `Secrets Manager can't find the specified secret version: ${moveTo}.`);
      if (holder !== undefined && holder.id !== removeFrom)
        throw invalid(
          `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ${holder.id}, so you must explicitly reference that version in RemoveFromVersionId.`,
        );
      if (holder === undefined && removeFrom !== undefined)
        throw invalid(`Staging label ${stage} isn't attached to version ${removeFrom}.`);
      moveStage(secret, stage, target);
      secret.changedAt = around.secrets.instant();
      return { ARN: secret.arn, Name: secret.name };
    },
  },

  DescribeSecret: {
    members: ["SecretId"],
    writes: false,
    run(input, around) {
      const secret = existing(around, "DescribeSecret", input.required("SecretId", ID));
      return {
        ...entryOf(secret),
        VersionIdsToStages: Object.fromEntries(
          secret.versions.filter(({ stages }) => stages.size > 0).map(({ id, stages }) => [id, [...stages]]),
        ),
      };
    },
  },

  DeleteSecret: {
    members: ["SecretId", "RecoveryWindowInDays", "ForceDeleteWithoutRecovery"],
    writes: true,
    run(input, around) {
      const id = input.required("SecretId", ID);
      const days = input.number("RecoveryWindowInDays", [7, 30]);
      const force = input.flag("ForceDeleteWithoutRecovery");
      if (force && days !== undefined) throw invalid("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.");
      guarded(around, "DeleteSecret", id);
      const secret = around.secrets.find(id);
      const now = around.secrets.instant();
      // The documented surprise: without recovery, a secret that is not there is deleted successfully.
      if (secret === undefined && force)
        return { ARN: `arn:aws:secretsmanager:${around.secrets.region}:123456789012:secret:${id}`, Name: id, DeletionDate: now / 1000 };
      if (secret === undefined) throw new AwsError("ResourceNotFoundException", MISSING);
      unowned(secret);
      if (force) {
        secret.deletedAt ??= now;
        secret.goneAt = now + around.forcedDeletionMs;
        if (around.forcedDeletionMs === 0) around.secrets.drop(secret);
        return { ARN: secret.arn, Name: secret.name, DeletionDate: now / 1000 };
      }
      if (secret.deletedAt !== undefined)
        throw new AwsError(
          "InvalidRequestException",
          "You can't perform this operation on the secret because it was already scheduled for deletion.",
        );
      secret.deletedAt = now + (days ?? 30) * DAY_MS;
      return { ARN: secret.arn, Name: secret.name, DeletionDate: secret.deletedAt / 1000 };
    },
  },

  RestoreSecret: {
    members: ["SecretId"],
    writes: true,
    run(input, around) {
      const secret = existing(around, "RestoreSecret", input.required("SecretId", ID));
      if (secret.goneAt !== undefined)
        throw new AwsError("InvalidRequestException", "You can't restore a secret that is deleted without recovery.");
      // A secret that is not deleted is restored successfully, too.
      secret.deletedAt = undefined;
      return { ARN: secret.arn, Name: secret.name };
    },
  },

  TagResource: {
    members: ["SecretId", "Tags"],
    writes: true,
    run(input, around) {
      const id = input.required("SecretId", ID);
      const tags = input.tags();
      const secret = live(around, "TagResource", id);
      for (const [key, value] of tags) secret.tags.set(key, value);
      if (secret.tags.size > 50) throw new AwsError("LimitExceededException", "A secret has at most 50 tags.");
      return {};
    },
  },

  ListSecrets: {
    members: ["MaxResults", "NextToken", "Filters", "IncludePlannedDeletion", "SortOrder"],
    writes: false,
    run(input, around) {
      const size = input.number("MaxResults", [1, 100]) ?? 100;
      const prefixes = filtersOf(input);
      guarded(around, "ListSecrets", "*");
      const from = offsetOf(input.text("NextToken", [1, 4096]));
      const { repeat } = around.page(Math.floor(from / size) + 1);
      const settled = around.secrets.instant() - around.listingLagMs;
      const all = around.secrets
        .all()
        .filter(
          ({ name, createdAt }) => createdAt <= settled && prefixes.every((values) => values.some((prefix) => name.startsWith(prefix))),
        );
      const next = from + size < all.length || repeat ? { NextToken: tokenOf(repeat ? 0 : from + size) } : {};
      return { SecretList: all.slice(from, from + size).map((secret) => listed(secret)), ...next };
    },
  },

  ListSecretVersionIds: {
    members: ["SecretId", "MaxResults", "NextToken", "IncludeDeprecated"],
    writes: false,
    run(input, around) {
      const size = input.number("MaxResults", [1, 100]) ?? 100;
      const secret = live(around, "ListSecretVersionIds", input.required("SecretId", ID));
      const deprecated = input.flag("IncludeDeprecated");
      const from = offsetOf(input.text("NextToken", [1, 4096]));
      // In no order that anybody promises.
      const all = secret.versions.filter(({ stages }) => deprecated || stages.size > 0).toSorted((a, b) => (a.id < b.id ? -1 : 1));
      return {
        ARN: secret.arn,
        Name: secret.name,
        Versions: all.slice(from, from + size).map(({ id, stages, createdAt }) => ({
          VersionId: id,
          CreatedDate: createdAt / 1000,
          ...(stages.size === 0 ? {} : { VersionStages: [...stages] }),
        })),
        ...(from + size < all.length ? { NextToken: tokenOf(from + size) } : {}),
      };
    },
  },
};

function guarded(around: Surroundings, operation: string, name: string): void {
  if (around.denied(operation, name)) throw around.denial(operation, name);
}

/** The secret, also when it waits to be deleted. */
function existing(around: Surroundings, operation: string, id: string): EmulatedSecret {
  guarded(around, operation, id);
  const secret = around.secrets.find(id);
  if (secret === undefined) throw new AwsError("ResourceNotFoundException", MISSING);
  return secret;
}

/** The secret, unless it waits to be deleted. */
function live(around: Surroundings, operation: string, id: string): EmulatedSecret {
  const secret = existing(around, operation, id);
  if (secret.deletedAt !== undefined)
    throw new AwsError("InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.");
  return secret;
}

function unowned(secret: EmulatedSecret): void {
  if (secret.owningService !== undefined)
    throw new AwsError(
      "InvalidRequestException",
      `You can't perform this operation on the secret because it is managed by ${secret.owningService}.`,
    );
}

function valueOf(secret: EmulatedSecret, versionId: string | undefined, stage: string | undefined): object {
  const label = stage ?? CURRENT;
  const version: Version | undefined =
    versionId === undefined
      ? staged(secret, label)
      : secret.versions.find(({ id, stages }) => id === versionId && (stage === undefined || stages.has(stage)));
  if (version === undefined)
    throw new AwsError(
      "ResourceNotFoundException",
      `Secrets Manager can't find the specified secret value for ${versionId === undefined ? `staging label: ${label}` : `VersionId: ${versionId}`}`,
    );
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version.id,
    ...(typeof version.value === "string" ? { SecretString: version.value } : { SecretBinary: version.value.toString("base64") }),
    ...(version.stages.size === 0 ? {} : { VersionStages: [...version.stages] }),
    CreatedDate: version.createdAt / 1000,
  };
}

function entryOf(secret: EmulatedSecret): object {
  return {
    ARN: secret.arn,
    Name: secret.name,
    CreatedDate: secret.createdAt / 1000,
    LastChangedDate: secret.changedAt / 1000,
    ...(secret.deletedAt === undefined ? {} : { DeletedDate: secret.deletedAt / 1000 }),
    ...(secret.kmsKeyId === undefined ? {} : { KmsKeyId: secret.kmsKeyId }),
    ...(secret.owningService === undefined ? {} : { OwningService: secret.owningService }),
    Tags: [...secret.tags].map(([Key, Value]) => ({ Key, Value })),
  };
}

function listed(secret: EmulatedSecret): object {
  const labelled = secret.versions.filter(({ stages }) => stages.size > 0);
  return {
    ...entryOf(secret),
    ...(labelled.length === 0 ? {} : { SecretVersionsToStages: Object.fromEntries(labelled.map(({ id, stages }) => [id, [...stages]])) }),
  };
}

/** The prefixes that a name must start with: one of each list. Only filters on the name are known here. */
function filtersOf(input: Input): readonly (readonly string[])[] {
  return (input.objects("Filters", 10) ?? []).map(({ Key: key, Values: values }) => {
    if (key !== "name" || !Array.isArray(values) || values.length < 1 || values.length > 10) throw invalid("Invalid filter.");
    for (const value of values)
      if (typeof value !== "string" || !/^!?[a-zA-Z0-9 :_@/+=.\-!]{0,512}$/.test(value))
        throw new AwsError("ValidationException", "Invalid filter value.");
    return values as string[];
  });
}

function tokenOf(offset: number): string {
  return Buffer.from(`page:${offset}`).toString("base64");
}

function offsetOf(token: string | undefined): number {
  if (token === undefined) return 0;
  const [, offset] = /^page:(\d+)$/.exec(Buffer.from(token, "base64").toString("utf8")) ?? [];
  if (offset === undefined) throw new AwsError("InvalidNextTokenException", "The NextToken value is invalid.");
  return Number(offset);
}
