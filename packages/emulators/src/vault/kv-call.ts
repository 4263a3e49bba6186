import { VaultRefusal } from "./answers.ts";
import type { CallWithBody } from "./body.ts";
import type { KvMount } from "./kv.ts";

/** A request that has arrived at a KV engine. */
export interface KvCall {
  readonly call: CallWithBody;
  readonly mount: KvMount;
  /** The part of version 2 that the path names (`data`, `metadata`, …); empty on version 1, and where version 2 has no such part. */
  readonly area: string;
  /** The name of the key, or the folder of a listing with its slash. */
  readonly name: string;
  /** OpenBao lists page by page, and recursively. */
  readonly isOpenBao: boolean;
  /** Whether this read of data is answered as before the last write; asking uses it up. */
  readonly isStale: () => boolean;
  /** The next page of every listing is the first one again. */
  readonly repeatsPages: boolean;
}

const AREAS = /^(data|metadata|delete|undelete|destroy|subkeys|detailed-metadata)\/(.*)$/s;

/** The area and the name in a path below the mount. */
export function areaOf(path: string, mount: KvMount): { readonly area: string; readonly name: string } {
  const below = path.slice(mount.path.length + 1);
  if (mount.version === 1) return { area: "", name: below };
  if (below === "config") return { area: "config", name: "" };
  const [, area = "", name = below] = AREAS.exec(below) ?? [];
  return { area, name };
}

/** The names of a listing: one page where the service has pages, everything below the folder where it is asked to scan. */
export function listed({ call, mount, name, isOpenBao, repeatsPages }: KvCall): string[] {
  const all =
    call.operation === "scan" ? mount.keys().flatMap((key) => (key.startsWith(name) ? [key.slice(name.length)] : [])) : mount.list(name);
  if (!isOpenBao || call.operation === "scan") return all;
  const after = repeatsPages ? "" : (call.request.query.get("after") ?? "");
  const limit = numberIn(call.request.query.get("limit"), "limit");
  const rest = after === "" ? all : all.filter((each) => Buffer.compare(Buffer.from(each), Buffer.from(after)) > 0);
  return limit > 0 ? rest.slice(0, limit) : rest;
}

/** A whole number from a query, 0 when it is missing. */
export function numberIn(value: string | null, field: string): number {
  if (value === null || value === "") return 0;
  if (/^-?\d+$/.test(value)) return Number(value);
  throw new VaultRefusal(400, [
    `Field validation failed: error converting input ${value} for field "${field}": strconv.ParseInt: invalid syntax`,
  ]);
}
