import type { DeletedSecret, SecretProperties } from "@azure/keyvault-secrets";
import { type CallOptions, DriverError } from "@coffer/core";
import type { VaultConnection } from "./client.ts";
import { isDisabled, isNotFound, isUnderWay } from "./errors.ts";
import { isAskedFor, readMarker } from "./marker.ts";
import { serviceName } from "./names.ts";
import { waited, whenSettled, writeOnce } from "./writing.ts";

/** What is left of a deleted secret; `undefined` when none of this name can be recovered, or not yet. */
export async function deletedVersion(vault: VaultConnection, name: string, options: CallOptions): Promise<DeletedSecret | undefined> {
  try {
    return await vault.call(options, (client, sdk) => client.getDeletedSecret(serviceName(name, options.scope), sdk));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Deletes a live secret. The SDK would ask at once whether the deletion is through, and then every other second; nobody waits for that. */
export async function removed(vault: VaultConnection, name: string, options: CallOptions): Promise<void> {
  const inVault = serviceName(name, options.scope);
  const act = (): Promise<void> =>
    vault.call(options, async (client, sdk) => {
      const answered = new AbortController();
      let done = false;
      try {
        await client.beginDeleteSecret(inVault, {
          abortSignal: AbortSignal.any([sdk.abortSignal, answered.signal]),
          onResponse: ({ status, request }) => {
            if (request.method !== "DELETE" || status !== 200) return;
            done = true;
            answered.abort();
          },
        });
      } catch (error) {
        if (!done) throw error;
      }
    });
  try {
    await writeOnce(act, async () => ((await isLive(vault, inVault, options)) ? undefined : { result: undefined }));
  } catch (error) {
    // Deleted by somebody else since it was looked at.
    if (isNotFound(error)) throw new DriverError("not_found", error);
    throw error;
  }
}

async function isLive(vault: VaultConnection, inVault: string, options: CallOptions): Promise<boolean> {
  try {
    await vault.call(options, (client, sdk) => client.getSecret(inVault, sdk));
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    if (isDisabled(error)) return true;
    throw error;
  }
}

/**
 * Frees the name of a deleted secret for good, which takes the right to purge.
 * @param since a secret that was deleted just now appears among the deleted ones after some seconds, and is waited for
 * @returns whether there was one
 */
export async function erase(
  vault: VaultConnection,
  name: string,
  options: CallOptions,
  since: "deleted before" | "deleted just now",
): Promise<boolean> {
  if (since === "deleted before") {
    const deleted = await deletedVersion(vault, name, options);
    if (deleted === undefined || !isAskedFor(name, options.scope, readMarker(deleted.properties.tags))) return false;
  }
  const purge = (): Promise<void> => vault.call(options, (client, sdk) => client.purgeDeletedSecret(serviceName(name, options.scope), sdk));
  for (let attempt = 1; ; attempt += 1) {
    try {
      await writeOnce(purge, async () => ((await deletedVersion(vault, name, options)) === undefined ? { result: undefined } : undefined));
      return true;
    } catch (error) {
      const early = isUnderWay(error) || (since === "deleted just now" && isNotFound(error));
      if (!early || !(await waited(attempt, options))) throw since === "deleted before" ? error : softly(error);
    }
  }
}

/** The secret is deleted, but can still be recovered: half of what was asked for has happened. */
function softly(error: unknown): unknown {
  if (DriverError.isInstance(error)) return error;
  const { statusCode } = error as { readonly statusCode?: unknown };
  if (statusCode !== 403) return error;
  return new DriverError("permission_denied", error, {
    outcome: "unknown",
    safeMessage: "The secret was deleted and can still be recovered: the vault refuses to purge it.",
    hint: "Grant the right to purge, or wait: the name stays reserved. A vault with purge protection purges nothing before its time.",
  });
}

/**
 * Brings a deleted secret back and waits until it can be read.
 * @param ours also refuse one that another tool has written
 * @returns what it carries beside its value
 * @throws DriverError `not_found` when there is none to bring back
 */
export async function restored(
  vault: VaultConnection,
  name: string,
  options: CallOptions,
  { ours = false }: { readonly ours?: boolean } = {},
): Promise<SecretProperties | undefined> {
  const inVault = serviceName(name, options.scope);
  return whenSettled(options, async () => {
    const deleted = await deletedVersion(vault, name, options);
    const marker = readMarker(deleted?.properties.tags);
    if (deleted !== undefined && !isAskedFor(name, options.scope, marker)) throw new DriverError("not_found");
    if (ours && deleted !== undefined && !marker.managed)
      throw new DriverError("conflict", undefined, {
        retryable: false,
        safeMessage: "The deleted secret was written by another tool.",
        hint: "Restore it, then replace it with adopt; or choose another name.",
      });
    await recover(vault, inVault, options);
    return deleted?.properties;
  });
}

/** A recovery goes on for some seconds after its answer; the SDK's own poller looks every two. */
async function recover(vault: VaultConnection, inVault: string, options: CallOptions): Promise<void> {
  let asked = false;
  try {
    const poller = await vault.call(options, (client, sdk) =>
      client.beginRecoverDeletedSecret(inVault, {
        ...sdk,
        onResponse: ({ request }) => {
          if (request.method === "POST") asked = true;
        },
      }),
    );
    // The SDK looks first, and asks for nothing when the secret is there: then nothing was deleted.
    if (!asked) throw new DriverError("not_found", undefined, { safeMessage: "It is not deleted." });
    for (let attempt = 1; !poller.isDone(); attempt += 1) {
      if (!(await waited(attempt, options)))
        throw new DriverError("timeout", undefined, { outcome: "unknown", safeMessage: "The recovery has begun and is not through." });
      await vault.call(options, () => poller.poll({ abortSignal: options.signal }));
    }
  } catch (error) {
    if (isNotFound(error)) throw new DriverError("not_found", error);
    throw error;
  }
}
