import { isWrittenNumber } from "./numbers.ts";

/** The result of a JSON merge patch (RFC 7396): `null` removes a key, maps are merged, everything else is replaced. */
export function mergePatched(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const merged = new Map(Object.entries(isMap(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatched(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

/** The keys of a map without what they hold, down to a depth; 0 is no limit. */
export function withoutValues(value: Readonly<Record<string, unknown>>, depth: number, level = 1): object {
  const keys = Object.entries(value).map(([key, each]): [string, object | null] => {
    const goesOn = isMap(each) && Object.keys(each).length > 0 && (depth === 0 || level < depth);
    return [key, goesOn ? withoutValues(each, depth, level + 1) : null];
  });
  return Object.fromEntries(keys);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isWrittenNumber(value);
}
