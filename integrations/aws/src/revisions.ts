import type { Revision } from "@coffer/core";

// The service lets the writer choose the id of a version: 32 to 64 characters (ClientRequestToken). Ours are the id of the write, which makes repeating it
// harmless, then this mark and the type of the schema. So every listing tells who wrote the current version, and under which schema, at no extra cost.
const MARK = "-coffer";
const OURS = /^[0-9a-f]{32}-coffer(?:-([a-z][a-z0-9_]*|_))?$/;
// In place of a type that is too long; no type looks like it.
const LONG_TYPE = "_";
const SHORTEST = 32;
const LONGEST = 64;

/** The id of the version that a write makes. */
export function newRevision(operationId: string, schema: string | undefined): Revision {
  const id = operationId.replaceAll("-", "") + MARK;
  if (schema === undefined) return id;
  const whole = `${id}-${schema}`;
  return whole.length <= LONGEST ? whole : `${id}-${LONG_TYPE}`;
}

/** The type of the schema of a version, `null` when it has none, `undefined` when its id does not tell. */
export function schemaOf(revision: Revision): string | null | undefined {
  const ours = OURS.exec(revision);
  if (ours === null || ours[1] === LONG_TYPE) return undefined;
  return ours[1] ?? null;
}

/** Whether Coffer has written this version. */
export function isOurs(revision: Revision | undefined): boolean {
  return revision !== undefined && OURS.test(revision);
}

/** Whether the service could have a version of this id; it refuses to look for any other. */
export function isRevision(text: string): boolean {
  return text.length >= SHORTEST && text.length <= LONGEST;
}
