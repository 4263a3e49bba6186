import type { CallOptions, ReadOutcome, SecretsManagerDriver } from "@coffer/core";
import { AWS_CAPABILITIES } from "./capabilities.ts";
import type { Context } from "./context.ts";
import { isMissing, isNamed, isWithoutValue, itemError, strangeAnswer } from "./errors.ts";
import { serviceName } from "./names.ts";
import { storedSecret } from "./payload.ts";
import { batched, pipelined } from "./pipeline.ts";
import { reading } from "./read.ts";

/** Bulk reads: twenty names to a request, eight requests at once, fed by the names as they come. */
export function readingMany(context: Context): Required<Pick<SecretsManagerDriver, "readMany">> {
  const { api, created } = context;
  const { read } = reading(context);

  const single = async (name: string, options: CallOptions): Promise<ReadOutcome> => {
    try {
      return { name, secret: await read(name, options) };
    } catch (error) {
      return { name, error };
    }
  };

  return {
    async *readMany(names: AsyncIterable<string>, options: CallOptions) {
      // BatchGetSecretValue is a permission of its own, which reading does not need.
      const state = { batches: true };
      const one = async (batch: readonly string[]): Promise<readonly ReadOutcome[]> => {
        if (state.batches)
          try {
            return await readBatch(batch, options);
          } catch (error) {
            if (!isNamed(error, "AccessDeniedException", "AccessDenied")) return batch.map((name) => ({ name, error }));
            state.batches = false;
          }
        const outcomes: ReadOutcome[] = [];
        for (const name of batch) outcomes.push(await single(name, options));
        return outcomes;
      };
      yield* pipelined(batched(names, AWS_CAPABILITIES.batchSize), AWS_CAPABILITIES.maxInFlight, one);
    },
  };

  async function readBatch(batch: readonly string[], options: CallOptions): Promise<readonly ReadOutcome[]> {
    // A name that the service could not have fails alone, without the others.
    const refused: ReadOutcome[] = [];
    const asked = new Map<string, string>();
    for (const name of batch) {
      try {
        asked.set(serviceName(name, options.scope), name);
      } catch (error) {
        refused.push({ name, error });
      }
    }
    if (asked.size === 0) return refused;
    const answer = await api.batchGetSecretValue({ SecretIdList: [...asked.keys()] }, options);
    if (answer.SecretValues === undefined && answer.Errors === undefined) throw strangeAnswer("read_many");
    const outcomes = new Map<string, ReadOutcome>();
    for (const value of answer.SecretValues ?? []) {
      // In scope none a secret may have been asked for by its ARN.
      const name = asked.get(value.Name ?? "") ?? asked.get(value.ARN ?? "");
      if (name !== undefined && value.VersionId !== undefined) outcomes.set(name, { name, secret: storedSecret(value) });
    }
    for (const item of answer.Errors ?? []) {
      const id = item.SecretId ?? "";
      const name = asked.get(id);
      if (name === undefined) continue;
      const error = itemError(item, answer.$metadata.requestId);
      if (isWithoutValue(error)) outcomes.set(name, { name, secret: { state: "empty", managed: null } });
      else if (!isMissing(error)) outcomes.set(name, { name, error });
      else outcomes.set(name, created.has(id) ? await single(name, options) : { name, secret: undefined });
    }
    const unanswered = [...asked.values()].filter((name) => !outcomes.has(name));
    return [...refused, ...outcomes.values(), ...unanswered.map((name) => ({ name, error: strangeAnswer("read_many") }))];
  }
}
