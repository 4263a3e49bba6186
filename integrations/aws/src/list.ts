import type { ListOptions, SecretsManagerDriver, StoredSecretInfo } from "@coffer/core";
import type { Context } from "./context.ts";
import { strangeAnswer } from "./errors.ts";
import { isManaged, markedName, type Tag } from "./marker.ts";
import { decodeName, encodePrefix } from "./names.ts";
import { nextToken } from "./read.ts";
import { schemaOf } from "./revisions.ts";

const PAGE_SIZE = 100;
// What a filter may be (API_Filter). A leading "!" would turn it into its opposite.
const FILTER = /^(?!!)[A-Za-z0-9 :_@/+=.\-!]{1,512}$/;

/** What ListSecrets tells of a secret. */
interface Entry {
  readonly Name?: string | undefined;
  readonly Tags?: readonly Tag[] | undefined;
  readonly CreatedDate?: Date | undefined;
  readonly LastChangedDate?: Date | undefined;
  readonly SecretVersionsToStages?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** Listings, a hundred names to a request. */
export function listing({ api }: Context): Required<Pick<SecretsManagerDriver, "list" | "listPages">> {
  async function* listPages(options: ListOptions): AsyncGenerator<readonly StoredSecretInfo[]> {
    const prefix = options.scope === "none" ? options.prefix : encodePrefix(options.prefix);
    // No name of the service has such a beginning.
    if (prefix !== "" && !FILTER.test(prefix)) return;
    const filters = prefix === "" ? {} : { Filters: [{ Key: "name" as const, Values: [prefix] }] };
    const ask = (token?: string) =>
      api.listSecrets({ MaxResults: PAGE_SIZE, ...filters, ...(token === undefined ? {} : { NextToken: token }) }, options);
    const seen = new Set<string>();
    for (let asked: ReturnType<typeof ask> | undefined = ask(); asked !== undefined;) {
      const page = await asked;
      if (page.SecretList === undefined) throw strangeAnswer("list");
      const token = nextToken(page.NextToken, seen);
      // Before the names are handed over: whoever reads their values at once would keep it waiting behind them.
      asked = token === undefined ? undefined : ask(token);
      // It is told when its turn comes.
      asked?.catch(() => undefined);
      yield page.SecretList.flatMap((entry) => infoOf(entry, options) ?? []);
    }
  }

  return {
    listPages,
    async *list(options: ListOptions) {
      for await (const page of listPages(options)) yield* page;
    },
  };
}

/** What the listing tells of an entry; `undefined` when it lies outside. The service's filter is an optimisation, the decision is here. */
function infoOf(entry: Entry, { prefix, scope }: ListOptions): StoredSecretInfo | undefined {
  if (entry.Name === undefined) throw strangeAnswer("list");
  const name = scope === "none" ? entry.Name : decodeName(entry.Name, markedName(entry.Tags));
  if (name === undefined || !name.startsWith(prefix)) return undefined;
  const revision = Object.entries(entry.SecretVersionsToStages ?? {}).find(([, stages]) => stages.includes("AWSCURRENT"))?.[0];
  return {
    name,
    revision,
    createdAt: entry.CreatedDate,
    updatedAt: entry.LastChangedDate,
    managed: isManaged(entry.Tags),
    schema: revision === undefined ? undefined : schemaOf(revision),
  };
}
