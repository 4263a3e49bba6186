// What stands in a refusal whose status is lost, and the status that it had.
const HIDDEN: readonly (readonly [RegExp, number])[] = [
  [/^$/, 404],
  [/permission denied/, 403],
  [/check-and-set|missing client token/, 400],
  [/quota exceeded/, 429],
];

/** What a refusal of the server says. Its texts are looked at and never shown: they can repeat the request. */
export interface Refusal {
  readonly status: number;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  /** The answer as a whole: that of a deleted version tells its number. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

/** The refusal in what the SDK has thrown; `undefined` for anything else. */
export function refusalOf(error: unknown): Refusal | undefined {
  const { statusCode, body } = objectOf(objectOf(error)["response"]);
  return typeof statusCode === "number" ? refusalIn(statusCode, body) : undefined;
}

/** The refusal in an answer with such a status. */
export function refusalIn(status: number, body: unknown): Refusal {
  const said = typeof body === "object" && body !== null ? objectOf(body) : undefined;
  return { status, errors: textsOf(said?.["errors"]), warnings: textsOf(said?.["warnings"]), body: said };
}

/** The fields of an object; of anything else there are none. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** Whether a refusal says so, in any of its texts. */
export function says(refusal: Refusal | undefined, pattern: RegExp): boolean {
  return refusal !== undefined && [...refusal.errors, ...refusal.warnings].some((text) => pattern.test(text));
}

/** Whether the server says that there is nothing here: a secret without a version, an empty folder. A 404 of anybody else does not say that. */
export function isNothing(error: unknown): boolean {
  const refusal = refusalOf(error);
  return refusal !== undefined && saysNothing(refusal);
}

/** A 404 in the shape of the server, without a word why: a gateway that knows no such route answers in a shape of its own. */
export function saysNothing({ status, errors, warnings, body }: Refusal): boolean {
  return status === 404 && Array.isArray(body?.["errors"]) && errors.length === 0 && warnings.length === 0;
}

/** Whether the path itself is refused: Vault takes no two dots in a row with version 1. It says so as if it had failed. */
export function refusesDots(refusal: Refusal): boolean {
  return says(refusal, /relative paths not supported/);
}

/** Whether the write came to another version than the one it was made for. The server has no status of its own for that. */
export function isVersionMismatch(error: unknown): boolean {
  const refusal = refusalOf(error);
  return refusal?.status === 400 && says(refusal, /check-and-set parameter did not match/);
}

/** A version that was deleted or destroyed: there is no value any more, but the server still knows of it. */
export interface LostVersion {
  readonly version: number;
  /** Its value is gone for good. */
  readonly destroyed: boolean;
  readonly customMetadata: unknown;
}

/** The deleted version in a 404 that carries one. */
export function lostVersion(error: unknown): LostVersion | undefined {
  const refusal = refusalOf(error);
  return refusal === undefined ? undefined : lostVersionIn(refusal);
}

/** The same in a refusal. */
export function lostVersionIn({ status, body }: Refusal): LostVersion | undefined {
  if (status !== 404) return undefined;
  const { version, destroyed, custom_metadata: customMetadata } = objectOf(objectOf(body?.["data"])["metadata"]);
  return typeof version === "number" ? { version, destroyed: destroyed === true, customMetadata } : undefined;
}

/**
 * The refusal in what a client that was passed in takes for an answer: whatever comes back about a path with `sys/health` in it, as a secret can have it.
 * The status is lost; that there is nothing is the one refusal without a word.
 * @throws Error as the SDK throws it for a refusal
 */
export function throwHidden(answer: unknown): void {
  const { errors } = objectOf(answer);
  if (!Array.isArray(errors)) return;
  const told = errors.join(" ");
  const [, status] = HIDDEN.find(([pattern]) => pattern.test(told)) ?? [undefined, 500];
  throw Object.assign(new Error("The server refuses the request."), { response: { statusCode: status, body: answer } });
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === "string") : [];
}
