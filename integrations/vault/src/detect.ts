import { DriverError } from "@coffer/core";
import { isNothing, objectOf, refusalOf, says } from "./answers.ts";
import type { VaultConnection } from "./client.ts";
import { classifyVaultError } from "./errors.ts";
import { encodePath } from "./names.ts";
import { ownOptions } from "./session.ts";

/**
 * The version of the KV engine at a mount. Any token that may do something below the mount may ask.
 * @throws DriverError `invalid_settings` when something else is mounted there; `permission_denied` when the server does not say; whatever befell the request
 */
export async function kvVersion(connection: VaultConnection, mount: string): Promise<1 | 2> {
  try {
    const answer = await connection.request({ method: "GET", path: `sys/internal/ui/mounts/${encodePath(mount)}` }, ownOptions());
    return versionIn(objectOf(answer["data"]), mount);
  } catch (error) {
    // Servers of old do not know the question, nor version 2.
    if (isNothing(error) || isUnknownQuestion(error)) return 1;
    const info = DriverError.isInstance(error) ? error.info : classifyVaultError(error, { operation: "open" });
    const raw = DriverError.isInstance(error) ? error.raw() : error;
    if (info.code !== "permission_denied") throw new DriverError(info.code, raw, info);
    throw new DriverError("permission_denied", raw, {
      status: info.status,
      safeMessage: `The server does not say what is mounted at ${mount}.`,
      hint: "Check mount, vault_namespace and the policies of the token. Where the server may not be asked, set kv_version to 1 or 2.",
    });
  }
}

function isUnknownQuestion(error: unknown): boolean {
  const refusal = refusalOf(error);
  return refusal?.status === 404 && says(refusal, /unsupported path/);
}

function versionIn({ type, options, path }: Readonly<Record<string, unknown>>, mount: string): 1 | 2 {
  // Every server tells the path; what does not is none, and its silence about the version is no version 1.
  if (typeof path !== "string") throw new DriverError("unavailable", undefined, { safeMessage: "What answers there is not Vault." });
  if (type !== undefined && type !== "kv" && type !== "generic")
    throw new DriverError("invalid_settings", undefined, {
      safeMessage: `What is mounted at ${mount} is no KV engine.`,
      hint: "Set mount to where one is: `vault secrets list` names what there is.",
    });
  if (objectOf(options)["version"] !== "2") return 1;
  // A folder of an engine is answered with the engine, and below a folder version 2 has no data. The namespace may stand in front.
  if (!`/${mount}/`.endsWith(`/${path}`))
    throw new DriverError("invalid_settings", undefined, {
      safeMessage: `The engine is not mounted at ${mount}, but above it.`,
      hint: "Set mount to the path of the engine itself: `vault secrets list` names it. For a folder in it there is namespace.",
    });
  return 2;
}
