import type { LoopbackRequest } from "../loopback.ts";
import { type NewVersion, type Vault, type Version, VaultRefusal } from "./vault.ts";

const MOST_TAGS = 15;
const LONGEST_TAG = 256;

type Found = ReturnType<Vault["get"]>;
type FoundDeleted = ReturnType<Vault["getDeleted"]>;

/** A secret with its value, as `GET` and `PUT` answer it. */
export function bundle(origin: string, { secret, version }: Found): object {
  return { value: version.value, ...item(origin, { secret, version }, true) };
}

/** A secret without its value, as listings answer it: with the version in its id only in a listing of versions. */
export function item(origin: string, { secret, version }: Found, withVersion: boolean): object {
  return {
    id: `${origin}/secrets/${secret.name}${withVersion ? `/${version.id}` : ""}`,
    attributes: attributesOf(version),
    ...(version.contentType === undefined ? {} : { contentType: version.contentType }),
    ...(version.tags === undefined ? {} : { tags: version.tags }),
    ...(secret.managed ? { managed: true, kid: `${origin}/keys/${secret.name}/${version.id}` } : {}),
  };
}

/** A deleted secret, which says until when it can be recovered. */
export function deletedBundle(origin: string, deleted: FoundDeleted): object {
  return {
    recoveryId: `${origin}/deletedsecrets/${deleted.name}`,
    deletedDate: deleted.deletedAt,
    scheduledPurgeDate: deleted.purgeAt,
    ...item(origin, { secret: deleted, version: deleted.version }, true),
  };
}

function attributesOf(version: Version): object {
  return {
    enabled: version.enabled,
    ...(version.notBefore === undefined ? {} : { nbf: version.notBefore }),
    ...(version.expires === undefined ? {} : { exp: version.expires }),
    created: version.created,
    updated: version.updated,
    recoveryLevel: "Recoverable+Purgeable",
    recoverableDays: 90,
  };
}

/** The body of a `PUT`, held against what the service takes. */
export function newVersion(request: LoopbackRequest): NewVersion {
  const body = parsed(request);
  const { value } = body;
  if (typeof value !== "string") throw refused("Property 'value' is required and has to be a string.");
  return { value, ...rest(body) };
}

/** The body of a `PATCH`. */
export function versionChange(request: LoopbackRequest): Partial<Omit<NewVersion, "value">> {
  const body = parsed(request);
  if ("value" in body) throw refused("Property 'value' is not expected: a version cannot change its value.");
  return rest(body);
}

function parsed(request: LoopbackRequest): Record<string, unknown> {
  if (!/^application\/json(?:;|$)/.test(String(request.headers["content-type"])))
    throw new VaultRefusal(415, "UnsupportedMediaType", "The content type is not supported.");
  try {
    const body: unknown = JSON.parse(request.body.toString("utf8"));
    if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw refused("The request body is not a JSON object.");
}

function rest(body: Readonly<Record<string, unknown>>): Omit<NewVersion, "value"> {
  const { contentType, tags, attributes } = body;
  if (contentType !== undefined && (typeof contentType !== "string" || contentType.length > 255))
    throw refused("Property 'contentType' is longer than 255 characters.");
  const { enabled, nbf, exp } = (attributes ?? {}) as { readonly enabled?: unknown; readonly nbf?: unknown; readonly exp?: unknown };
  return {
    contentType,
    tags: tagsOf(tags),
    enabled: typeof enabled === "boolean" ? enabled : undefined,
    notBefore: typeof nbf === "number" ? nbf : undefined,
    expires: typeof exp === "number" ? exp : undefined,
  };
}

function tagsOf(tags: unknown): Record<string, string> | undefined {
  if (tags === undefined || tags === null) return undefined;
  const entries = Object.entries(tags);
  if (entries.length > MOST_TAGS) throw refused(`A secret has at most ${MOST_TAGS} tags.`);
  for (const [name, value] of entries) {
    if (typeof value !== "string" || name.length > LONGEST_TAG || value.length > LONGEST_TAG)
      throw refused(`The name and the value of a tag have at most ${LONGEST_TAG} characters.`);
  }
  return Object.fromEntries(entries as [string, string][]);
}

function refused(message: string): VaultRefusal {
  return new VaultRefusal(400, "BadParameter", message);
}
