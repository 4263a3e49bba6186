import { DriverError, type SecretScope } from "@coffer/core";

/** The version of a KV engine. */
export type KvVersion = 1 | 2;

/**
 * The path of a secret below the mount. A portable name is a path of Vault as it is, and its slashes make folders; but with version 1 Vault refuses two dots in a row
 * anywhere, so there every dot after a dot is written `=2e`. In scope `none` a name is whatever the engine can hold: OpenBao takes the two dots.
 * @throws DriverError `invalid_name`
 */
export function secretPath(name: string, scope: SecretScope, version: KvVersion): string {
  if (scope !== "none") return version === 1 ? escapeDots(name) : name;
  if (isVaultPath(name)) return name;
  throw new DriverError("invalid_name", undefined, {
    safeMessage: "A path of Vault has segments that are not empty, not `.` and not `..`, and no control characters.",
    hint: "Choose a name without them.",
  });
}

/** The name behind a path below the mount; `undefined` when it is none that `secretPath` writes, so that nobody could ask for it. */
export function secretName(path: string, scope: SecretScope, version: KvVersion): string | undefined {
  if (scope === "none" || version === 2) return path;
  const name = path.replaceAll(/=(2e|3d)/g, (_escape, digits: string) => (digits === "2e" ? "." : "="));
  return escapeDots(name) === path ? name : undefined;
}

/** A path as it stands in a URL: every segment encoded, so that nothing in it can leave the mount, end the path or add a query. */
export function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** What looks like one of the two escapes has its own `=` escaped, so that no other name is written alike. */
function escapeDots(name: string): string {
  return name.replaceAll(/=(?=2e|3d)/g, "=3d").replaceAll(/(?<=\.)\./g, "=2e");
}

/** Whether Vault can have a secret of this name, so that nothing else is asked for. Lone surrogates cannot be written in a URL. */
function isVaultPath(name: string): boolean {
  return (
    name.length >= 1 &&
    name.length <= 4_096 &&
    name.isWellFormed() &&
    !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(name) &&
    name.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..")
  );
}
