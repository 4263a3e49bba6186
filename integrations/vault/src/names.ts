import { DriverError, type SecretScope } from "@coffer/core";

/**
 * The path of a secret below the mount. Portable names are paths of Vault as they are: any of their characters may stand in one, a slash makes a folder. In scope
 * `none` a name is whatever Vault can hold.
 * @throws DriverError `invalid_name`
 */
export function secretPath(name: string, scope: SecretScope): string {
  if (scope === "none" && !isVaultPath(name))
    throw new DriverError("invalid_name", undefined, {
      safeMessage: "A path of Vault has segments that are not empty, not `.` and not `..`, and no control characters.",
      hint: "Choose a name without them.",
    });
  return name;
}

/** A path as it stands in a URL: every segment encoded, so that nothing in it can leave the mount, end the path or add a query. */
export function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
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
