import {
  type CallOptions,
  type CreateOptions,
  decodePayload,
  type DeleteOptions,
  type DriverCapabilities,
  DriverError,
  encodePayload,
  payloadBytes,
  type ReadOptions,
  type ReplaceOptions,
  type Revision,
  type SecretRecord,
  type SecretsManagerDriver,
  type StoredSecret,
} from "@coffer/core";
import type { KeyVaultSecret, SecretProperties } from "@azure/keyvault-secrets";
import { connect, type VaultConnection } from "./client.ts";
import { deletedVersion, erase, removed, restored } from "./deleted.ts";
import { classifyAzureError, isDisabled, isNotFound, isReserved } from "./errors.ts";
import { listedPages, revisionsOf, versionsOf } from "./listing.ts";
import { isAskedFor, readMarker, writeMarker } from "./marker.ts";
import { isSameInVault, serviceName } from "./names.ts";
import type { AzureSettings } from "./settings-types.ts";
import { whenSettled, writeOnce } from "./writing.ts";

/** Documented as 25 KB; the service's own words are 25,600 characters. */
const LARGEST_VALUE = 25_600;
const VERSION = /^[0-9a-f]{32}$/i;

/** What Key Vault can do. It has no conditional write: two writers of one name can both succeed, and the later one stands. */
export const AZURE_CAPABILITIES: DriverCapabilities = {
  writable: true,
  atomicCreate: false,
  compareAndSwap: "best_effort",
  revisions: true,
  restore: true,
  marker: "atomic",
  listMetadata: true,
  listing: "strong",
  readAfterWrite: "strong",
  maxValueBytes: LARGEST_VALUE,
  caseSensitive: false,
  batchSize: 1,
  maxInFlight: 32,
};

/** Opens the vault of the settings. Sends nothing. */
export async function openAzureDriver(settings: AzureSettings): Promise<SecretsManagerDriver> {
  return driverOn(await connect(settings));
}

function driverOn(vault: VaultConnection): SecretsManagerDriver {
  const list = (options: Parameters<SecretsManagerDriver["list"]>[0]): ReturnType<typeof listedPages> => listedPages(vault, options);
  return {
    capabilities: AZURE_CAPABILITIES,
    read: (name, options) => read(vault, name, options),
    create: (name, record, options) => create(vault, name, record, options),
    replace: (name, record, options) => replace(vault, name, record, options),
    delete: (name, options) => remove(vault, name, options),
    list: async function* (options) {
      for await (const page of list(options)) yield* page;
    },
    listPages: list,
    history: (name, options) => revisionsOf(vault, name, options),
    restore: async (name, options) => void (await restored(vault, name, options)),
    close: async () => vault.close(),
    classify: classifyAzureError,
  };
}

async function read(vault: VaultConnection, name: string, options: ReadOptions): Promise<StoredSecret | undefined> {
  const { revision } = options;
  // What is no version could lead to another resource.
  if (revision !== undefined && !VERSION.test(revision)) return undefined;
  const secret = await stored(vault, name, options, revision);
  const marker = readMarker(secret?.properties.tags);
  if (secret === undefined || !isAskedFor(name, options.scope, marker)) return undefined;
  const about = { revision: secret.properties.version, updatedAt: secret.properties.updatedOn, managed: marker.managed };
  if (secret.value === undefined) return { state: "empty", ...about };
  return { state: "value", ...about, ...decodePayload(secret.value) };
}

async function create(vault: VaultConnection, name: string, record: SecretRecord, options: CreateOptions): Promise<Revision | undefined> {
  refuseTooLarge(record);
  if (await isTaken(vault, name, options)) throw new DriverError("already_exists");
  try {
    return await write(vault, name, record, undefined, options);
  } catch (error) {
    if (!isReserved(error)) throw error;
    if (options.onDeleted === "error") throw await reserved(vault, name, error, options);
  }
  const properties = await restored(vault, name, options, { ours: true });
  return write(vault, name, record, properties, options);
}

/** Whether anything stands under the name: a case twin and a disabled secret too. */
async function isTaken(vault: VaultConnection, name: string, options: CreateOptions): Promise<boolean> {
  try {
    return (await stored(vault, name, options)) !== undefined;
  } catch (error) {
    if (isDisabled(error)) return true;
    throw error;
  }
}

async function reserved(vault: VaultConnection, name: string, error: unknown, options: CreateOptions): Promise<DriverError> {
  // To ask for the date takes a permission that registering does not need.
  const deleted = await deletedVersion(vault, name, options).catch(() => undefined);
  const until = deleted?.scheduledPurgeDate;
  const other = deleted !== undefined && !isAskedFor(name, options.scope, readMarker(deleted.properties.tags));
  return new DriverError("recently_deleted", error, {
    safeMessage: [
      ...(other ? ["It was deleted under a name that the vault cannot tell from this one."] : []),
      until === undefined
        ? "The vault reserves the names of deleted secrets for 7 to 90 days."
        : `The name is reserved until ${until.toISOString()}.`,
    ].join(" "),
    hint: 'Restore it, register it with onDeleted: "restore", delete it with immediate (which takes the right to purge), or choose another name.',
  });
}

async function replace(vault: VaultConnection, name: string, record: SecretRecord, options: ReplaceOptions): Promise<Revision | undefined> {
  refuseTooLarge(record);
  const secret = await stored(vault, name, options);
  const marker = readMarker(secret?.properties.tags);
  if (secret === undefined || !isAskedFor(name, options.scope, marker)) throw new DriverError("not_found");
  refuseCertificate(secret.properties);
  if (!marker.managed && !options.adopt)
    throw new DriverError("conflict", undefined, {
      retryable: false,
      safeMessage: "It was written by another tool.",
      hint: "Replace it with adopt to make it ours, or choose another name.",
    });
  if (options.expected !== undefined && options.expected !== secret.properties.version) throw new DriverError("conflict");
  return write(vault, name, record, secret.properties, options);
}

async function remove(vault: VaultConnection, name: string, options: DeleteOptions): Promise<void> {
  const properties = await currentProperties(vault, name, options);
  if (properties === undefined) {
    // Immediate means that the name is free afterwards, also when only a deleted secret keeps it.
    if (options.immediate && (await erase(vault, name, options, "deleted before"))) return;
    throw new DriverError("not_found");
  }
  refuseCertificate(properties);
  await removed(vault, name, options);
  if (options.immediate) await erase(vault, name, options, "deleted just now");
}

/** What the vault tells of the secret beside its value; `undefined` when there is none of this name. */
async function currentProperties(vault: VaultConnection, name: string, options: CallOptions): Promise<SecretProperties | undefined> {
  let properties: SecretProperties | undefined;
  try {
    properties = (await stored(vault, name, options))?.properties;
  } catch (error) {
    if (!isDisabled(error)) throw error;
    // Its value is kept back, its tags are not: a listing of its versions has them.
    [properties] = await versionsOf(vault, name, options);
  }
  return properties === undefined || !isAskedFor(name, options.scope, readMarker(properties.tags)) ? undefined : properties;
}

/** What the vault has under this name, whoever wrote it. */
async function stored(vault: VaultConnection, name: string, options: CallOptions, version?: string): Promise<KeyVaultSecret | undefined> {
  const inVault = serviceName(name, options.scope);
  try {
    const secret = await vault.call(options, (client, sdk) => client.getSecret(inVault, version === undefined ? sdk : { ...sdk, version }));
    if (isSameInVault(secret.name, inVault)) return secret;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
  throw new DriverError("unavailable", undefined, { safeMessage: "The vault answered for another secret than the one asked for." });
}

/** Writes a new version, once, and finds out what became of it when the answer is lost. */
async function write(
  vault: VaultConnection,
  name: string,
  record: SecretRecord,
  before: SecretProperties | undefined,
  options: CallOptions,
): Promise<Revision | undefined> {
  const inVault = serviceName(name, options.scope);
  const { operationId } = options;
  const tags = writeMarker(name, record, { operationId, before: before?.tags });
  // What belongs to a version and is not given again is gone.
  const { expiresOn, notBefore } = before ?? {};
  const kept = { ...(expiresOn === undefined ? {} : { expiresOn }), ...(notBefore === undefined ? {} : { notBefore }) };
  const set = (): Promise<Revision | undefined> =>
    whenSettled(options, async () => {
      const made = await vault.call(options, (client, sdk) =>
        client.setSecret(inVault, encodePayload(record), { ...sdk, ...kept, tags, contentType: "application/json" }),
      );
      return made.properties.version;
    });
  return writeOnce(set, async () => {
    const secret = await stored(vault, name, options);
    return readMarker(secret?.properties.tags).operationId === operationId ? { result: secret?.properties.version } : undefined;
  });
}

function refuseTooLarge(record: SecretRecord): void {
  const size = payloadBytes(record);
  if (size > LARGEST_VALUE)
    throw new DriverError("too_large", undefined, { safeMessage: `It has ${size} bytes; Key Vault takes ${LARGEST_VALUE}.` });
}

/** The secret of a certificate is a view of it, and goes and changes with it alone. */
function refuseCertificate({ managed, certificateKeyId }: SecretProperties): void {
  if (managed !== true && certificateKeyId === undefined) return;
  throw new DriverError("conflict", undefined, {
    retryable: false,
    safeMessage: "It belongs to a certificate of the vault.",
    hint: "Change or delete the certificate instead.",
  });
}
