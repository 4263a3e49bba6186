import { nameInScope } from "../secret/name.ts";
import type { SecretsManagerDriver, StoredSecretInfo } from "../spec.ts";
import { type Call, callWith } from "./call.ts";
import { compileGlob } from "./glob.ts";
import { type GuardContext, guardEach } from "./guard.ts";
import type { ListFilter, SecretInfo } from "./types.ts";

/** The secrets below the path of a scope that pass the filter, page by page and without empty pages. */
export async function* listedPages(
  driver: SecretsManagerDriver,
  call: Call,
  scopePath: string,
  filter: ListFilter,
  context: GuardContext,
): AsyncGenerator<readonly SecretInfo[]> {
  const glob = filter.match === undefined ? undefined : compileGlob(filter.match);
  const prefix = filter.prefix ?? "";
  const narrowest = glob !== undefined && glob.prefix.length > prefix.length ? glob.prefix : prefix;
  const options = callWith(call, { prefix: scopePath + narrowest });
  const steps = guardEach<StoredSecretInfo | readonly StoredSecretInfo[]>(
    call,
    "list",
    context,
    driver,
    () => driver.listPages?.(options) ?? driver.list(options),
  );
  for await (const step of steps) {
    const page: SecretInfo[] = [];
    for (const info of isPage(step) ? step : [step]) {
      const name = nameInScope(info.name, scopePath);
      // The filter of a service is an optimisation; the decision is here.
      if (name === undefined || !name.startsWith(prefix) || (glob !== undefined && !glob.matches(name))) continue;
      page.push({
        name,
        schema: info.schema === null ? "arbitrary" : (info.schema ?? null),
        revision: info.revision ?? null,
        createdAt: info.createdAt ?? null,
        updatedAt: info.updatedAt ?? null,
        managed: info.managed,
      });
    }
    if (page.length > 0) yield page;
  }
}

function isPage(step: StoredSecretInfo | readonly StoredSecretInfo[]): step is readonly StoredSecretInfo[] {
  return Array.isArray(step);
}
