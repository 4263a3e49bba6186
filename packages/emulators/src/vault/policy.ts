import type { Policy } from "./auth.ts";
import type { Operation } from "./call.ts";
import type { KvCall } from "./kv-call.ts";

/** Whether a token with this policy may do what is asked. */
export function allows(policy: Policy, { call: { operation }, mount, area, name }: KvCall): boolean {
  switch (policy) {
    case "all":
      return true;
    case "deny":
      return false;
    case "no_metadata":
      return !isListing(operation) && area !== "metadata" && area !== "detailed-metadata";
    case "read_only":
      return operation === "read" || isListing(operation);
    default:
      // Vault takes a key for there as soon as anything is known about it, also when it is deleted.
      return operation === "read" || isListing(operation) || (operation === "update" && mount.entry(name) === undefined);
  }
}

function isListing(operation: Operation): boolean {
  return operation === "list" || operation === "scan";
}
