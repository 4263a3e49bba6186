import type { LoopbackAnswer } from "../loopback.ts";
import { answered, notThere, silent, unsupportedOperation, VaultRefusal } from "./answers.ts";
import type { Operation } from "./call.ts";
import type { KvData } from "./entry.ts";
import { type KvCall, numberIn } from "./kv-call.ts";
import { answerConfig, answerMetadata } from "./kv-metadata.ts";
import { wholeNumber } from "./numbers.ts";
import { mergePatched, withoutValues } from "./patch.ts";

const UPGRADING =
  "Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period and will resume service shortly.";
const COMMANDS: Readonly<Record<Operation, string>> = {
  read: "get",
  list: "list",
  scan: "scan",
  update: "put",
  patch: "patch",
  delete: "delete",
};

/** Answers for an engine of version 2. */
export function answerVersion2(kv: KvCall): LoopbackAnswer {
  if (kv.area === "") return invalidPath(kv);
  if (kv.mount.upgrading) throw new VaultRefusal(400, [UPGRADING]);
  switch (kv.area) {
    case "data":
      return answerData(kv);
    case "subkeys":
      return answerSubkeys(kv);
    case "config":
      return answerConfig(kv);
    case "metadata":
    case "detailed-metadata":
      return answerMetadata(kv);
    default:
      return answerVersions(kv);
  }
}

function answerData(kv: KvCall): LoopbackAnswer {
  const { call, mount, name } = kv;
  switch (call.operation) {
    case "read":
      return readVersion(kv, (data) => ({ data }), kv.isStale());
    case "update":
      return write(kv);
    case "patch":
      return patch(kv);
    case "delete":
      mount.softDelete(name);
      return silent(204, true);
    default:
      throw unsupportedOperation();
  }
}

function answerSubkeys(kv: KvCall): LoopbackAnswer {
  if (kv.call.operation !== "read") throw unsupportedOperation();
  const depth = numberIn(kv.call.request.query.get("depth"), "depth");
  return readVersion(kv, (data) => ({ subkeys: data === null ? null : withoutValues(data, depth) }), false);
}

/** A version that is deleted or destroyed is answered 404 too, but with a body that says so. */
function readVersion({ call, mount, name }: KvCall, shape: (data: KvData | null) => object, stale: boolean): LoopbackAnswer {
  const wanted = numberIn(call.request.query.get("version"), "version");
  const found = mount.read(name, wanted > 0 ? wanted : undefined, { stale });
  if (found === undefined) throw notThere();
  return answered({ status: found.data === null ? 404 : 200, data: { ...shape(found.data), metadata: found.metadata } });
}

function write({ call, mount, name }: KvCall): LoopbackAnswer {
  if (name === "") throw new VaultRefusal(400, ["missing path"]);
  const { body } = call;
  const data = dataIn(body);
  return answered({ data: mount.write(name, data, casIn(body)), wrote: true });
}

function patch({ call, mount, name }: KvCall): LoopbackAnswer {
  const { body } = call;
  const change = dataIn(body);
  const entry = mount.entry(name);
  if (entry === undefined) return silent(404);
  const cas = casIn(body);
  mount.checkAndSet(name, cas.cas);
  const found = entry.read();
  if (found === undefined) return silent(404);
  if (found.data === null) return answered({ status: 404, data: found.metadata });
  return answered({ data: mount.write(name, mergePatched(found.data, change) as KvData, cas), wrote: true });
}

function answerVersions({ call, mount, area, name }: KvCall): LoopbackAnswer {
  if (call.operation !== "update") throw unsupportedOperation();
  const versions = versionsIn(call.body["versions"]);
  if (area === "delete") mount.softDelete(name, versions);
  else if (area === "undelete") mount.undelete(name, versions);
  else mount.destroy(name, versions);
  return silent(204, true);
}

/** What somebody is told who takes the engine for one of version 1. */
function invalidPath({ call, name, isOpenBao }: KvCall): LoopbackAnswer {
  const [product, program] = isOpenBao ? ["OpenBao", "bao"] : ["Vault", "vault"];
  const isArea = ["metadata", "data", "delete", "undelete", "destroy"].includes(name);
  const warning = isArea
    ? "Non-listing operations on the root of a K/V v2 mount are not supported."
    : `Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. If using the ${product} CLI, use '${program} kv ${COMMANDS[call.operation]}' for this operation.`;
  return answered({ status: 404, warnings: [warning] });
}

function dataIn(body: KvData): KvData {
  const { data } = body as { readonly data?: unknown };
  if (data === undefined || data === null) throw new VaultRefusal(400, ["no data provided"]);
  if (typeof data !== "object" || Array.isArray(data))
    throw new VaultRefusal(400, ['Field validation failed: error converting input for field "data": expected a map']);
  return data as KvData;
}

/** The version that a write wants to replace. Whatever looks like a number is one, and `null` is 0. */
function casIn(body: KvData): { readonly cas?: number } {
  const { options } = body as { readonly options?: unknown };
  if (options === undefined || options === null || typeof options !== "object" || !Object.hasOwn(options, "cas")) return {};
  const { cas } = options as { readonly cas: unknown };
  if (cas === null || cas === "") return { cas: 0 };
  const number = wholeNumber(cas);
  if (Number.isNaN(number)) throw new VaultRefusal(400, ["error parsing check-and-set parameter"]);
  return { cas: number };
}

function versionsIn(value: unknown): number[] {
  const all = typeof value === "string" ? value.split(",") : Array.isArray(value) ? value : value === undefined ? [] : [value];
  const numbers = all.map(wholeNumber);
  if (numbers.length === 0) throw new VaultRefusal(400, ["No version number provided"]);
  if (numbers.some(Number.isNaN))
    throw new VaultRefusal(400, ['Field validation failed: error converting input for field "versions": expected whole numbers']);
  return numbers;
}
