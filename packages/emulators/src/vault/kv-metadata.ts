import type { LoopbackAnswer } from "../loopback.ts";
import { answered, notThere, silent, unsupportedOperation, VaultRefusal } from "./answers.ts";
import { type CustomMetadata, customMetadataFrom } from "./custom-metadata.ts";
import type { KvData, KvEntry, KvRules } from "./entry.ts";
import { type KvCall, listed } from "./kv-call.ts";
import { goDuration, secondsIn } from "./moment.ts";
import { wholeNumber } from "./numbers.ts";
import { mergePatched } from "./patch.ts";

const FIELDS = ["max_versions", "cas_required", "delete_version_after", "custom_metadata"] as const;

/** Answers `metadata/…`: what is known about a key, and the names in a folder. */
export function answerMetadata(kv: KvCall): LoopbackAnswer {
  const { call, mount, area, name, isOpenBao } = kv;
  const isListing = call.operation === "list" || (call.operation === "scan" && isOpenBao);
  if (area === "detailed-metadata" && !isOpenBao) throw unsupportedOperation();
  if (isListing) return list(kv);
  if (area === "detailed-metadata") throw unsupportedOperation();
  switch (call.operation) {
    case "read":
      return read(kv);
    case "update":
      return write(kv);
    case "patch":
      return patch(kv);
    case "delete":
      mount.deleteMetadata(name);
      return silent(204, true);
    default:
      throw unsupportedOperation();
  }
}

/** Answers `config`: what holds for every key that says nothing else. */
export function answerConfig({ call, mount }: KvCall): LoopbackAnswer {
  if (call.operation === "read") {
    const { casRequired, maxVersions, deleteVersionAfter } = mount.rules;
    return answered({
      data: { cas_required: casRequired, max_versions: maxVersions, delete_version_after: goDuration(deleteVersionAfter) },
    });
  }
  if (call.operation !== "update") throw unsupportedOperation();
  mount.rules = { ...mount.rules, ...rulesIn(call.body) };
  return silent(204, true);
}

function list(kv: KvCall): LoopbackAnswer {
  const keys = listed(kv);
  if (keys.length === 0) throw notThere();
  if (kv.area === "metadata") return answered({ data: { keys } });
  const infos = keys.map((key) => {
    const entry = kv.mount.entry(`${kv.name}${key}`);
    return [key, entry === undefined ? {} : described(entry, true)] as const;
  });
  return answered({ data: { keys, key_info: Object.fromEntries(infos) } });
}

function read({ mount, name, isOpenBao }: KvCall): LoopbackAnswer {
  const entry = mount.entry(name);
  if (entry === undefined) throw notThere();
  return answered({ data: described(entry, isOpenBao) });
}

function write({ call, mount, name, isOpenBao }: KvCall): LoopbackAnswer {
  if (name === "") throw new VaultRefusal(400, ["missing path"]);
  const { body } = call;
  if (!FIELDS.some((field) => Object.hasOwn(body, field))) return silent(204);
  const change = changeIn(body);
  if (isOpenBao) checkMetadataCas(body, mount.entry(name));
  mount.writeMetadata(name, change);
  return silent(204, true);
}

function patch({ call, mount, name, isOpenBao }: KvCall): LoopbackAnswer {
  const { body } = call;
  if (!FIELDS.some((field) => Object.hasOwn(body, field))) return silent(204);
  const entry = mount.entry(name);
  const { custom_metadata: change } = body as { readonly custom_metadata?: unknown };
  const merged = change === undefined ? undefined : customMetadataFrom(mergePatched(entry?.customMetadata ?? {}, change ?? {}));
  if (entry === undefined) return silent(404);
  if (isOpenBao) checkMetadataCas(body, entry);
  mount.writeMetadata(name, { ...(merged === undefined ? {} : { customMetadata: merged }), rules: rulesIn(body) });
  return silent(204, true);
}

function changeIn(body: KvData): { readonly customMetadata?: CustomMetadata; readonly rules: Partial<KvRules> } {
  const rules = rulesIn(body);
  return Object.hasOwn(body, "custom_metadata") ? { customMetadata: customMetadataFrom(body["custom_metadata"] ?? {}), rules } : { rules };
}

function rulesIn(body: KvData): Partial<KvRules> {
  const { max_versions: maxVersions, cas_required: casRequired, delete_version_after: after } = body;
  if (maxVersions !== undefined && Number.isNaN(wholeNumber(maxVersions)))
    throw new VaultRefusal(400, [
      `error converting input for field "max_versions": '' cannot parse value as 'int': strconv.ParseInt: invalid syntax`,
    ]);
  const deleteVersionAfter = secondsIn(after);
  if (after !== undefined && deleteVersionAfter === undefined)
    throw new VaultRefusal(400, [
      'Field validation failed: error converting input for field "delete_version_after": time: invalid duration',
    ]);
  return {
    ...(maxVersions === undefined ? {} : { maxVersions: wholeNumber(maxVersions) }),
    ...(casRequired === undefined ? {} : { casRequired: casRequired === true || casRequired === "true" }),
    ...(deleteVersionAfter === undefined ? {} : { deleteVersionAfter }),
  };
}

/** OpenBao takes a check-and-set parameter for metadata as well. */
function checkMetadataCas(body: KvData, entry: KvEntry | undefined): void {
  const { metadata_cas: cas } = body as { readonly metadata_cas?: unknown };
  if (cas === undefined) return;
  if (entry === undefined && wholeNumber(cas) !== 0) throw new VaultRefusal(400, ["metadata_cas must be 0 when creating new metadata"]);
  if (entry !== undefined && wholeNumber(cas) !== entry.metadataVersion)
    throw new VaultRefusal(400, ["metadata check-and-set parameter does not match the current version"]);
}

function described(entry: KvEntry, isOpenBao: boolean): object {
  const versions = entry.versions.map((number) => {
    const { created_time, deletion_time, destroyed } = entry.metadataOf(number);
    return [String(number), { created_time, deletion_time, destroyed }] as const;
  });
  return {
    cas_required: entry.rules.casRequired,
    created_time: entry.created.text,
    current_version: entry.currentVersion,
    custom_metadata: entry.customMetadata,
    delete_version_after: goDuration(entry.rules.deleteVersionAfter),
    max_versions: entry.rules.maxVersions,
    oldest_version: entry.oldestVersion,
    updated_time: entry.updated.text,
    versions: Object.fromEntries(versions),
    ...(isOpenBao ? { current_metadata_version: entry.metadataVersion, metadata_cas_required: false } : {}),
  };
}
