import type { RequestOptions } from "@coffer/core";
import type { RekeyChange, RekeyReport } from "./rekey.ts";
import type { LocalSettings } from "./settings-types.ts";
import type { LocalStatus, StatusOptions } from "./status.ts";

// What is done to a store now and then: loaded when it is done, so that reading a secret does not pay for it.

/**
 * Gives a store a new data key, a new protection, or both. All of it is one transaction: a process that is killed at any instant leaves the store
 * under the old key or under the new one, and both are in their places until the store has said which of them it needs.
 * @throws SecretsError `invalid_request` without a store, `unauthenticated` without the old key, `corrupt` when anything in the store is damaged
 */
export async function rekey(settings: LocalSettings = {}, change: RekeyChange = {}, options: RequestOptions = {}): Promise<RekeyReport> {
  return (await import("./rekey.ts")).rekeyStore(settings, change, options);
}

/**
 * Looks at a store without changing anything. Without `verify` no key is needed.
 * @throws SecretsError `corrupt` when the file is no store, `unsupported` when it is a newer one, `permission_denied` when others could use it
 */
export async function localStatus(settings: LocalSettings = {}, options: StatusOptions = {}): Promise<LocalStatus> {
  return (await import("./status.ts")).statusOfStore(settings, options);
}
