import { isShortened } from "./names.ts";

/** A tag of a secret, as the service writes it. */
export interface Tag {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
}

const MANAGED_BY = "managed-by";
const COFFER = "coffer";
// A value of a tag holds 256 characters, a name in full more than 400.
const NAME_TAGS = ["coffer:name", "coffer:name-2"] as const;
const TAG_LENGTH = 256;

/** The tags that are ours to set. */
export const RESERVED_TAGS: ReadonlySet<string> = new Set([MANAGED_BY, ...NAME_TAGS]);

/** The tags that mark a secret as written by Coffer. The name is among them only where the service's own name cannot tell it. */
export function markerTags(name: string, serviceName: string): Tag[] {
  const marker = { Key: MANAGED_BY, Value: COFFER };
  if (!isShortened(serviceName)) return [marker];
  const parts = NAME_TAGS.map((Key, index) => ({ Key, Value: name.slice(index * TAG_LENGTH, (index + 1) * TAG_LENGTH) }));
  return [marker, ...parts.filter(({ Value }) => Value !== "")];
}

/** Whether a secret with these tags was written by Coffer. */
export function isManaged(tags: readonly Tag[] | undefined): boolean {
  return tags?.some(({ Key, Value }) => Key === MANAGED_BY && Value === COFFER) ?? false;
}

/** The name that the marker tells. */
export function markedName(tags: readonly Tag[] | undefined): string | undefined {
  const parts = NAME_TAGS.map((key) => tags?.find(({ Key }) => Key === key)?.Value);
  return parts[0] === undefined ? undefined : parts.join("");
}
