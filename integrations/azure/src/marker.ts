import { DriverError, type SecretRecord, type SecretScope } from "@coffer/core";
import { isSameInVault, nameFromService, serviceName } from "./names.ts";

/** The tags of one version, as Key Vault hands them out. Whoever may list secrets can read them, so no value is ever in one. */
export type Tags = Readonly<Record<string, string>>;

const MANAGED_BY = "managed-by";
const OURS = "coffer";
const NAME = "coffer-name";
const NAME_REST = "coffer-name-rest";
const SCHEMA = "coffer-schema";
const WRITE = "coffer-write";
const OWN: ReadonlySet<string> = new Set([MANAGED_BY, NAME, NAME_REST, SCHEMA, WRITE]);

// Documented are 512 characters now and were 256; what fits the older limit fits both.
const LONGEST_TAG = 256;
const MOST_TAGS = 15;

/** What the tags of a version say. */
export interface Marker {
  /** The version was written by Coffer. */
  readonly managed: boolean;
  /** The name that it was written under. */
  readonly name: string | undefined;
  /** The type of its schema, `null` for none; `undefined` when the version is not ours. */
  readonly schema: string | null | undefined;
  /** Which write of this secret it was, counted from 1: versions of one second are put in order by it. */
  readonly number: number | undefined;
  /** The id of the write, by which one whose answer was lost is found again. */
  readonly operationId: string | undefined;
}

/** Reads the tags of a version. */
export function readMarker(tags: Tags | undefined): Marker {
  if (tags?.[MANAGED_BY] !== OURS) return { managed: false, name: undefined, schema: undefined, number: undefined, operationId: undefined };
  const [, number, operationId] = /^(\d{1,9})\.(.+)$/.exec(tags[WRITE] ?? "") ?? [];
  const name = tags[NAME];
  return {
    managed: true,
    name: name === undefined ? undefined : name + (tags[NAME_REST] ?? ""),
    schema: tags[SCHEMA] ?? null,
    number: number === undefined ? undefined : Number(number),
    operationId,
  };
}

/**
 * The tags of a new version. They belong to versions, so every write gives all of them; those of other tools on the version before stay.
 * @throws DriverError `invalid_request` when there is no room beside the tags of others
 */
export function writeMarker(
  name: string,
  record: SecretRecord,
  write: { readonly operationId: string; readonly before: Tags | undefined },
): Record<string, string> {
  const number = (readMarker(write.before).number ?? 0) + 1;
  const tags: Record<string, string> = {
    [MANAGED_BY]: OURS,
    [NAME]: name.slice(0, LONGEST_TAG),
    [WRITE]: `${number}.${write.operationId}`,
  };
  if (name.length > LONGEST_TAG) tags[NAME_REST] = name.slice(LONGEST_TAG);
  if (record.schema !== undefined) tags[SCHEMA] = record.schema.slice(0, LONGEST_TAG);
  for (const [tag, value] of Object.entries(write.before ?? {})) if (!OWN.has(tag)) tags[tag] = value;
  if (Object.keys(tags).length > MOST_TAGS)
    throw new DriverError("invalid_request", undefined, {
      safeMessage: `The secret has tags of its own, and Key Vault takes ${MOST_TAGS} in all.`,
      hint: "Take some of its tags away.",
    });
  return tags;
}

/**
 * Whether a secret of the vault is the one that was asked for. The vault finds it by any case, and a hash could meet another; then the name in the
 * marker decides. In scope `none` other tools' names count as they are.
 */
export function isAskedFor(name: string, scope: SecretScope, marker: Marker): boolean {
  if (marker.name === undefined) return true;
  return marker.name === name || (scope === "none" && !isSameInVault(marker.name, name));
}

/** The name in full under which a listing tells a secret of the vault; `undefined` for one that no name in any scope leads to. */
export function listedName(inVault: string, scope: SecretScope, marker: Marker): string | undefined {
  if (scope === "none") return inVault;
  const { name } = marker;
  // A tag can say anything: it counts when this secret is where that name leads.
  if (name !== undefined && isSameInVault(serviceName(name, scope), inVault)) return name;
  return nameFromService(inVault);
}
