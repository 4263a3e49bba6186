import type { LoopbackAnswer, LoopbackRequest } from "../loopback.ts";
import type { SecretEntry, SecretInput, VersionEntry, VersionState } from "./resources.ts";
import { ServiceError, STATUSES } from "./service-error.ts";
import type { Named, Page, PageRequest, SecretManagerState } from "./state.ts";
import { writes } from "./trouble.ts";

/** A request of the REST transport, understood. */
export interface RestCall {
  readonly method: string;
  /** The resource in the path: a parent, a secret or a version. */
  readonly resource: string;
}

type Json = Readonly<Record<string, unknown>>;

const STATE_NUMBERS: Readonly<Record<VersionState, number>> = { ENABLED: 1, DISABLED: 2, DESTROYED: 3 };
const STATES_BY_METHOD: Readonly<Record<string, VersionState>> = {
  EnableSecretVersion: "ENABLED",
  DisableSecretVersion: "DISABLED",
  DestroySecretVersion: "DESTROYED",
};

// The HTTP rules of the proto: what is asked, of which kind of resource, with which verb of its own.
const METHODS: Readonly<Record<string, string>> = {
  "GET secrets": "ListSecrets",
  "POST secrets": "CreateSecret",
  "GET secret": "GetSecret",
  "PATCH secret": "UpdateSecret",
  "DELETE secret": "DeleteSecret",
  "POST secret:addVersion": "AddSecretVersion",
  "GET versions": "ListSecretVersions",
  "GET version": "GetSecretVersion",
  "GET version:access": "AccessSecretVersion",
  "POST version:enable": "EnableSecretVersion",
  "POST version:disable": "DisableSecretVersion",
  "POST version:destroy": "DestroySecretVersion",
};
// What a path may name, from left to right.
const RESOURCE = /^(projects\/[^/]+(?:\/locations\/[^/]+)?)\/secrets(?:\/([^/]+)(?:\/(versions)(?:\/([^/]+))?)?)?$/;
const OF_A_PARENT: ReadonlySet<string> = new Set(["ListSecrets", "CreateSecret", "ListSecretVersions"]);

/** Which method of the API a request calls, by its HTTP rule; `undefined` where there is none. */
export function restCall({ method, path }: Pick<LoopbackRequest, "method" | "path">): RestCall | undefined {
  const [, resource = "", verb = ""] = /^\/v1\/(projects\/[^:]+?)(?::([a-zA-Z]+))?$/.exec(decodeURIComponent(path)) ?? [];
  const [, parent, secret, versions, version] = RESOURCE.exec(resource) ?? [];
  if (parent === undefined) return undefined;
  const kind = version !== undefined ? "version" : versions !== undefined ? "versions" : secret !== undefined ? "secret" : "secrets";
  const name = METHODS[`${method} ${kind}${verb === "" ? "" : `:${verb}`}`];
  if (name === undefined) return undefined;
  return { method: name, resource: OF_A_PARENT.has(name) ? resource.slice(0, resource.lastIndexOf("/")) : resource };
}

/** Carries out a request. */
export function answerRest(state: SecretManagerState, call: RestCall, request: LoopbackRequest): LoopbackAnswer {
  const { query } = request;
  const { method, resource } = call;
  const body = bodyOf(request);
  switch (method) {
    case "ListSecrets": {
      known(query, ["pageSize", "pageToken", "filter"]);
      const page = state.listSecrets(pageRequest(resource, query));
      return ok(method, pageJson("secrets", page, secretJson));
    }
    case "CreateSecret": {
      known(query, ["secretId"]);
      supported(body, ["replication", "labels", "annotations", "customerManagedEncryption"]);
      return ok(method, secretJson(state.createSecret(resource, query.get("secretId") ?? undefined, body)));
    }
    case "GetSecret":
      known(query, []);
      return ok(method, secretJson(state.getSecret(resource)));
    case "UpdateSecret": {
      known(query, ["updateMask"]);
      supported(body, ["name", "labels", "annotations", "etag"]);
      const mask = (query.get("updateMask") ?? "").split(",").filter((field) => field !== "");
      return ok(method, secretJson(state.updateSecret({ ...(body as SecretInput), name: resource }, mask)));
    }
    case "DeleteSecret":
      known(query, ["etag"]);
      state.deleteSecret(resource, query.get("etag") ?? undefined);
      return ok(method, {});
    case "AddSecretVersion": {
      known(body, ["payload"]);
      const payload = (body["payload"] ?? {}) as Json;
      known(payload, ["data", "dataCrc32c"]);
      const { data, dataCrc32c } = payload;
      if (data !== undefined && typeof data !== "string") throw invalid("payload.data");
      const bytes = data === undefined ? undefined : Buffer.from(data, "base64");
      return ok(method, versionJson(state.addSecretVersion(resource, bytes, checksumOf(dataCrc32c))));
    }
    case "ListSecretVersions": {
      known(query, ["pageSize", "pageToken", "filter"]);
      return ok(method, pageJson("versions", state.listSecretVersions(pageRequest(resource, query)), versionJson));
    }
    case "GetSecretVersion":
      return ok(method, versionJson(state.getSecretVersion(resource)));
    case "AccessSecretVersion": {
      const { name, data, checksum } = state.accessSecretVersion(resource);
      return ok(method, { name, payload: { data: data.toString("base64"), dataCrc32c: checksum } });
    }
    default: {
      const wanted = STATES_BY_METHOD[method];
      if (wanted === undefined) throw new ServiceError("UNIMPLEMENTED", `${method} is not implemented.`);
      known(body, ["etag"]);
      return ok(method, versionJson(state.setVersionState(resource, wanted, body["etag"] as string | undefined)));
    }
  }
}

/** The JSON form of a refusal. */
export function refusedRest(error: ServiceError): LoopbackAnswer {
  const { http } = STATUSES[error.status];
  const details =
    error.reason === undefined
      ? {}
      : { details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", domain: "googleapis.com", ...error.reason }] };
  return {
    status: http,
    headers: {
      "content-type": "application/json; charset=UTF-8",
      ...(error.retryAfterSeconds === undefined ? {} : { "retry-after": String(error.retryAfterSeconds) }),
      ...(http === 401 ? { "www-authenticate": 'Bearer realm="https://accounts.google.com/"' } : {}),
    },
    body: JSON.stringify({
      error: { code: http, message: error.message, status: error.status, ...details },
    }),
  };
}

function ok(method: string, json: Json): LoopbackAnswer {
  return { status: 200, headers: { "content-type": "application/json; charset=UTF-8" }, body: JSON.stringify(json), wrote: writes(method) };
}

function bodyOf({ method, headers, body }: LoopbackRequest): Json {
  if (method === "GET" || method === "DELETE") {
    if (body.length > 0) throw new ServiceError("INVALID_ARGUMENT", `Request body is not allowed for ${method}.`);
    return {};
  }
  if (!String(headers["content-type"]).startsWith("application/json"))
    throw new ServiceError("INVALID_ARGUMENT", "The content type of the body must be application/json.");
  try {
    const parsed: unknown = JSON.parse(body.toString("utf8"));
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed as Json;
  } catch {
    // Refused below, like any other body that is no object.
  }
  throw new ServiceError("INVALID_ARGUMENT", "Invalid JSON payload received.");
}

function known(given: URLSearchParams | Json, allowed: readonly string[]): void {
  const names = given instanceof URLSearchParams ? [...given.keys()].filter((name) => !name.startsWith("$")) : Object.keys(given);
  const unknown = names.find((name) => !allowed.includes(name));
  if (unknown !== undefined)
    throw new ServiceError("INVALID_ARGUMENT", `Invalid JSON payload received. Unknown name "${unknown}": Cannot find field.`);
}

/** An int64, which JSON writes as text. */
function checksumOf(value: unknown): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  throw invalid("payload.data_crc32c");
}

// Every field of the message; clients send them all, empty ones too.
const SECRET_FIELDS = [
  "name",
  "replication",
  "createTime",
  "labels",
  "topics",
  "expireTime",
  "ttl",
  "etag",
  "rotation",
  "versionAliases",
  "annotations",
  "versionDestroyTtl",
  "customerManagedEncryption",
  "tags",
  "secretType",
  "policyMember",
];

/** Refuses a secret with something in a field that this emulator does nothing with. */
function supported(body: Json, fields: readonly string[]): void {
  known(body, SECRET_FIELDS);
  const filled = Object.keys(body).find((name) => !fields.includes(name) && !isEmpty(body[name]));
  if (filled !== undefined) throw new ServiceError("UNIMPLEMENTED", `This emulator does nothing with the field [${filled}].`);
}

function isEmpty(value: unknown): boolean {
  return value === "" || value === null || value === 0 || (typeof value === "object" && Object.keys(value).length === 0);
}

function invalid(field: string): ServiceError {
  return new ServiceError("INVALID_ARGUMENT", `Invalid value at '${field}'.`);
}

function pageRequest(parent: string, query: URLSearchParams): PageRequest {
  const pageSize = Number(query.get("pageSize") ?? 0);
  if (!Number.isInteger(pageSize)) throw invalid("page_size");
  return { parent, filter: query.get("filter") ?? "", pageSize, pageToken: query.get("pageToken") ?? "" };
}

function pageJson<Item>(field: string, page: Page<Item>, json: (item: Item) => Json): Json {
  return {
    // An empty list is left out, as proto3 writes it.
    ...(page.items.length > 0 ? { [field]: page.items.map(json) } : {}),
    ...(page.nextPageToken === "" ? {} : { nextPageToken: page.nextPageToken }),
    ...(page.totalSize > 0 ? { totalSize: page.totalSize } : {}),
  };
}

function secretJson({ name, entry }: Named<SecretEntry>): Json {
  const { createTime, etag, labels, annotations, replication, customerManagedEncryption } = entry;
  return { name, createTime: createTime.toISOString(), etag, labels, annotations, replication, customerManagedEncryption };
}

function versionJson({ name, entry }: Named<VersionEntry>): Json {
  return { name, createTime: entry.createTime.toISOString(), state: STATE_NUMBERS[entry.state], etag: entry.etag };
}
