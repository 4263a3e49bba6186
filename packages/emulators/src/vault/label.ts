import type { LoopbackRequest } from "../loopback.ts";
import { type VaultAuth } from "./auth.ts";
import { callFrom, type VaultCall } from "./call.ts";
import { areaOf } from "./kv-call.ts";
import { loginAt } from "./login.ts";
import type { Mounts } from "./mounts.ts";

/**
 * What counts as one operation: the method (`LIST` and `SCAN` for those, whichever form they have) and the part of the API: `GET data`,
 * `LIST metadata`, `POST login`, `GET mounts`, `GET lookup-self`. An engine of version 1 has no parts: there it is its mount, `GET kv1`.
 */
export function labelOf(request: LoopbackRequest, mounts: Mounts, auth: VaultAuth): string {
  try {
    const call = callFrom(request);
    const method = call.operation === "list" || call.operation === "scan" ? call.operation.toUpperCase() : request.method;
    return `${method} ${partOf(call, mounts, auth)}`;
  } catch {
    return `${request.method} refused`;
  }
}

function partOf(call: VaultCall, mounts: Mounts, auth: VaultAuth): string {
  const place = mounts.placeOf(call.namespace, call.path, auth.namespaces);
  if (place === undefined) return "other";
  if (loginAt(place.path, place.namespace, auth) !== undefined) return "login";
  const [area = "", first = "", ...rest] = place.path.split("/");
  if (area === "auth") return rest[0] ?? first;
  if (area === "sys") return first === "internal" ? "mounts" : (rest[0] ?? first);
  const mount = mounts.over(place);
  if (mount === undefined) return "other";
  return mount.version === 1 ? mount.path : areaOf(place.path, mount).area || "other";
}
