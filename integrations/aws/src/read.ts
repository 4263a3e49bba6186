import {
  DriverError,
  type ReadOptions,
  type RevisionInfo,
  type CallOptions,
  type SecretsManagerDriver,
  type StoredSecret,
} from "@coffer/core";
import { wait } from "./deadline.ts";
import type { Context } from "./context.ts";
import { explained, isMissing, isWithoutValue, strangeAnswer } from "./errors.ts";
import { serviceName } from "./names.ts";
import { storedSecret } from "./payload.ts";
import { isRevision, schemaOf } from "./revisions.ts";

const PAGE_SIZE = 100;
// How long a secret that this process has made is asked for again when the service does not know it yet.
const LATE_READS_MS = [50, 100, 200, 400, 800];

/** Reads of one secret: its value, its revisions. */
export function reading({ api, created }: Context): Pick<SecretsManagerDriver, "read" | "history"> {
  const look = async (SecretId: string, options: ReadOptions): Promise<StoredSecret | undefined> => {
    const { revision } = options;
    try {
      const answer = await api.getSecretValue(
        { SecretId, ...(revision === undefined ? { VersionStage: "AWSCURRENT" } : { VersionId: revision }) },
        options,
      );
      if (answer.VersionId === undefined) throw strangeAnswer("read");
      return storedSecret(answer);
    } catch (error) {
      if (isWithoutValue(error)) return revision === undefined ? { state: "empty", managed: null } : undefined;
      if (isMissing(error)) return undefined;
      throw error;
    }
  };

  return {
    async read(name: string, options: ReadOptions) {
      const { revision } = options;
      const id = serviceName(name, options.scope);
      if (revision !== undefined && !isRevision(revision)) return undefined;
      for (const pause of LATE_READS_MS) {
        const secret = await look(id, options);
        if (secret !== undefined || !created.has(id)) return secret;
        await wait(pause, options);
      }
      return look(id, options);
    },

    async *history(name: string, options: CallOptions) {
      const id = serviceName(name, options.scope);
      const revisions: (RevisionInfo & { readonly createdAt: Date })[] = [];
      const seen = new Set<string>();
      let token: string | undefined;
      do {
        const page = await versionsOf(id, token, options);
        for (const { VersionId: revision, CreatedDate: createdAt, VersionStages: stages = [] } of page.Versions ?? []) {
          if (revision === undefined || createdAt === undefined) throw strangeAnswer("history");
          revisions.push({ revision, createdAt, current: stages.includes("AWSCURRENT"), schema: schemaOf(revision) ?? null });
        }
        token = nextToken(page.NextToken, seen);
      } while (token !== undefined);
      // The service promises no order.
      yield* revisions.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || Number(b.current) - Number(a.current));
    },
  };

  async function versionsOf(SecretId: string, NextToken: string | undefined, options: CallOptions) {
    try {
      const page = await api.listSecretVersionIds(
        { SecretId, IncludeDeprecated: true, MaxResults: PAGE_SIZE, ...(NextToken === undefined ? {} : { NextToken }) },
        options,
      );
      if (page.Name === undefined) throw strangeAnswer("history");
      return page;
    } catch (error) {
      throw isMissing(error) ? explained("not_found", error) : error;
    }
  }
}

/**
 * The token of the next page; `undefined` after the last one, where the service leaves it out and others send an empty one.
 * @throws DriverError when the token was followed before: the listing would never end
 */
export function nextToken(token: string | undefined, seen: Set<string>): string | undefined {
  if (token === undefined || token === "") return undefined;
  if (seen.has(token))
    throw new DriverError("unavailable", undefined, { safeMessage: "A page of the listing leads back to an earlier one." });
  seen.add(token);
  return token;
}
