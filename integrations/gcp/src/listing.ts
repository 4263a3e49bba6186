import { DriverError, type ListOptions, type CallOptions, type RevisionInfo, type StoredSecretInfo } from "@coffer/core";
import type { Calls } from "./calls.ts";
import { isMarked, writtenName } from "./marker.ts";
import { filterOf, nameOf } from "./names.ts";
import { dateOf, lastPart, type Methods, type SecretResource } from "./service.ts";

/** The most that the service puts on a page. */
const PAGE_SIZE = 25_000;

/** The secrets below a prefix, page by page. */
export async function* listPages(calls: Calls, options: ListOptions): AsyncIterable<readonly StoredSecretInfo[]> {
  const part = filterOf(options.prefix, options.scope);
  if (part === undefined) return;
  const parent = await calls.parent(options);
  // The filter of the service finds its text anywhere in a name, so it only spares traffic.
  const filter = part === "" ? {} : { filter: `name:${part}` };
  for await (const page of pages(calls, "listSecrets", { parent, pageSize: PAGE_SIZE, ...filter }, options)) {
    yield (page.secrets ?? []).flatMap((secret) => infoOf(secret, options));
  }
}

function infoOf(secret: SecretResource, { prefix, scope }: ListOptions): StoredSecretInfo[] {
  const annotations = secret.annotations ?? {};
  const name = nameOf(lastPart(secret.name), writtenName(annotations), scope);
  if (name === undefined || !name.startsWith(prefix)) return [];
  return [{ name, managed: isMarked(annotations), createdAt: dateOf(secret.createTime) }];
}

/** The versions of a secret that still have a value, newest first. */
export async function* history(calls: Calls, resource: string, options: CallOptions): AsyncIterable<RevisionInfo> {
  let current = true;
  for await (const page of pages(calls, "listSecretVersions", { parent: resource, pageSize: PAGE_SIZE }, options)) {
    for (const version of page.versions ?? []) {
      const info = { revision: lastPart(version.name), createdAt: dateOf(version.createTime) ?? null, current, schema: null };
      // The newest one is the current one, whatever has become of it.
      current = false;
      if (version.state !== "DESTROYED" && version.state !== 3) yield info;
    }
  }
}

type Listing = "listSecrets" | "listSecretVersions";

async function* pages<Name extends Listing>(
  calls: Calls,
  method: Name,
  request: Methods[Name]["request"],
  options: CallOptions,
): AsyncIterable<Methods[Name]["answer"]> {
  const seen = new Set<string>();
  for (let pageToken = ""; ;) {
    const page = await calls.send(method, { ...request, ...(pageToken === "" ? {} : { pageToken }) }, options);
    yield page;
    pageToken = page.nextPageToken ?? "";
    if (pageToken === "") return;
    if (seen.has(pageToken))
      throw new DriverError("unknown", undefined, { safeMessage: "A page of the listing names a page that was there before." });
    seen.add(pageToken);
  }
}
