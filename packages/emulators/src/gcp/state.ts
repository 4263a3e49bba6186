import { randomUUID } from "node:crypto";
import { parseFilter } from "./filter.ts";
import {
  checkMetadata,
  checkReplication,
  checkSecretId,
  crc32c,
  PAYLOAD_LIMIT,
  type SecretEntry,
  type SecretInput,
  type VersionEntry,
  type VersionState,
} from "./resources.ts";
import { ServiceError } from "./service-error.ts";

/** A page of a listing. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextPageToken: string;
  readonly totalSize: number;
}

/** A secret with the full name that answers carry: with the number of the project, not its id. */
export interface Named<Entry> {
  readonly name: string;
  readonly entry: Entry;
}

export interface PageRequest {
  readonly parent: string;
  readonly filter: string;
  readonly pageSize: number;
  readonly pageToken: string;
}

const PAGE_LIMIT = 25_000;
/** The number that the service knows the project by. */
const PROJECT_NUMBER = "424242424242";
const PARENT = /^projects\/([^/]+)(?:\/locations\/([a-z0-9-]+))?$/;
const SECRET = /^(projects\/[^/]+(?:\/locations\/[a-z0-9-]+)?)\/secrets\/([^/]+)$/;
const VERSION = /^(projects\/[^/]+(?:\/locations\/[a-z0-9-]+)?\/secrets\/[^/]+)\/versions\/([^/]+)$/;

/** What Secret Manager keeps and answers, whichever transport asks: its documented rules, its texts, its traps. */
export class SecretManagerState {
  readonly #project: string;
  readonly #pageLimit: number;
  readonly #secrets = new Map<string, SecretEntry>();
  #late = 0;

  /** @param pageLimit the most entries of a page; the service's own limit by default */
  constructor(project: string, pageLimit: number = PAGE_LIMIT) {
    this.#project = project;
    this.#pageLimit = pageLimit;
  }

  /**
   * The next so many reads of `latest` do not see the newest version yet, as the service's eventual consistency allows.
   * Reads of a version by its number see everything at once.
   */
  readLate(times: number): void {
    this.#late = times;
  }

  createSecret(parent: string, secretId: string | undefined, input: SecretInput = {}): Named<SecretEntry> {
    const { path, location } = this.#parent(parent);
    const id = checkSecretId(secretId);
    checkMetadata(input.labels ?? {}, input.annotations ?? {});
    checkReplication(input, location !== undefined);
    const name = `${path}/secrets/${id}`;
    if (this.#secrets.has(name)) throw new ServiceError("ALREADY_EXISTS", `Secret [${name}] already exists.`);
    const entry: SecretEntry = {
      id,
      createTime: new Date(),
      replication: input.replication,
      customerManagedEncryption: input.customerManagedEncryption,
      labels: { ...input.labels },
      annotations: { ...input.annotations },
      etag: newEtag(),
      versions: [],
    };
    this.#secrets.set(name, entry);
    return { name, entry };
  }

  addSecretVersion(parent: string, payload: Buffer | undefined, checksum: string | undefined): Named<VersionEntry> {
    const { name, entry } = this.#secret(parent);
    if (payload === undefined || payload.length === 0)
      throw new ServiceError("INVALID_ARGUMENT", "Field [payload.data] is required and must not be empty.");
    if (payload.length > PAYLOAD_LIMIT)
      throw new ServiceError("INVALID_ARGUMENT", `The payload is too large: it has ${payload.length} bytes, ${PAYLOAD_LIMIT} are allowed.`);
    if (checksum !== undefined && checksum !== crc32c(payload))
      throw new ServiceError("INVALID_ARGUMENT", "The CRC32C of the payload does not match its data.");
    const version: VersionEntry = { number: entry.versions.length + 1, createTime: new Date(), state: "ENABLED", payload, etag: newEtag() };
    entry.versions.push(version);
    return { name: `${name}/versions/${version.number}`, entry: version };
  }

  accessSecretVersion(versionName: string): { readonly name: string; readonly data: Buffer; readonly checksum: string } {
    const { name, entry } = this.#version(versionName, true);
    if (entry.state !== "ENABLED" || entry.payload === undefined)
      throw new ServiceError("FAILED_PRECONDITION", `Secret Version [${name}] is in ${entry.state} state.`);
    return { name, data: entry.payload, checksum: crc32c(entry.payload) };
  }

  getSecret(name: string): Named<SecretEntry> {
    return this.#secret(name);
  }

  getSecretVersion(name: string): Named<VersionEntry> {
    return this.#version(name, false);
  }

  updateSecret(input: SecretInput, mask: readonly string[]): Named<SecretEntry> {
    const { name, entry } = this.#secret(input.name ?? "");
    if (mask.length === 0) throw new ServiceError("INVALID_ARGUMENT", "Field [update_mask] is required.");
    checkEtag(input.etag, entry.etag, name);
    let { labels, annotations } = entry;
    for (const field of mask) {
      // A mask that names a map replaces all of it.
      if (field === "annotations") annotations = { ...input.annotations };
      else if (field === "labels") labels = { ...input.labels };
      else throw new ServiceError("INVALID_ARGUMENT", `The field [${field}] cannot be updated.`);
    }
    // Before anything is changed: what is refused leaves the secret as it was.
    checkMetadata(labels, annotations);
    entry.labels = labels;
    entry.annotations = annotations;
    entry.etag = newEtag();
    return { name, entry };
  }

  deleteSecret(secretName: string, etag: string | undefined): void {
    const { name, entry } = this.#secret(secretName);
    checkEtag(etag, entry.etag, name);
    this.#secrets.delete(name);
  }

  setVersionState(versionName: string, state: VersionState, etag: string | undefined): Named<VersionEntry> {
    const { name, entry } = this.#version(versionName, false);
    checkEtag(etag, entry.etag, name);
    if (entry.state === "DESTROYED")
      throw new ServiceError("FAILED_PRECONDITION", `Secret Version [${name}] is in DESTROYED state and cannot be modified.`);
    entry.state = state;
    if (state === "DESTROYED") entry.payload = undefined;
    entry.etag = newEtag();
    return { name, entry };
  }

  listSecrets(request: PageRequest): Page<Named<SecretEntry>> {
    const { path } = this.#parent(request.parent);
    const matches = parseFilter(request.filter);
    const all = [...this.#secrets]
      .filter(([name, { labels }]) => name.startsWith(`${path}/secrets/`) && matches({ name, labels }))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, entry]) => ({ name, entry }));
    return this.#page(all, request);
  }

  listSecretVersions(request: PageRequest): Page<Named<VersionEntry>> {
    const { name, entry } = this.#secret(request.parent);
    const matches = parseFilter(request.filter);
    const all = entry.versions.toReversed().map((version) => ({ name: `${name}/versions/${version.number}`, entry: version }));
    return this.#page(
      all.filter((version) => matches({ name: version.name, state: version.entry.state })),
      request,
    );
  }

  #page<Item>(all: readonly Item[], { pageSize, pageToken }: PageRequest): Page<Item> {
    if (pageSize < 0) throw new ServiceError("INVALID_ARGUMENT", "Field [page_size] must not be negative.");
    if (pageToken !== "" && !/^token-\d+$/.test(pageToken)) throw new ServiceError("INVALID_ARGUMENT", "The page token is not valid.");
    const start = pageToken === "" ? 0 : Number(pageToken.slice("token-".length));
    const end = start + Math.min(pageSize === 0 ? this.#pageLimit : pageSize, this.#pageLimit);
    return { items: all.slice(start, end), nextPageToken: end < all.length ? `token-${end}` : "", totalSize: all.length };
  }

  #parent(parent: string): { readonly path: string; readonly location: string | undefined } {
    const [, project, location] = PARENT.exec(parent) ?? [];
    if (project === undefined) throw new ServiceError("INVALID_ARGUMENT", "Invalid resource field value in the request.");
    // A project that does not exist and one that is not ours are answered alike.
    if (project !== this.#project && project !== PROJECT_NUMBER)
      throw new ServiceError("PERMISSION_DENIED", `Permission denied on resource project ${project}.`, {
        reason: { reason: "CONSUMER_INVALID", metadata: { consumer: `projects/${project}`, service: "secretmanager.googleapis.com" } },
      });
    return { path: `projects/${PROJECT_NUMBER}${location === undefined ? "" : `/locations/${location}`}`, location };
  }

  #find(secretName: string): { readonly name: string; readonly entry: SecretEntry | undefined } {
    const [, parent = "", id = ""] = SECRET.exec(secretName) ?? [];
    const { path } = this.#parent(parent);
    const name = `${path}/secrets/${checkSecretId(id)}`;
    return { name, entry: this.#secrets.get(name) };
  }

  #secret(secretName: string): Named<SecretEntry> {
    const { name, entry } = this.#find(secretName);
    if (entry === undefined) throw new ServiceError("NOT_FOUND", `Secret [${name}] not found.`);
    return { name, entry };
  }

  #version(versionName: string, access: boolean): Named<VersionEntry> {
    const [, secretName = "", wanted = ""] = VERSION.exec(versionName) ?? [];
    const { name, entry } = this.#find(secretName);
    if (wanted === "latest") {
      const seen = this.#late > 0 ? entry?.versions.slice(0, -1) : entry?.versions;
      if (this.#late > 0) this.#late -= 1;
      // The newest one that was created, also when it is disabled or destroyed.
      const newest = seen?.at(-1);
      if (newest === undefined) throw new ServiceError("NOT_FOUND", `Secret [${name}] not found or has no versions.`);
      return { name: `${name}/versions/${newest.number}`, entry: newest };
    }
    if (!/^[1-9]\d*$/.test(wanted)) throw new ServiceError("INVALID_ARGUMENT", "The version is neither a number nor an alias.");
    if (entry === undefined && !access) throw new ServiceError("NOT_FOUND", `Secret [${name}] not found.`);
    const found = entry?.versions[Number(wanted) - 1];
    if (found === undefined) throw new ServiceError("NOT_FOUND", `Secret Version [${name}/versions/${wanted}] not found.`);
    return { name: `${name}/versions/${wanted}`, entry: found };
  }
}

function newEtag(): string {
  return `"${randomUUID().replaceAll("-", "").slice(0, 14)}"`;
}

function checkEtag(given: string | undefined, current: string, name: string): void {
  if (given !== undefined && given !== "" && given !== current)
    throw new ServiceError("FAILED_PRECONDITION", `The etag that was provided does not match the current etag of [${name}].`);
}
