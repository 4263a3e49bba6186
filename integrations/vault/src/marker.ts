import { objectOf } from "./answers.ts";

const KEY = "managed-by";
const COFFER = "coffer";

/** The custom metadata of a secret with our marker in it, beside whatever others have put there. */
export function withMarker(customMetadata: unknown): Readonly<Record<string, unknown>> {
  return { ...objectOf(customMetadata), [KEY]: COFFER };
}

/** Whether a secret with this custom metadata was written by Coffer. */
export function isMarked(customMetadata: unknown): boolean {
  return objectOf(customMetadata)[KEY] === COFFER;
}
