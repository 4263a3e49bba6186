import type { SecretProperties } from "@azure/keyvault-secrets";
import { type CallOptions, DriverError, type ListOptions, type RevisionInfo, type StoredSecretInfo } from "@coffer/core";
import type { SdkOptions, VaultConnection } from "./client.ts";
import { isNotFound } from "./errors.ts";
import { isAskedFor, listedName, readMarker } from "./marker.ts";
import { serviceName } from "./names.ts";

const PAGE = 25;
// Key Vault does hand out empty pages with more behind them, but not without end.
const MOST_EMPTY_PAGES = 100;

/** The secrets of the vault that a name of this scope leads to, page by page. The service has no filter: every listing reads the whole vault. */
export async function* listedPages(vault: VaultConnection, options: ListOptions): AsyncGenerator<readonly StoredSecretInfo[]> {
  for await (const page of pagesOf(
    vault,
    options,
    ({ name }) => name,
    (client, sdk) => client.listPropertiesOfSecrets(sdk),
  )) {
    const infos: StoredSecretInfo[] = [];
    for (const properties of page) {
      // The secret of a certificate belongs to the certificate.
      if (properties.managed === true || properties.certificateKeyId !== undefined) continue;
      const marker = readMarker(properties.tags);
      const name = listedName(properties.name, options.scope, marker);
      if (name === undefined || !name.startsWith(options.prefix)) continue;
      infos.push({ name, schema: marker.schema, updatedAt: properties.updatedOn, managed: marker.managed });
    }
    if (infos.length > 0) yield infos;
  }
}

/**
 * What the versions of a secret carry beside their values, newest first. The vault hands them out in no order and dates them to the second; within one second
 * the number in the marker decides, and where two are left the vault is asked which one is current.
 * @throws DriverError `not_found`
 */
export async function versionsOf(vault: VaultConnection, name: string, options: CallOptions): Promise<SecretProperties[]> {
  const inVault = serviceName(name, options.scope);
  const versions: Ranked[] = [];
  try {
    const pages = pagesOf(
      vault,
      options,
      ({ version = "" }) => version,
      (client, sdk) => client.listPropertiesOfSecretVersions(inVault, sdk),
    );
    for await (const page of pages) for (const properties of page) versions.push(ranked(properties));
  } catch (error) {
    if (isNotFound(error)) throw new DriverError("not_found", error);
    throw error;
  }
  versions.sort((one, other) => other.created - one.created || other.number - one.number);
  const [newest, second] = versions;
  if (newest === undefined || !isAskedFor(name, options.scope, readMarker(newest.properties.tags))) throw new DriverError("not_found");
  const sorted = versions.map(({ properties }) => properties);
  if (second === undefined || newest.created !== second.created || newest.number !== second.number) return sorted;
  const { properties: current } = await vault.call(options, (client, sdk) => client.getSecret(inVault, sdk));
  const isCurrent = ({ version }: SecretProperties): boolean => version === current.version;
  return [...sorted.filter(isCurrent), ...sorted.filter((properties) => !isCurrent(properties))];
}

/** The revisions of a secret, newest first. */
export async function* revisionsOf(vault: VaultConnection, name: string, options: CallOptions): AsyncGenerator<RevisionInfo> {
  for (const [index, { version = "", createdOn, tags }] of (await versionsOf(vault, name, options)).entries())
    yield { revision: version, createdAt: createdOn ?? null, current: index === 0, schema: readMarker(tags).schema ?? null };
}

interface Ranked {
  readonly properties: SecretProperties;
  readonly created: number;
  readonly number: number;
}

function ranked(properties: SecretProperties): Ranked {
  return { properties, created: properties.createdOn?.getTime() ?? 0, number: readMarker(properties.tags).number ?? 0 };
}

type Client = Parameters<Parameters<VaultConnection["call"]>[1]>[0];
type Paged = ReturnType<Client["listPropertiesOfSecrets"]>;

/** The pages of a listing, each within the time of its step. A page that brings nothing new means that the service goes in circles: half a list is no list. */
async function* pagesOf(
  vault: VaultConnection,
  options: CallOptions,
  idOf: (properties: SecretProperties) => string,
  start: (client: Client, sdk: SdkOptions) => Paged,
): AsyncGenerator<readonly SecretProperties[]> {
  const seen = new Set<string>();
  let pages: AsyncIterator<SecretProperties[]> | undefined;
  let empty = 0;
  const ask = (): Promise<IteratorResult<SecretProperties[]>> =>
    vault.call(options, (client, sdk) => {
      pages ??= start(client, sdk).byPage({ maxPageSize: PAGE });
      return untilGivenUp(pages.next(), options.signal);
    });
  for (let asked = ask(); ;) {
    const step = await asked;
    if (step.done === true) return;
    const fresh = step.value.filter((properties) => !seen.has(idOf(properties)));
    empty = step.value.length === 0 ? empty + 1 : 0;
    if ((step.value.length > 0 && fresh.length === 0) || empty > MOST_EMPTY_PAGES)
      throw new DriverError("unavailable", undefined, {
        safeMessage: "The vault hands out the same page of the listing again and again.",
        hint: "Try again; a list that is not whole is not shown.",
      });
    for (const properties of fresh) seen.add(idOf(properties));
    // Before this page is handed over: whoever reads the values of its names at once would keep the next one waiting behind them.
    asked = ask();
    // It is told when its turn comes.
    asked.catch(() => undefined);
    yield fresh;
  }
}

/** A client that was passed in does not let itself be interrupted after the first page. */
function untilGivenUp<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
