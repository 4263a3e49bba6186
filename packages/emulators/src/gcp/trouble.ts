import type { Faults } from "../faults.ts";
import { ServiceError } from "./service-error.ts";

/** What a call is about, as far as trouble needs to know it. */
export interface CallDetails {
  /** The method of the API, as in its proto: `AccessSecretVersion`. */
  readonly method: string;
  /** What the call is about: a parent, a secret or a version. */
  readonly resource: string;
  /** The page of a listing, counted from 1. */
  readonly page: number | undefined;
  /** The request as it came, credential included: what a careless service repeats in its error. */
  readonly sent: string;
}

/** The permission that each method asks for. */
const PERMISSIONS: Readonly<Record<string, string>> = {
  ListSecrets: "secretmanager.secrets.list",
  CreateSecret: "secretmanager.secrets.create",
  GetSecret: "secretmanager.secrets.get",
  UpdateSecret: "secretmanager.secrets.update",
  DeleteSecret: "secretmanager.secrets.delete",
  AddSecretVersion: "secretmanager.versions.add",
  ListSecretVersions: "secretmanager.versions.list",
  GetSecretVersion: "secretmanager.versions.get",
  AccessSecretVersion: "secretmanager.versions.access",
};
const WRITES: ReadonlySet<string> = new Set(["CreateSecret", "AddSecretVersion", "UpdateSecret", "DeleteSecret"]);

/** Whether a method changes something. */
export function writes(method: string): boolean {
  return WRITES.has(method);
}

/** Says the trouble that is switched on in the words of the service. */
export function makeTrouble(faults: Faults, call: CallDetails): void {
  const throttle = faults.take("throttle");
  if (throttle !== undefined)
    throw new ServiceError(
      "RESOURCE_EXHAUSTED",
      "Quota exceeded for quota metric 'Access requests' and limit 'Access requests per minute'.",
      {
        reason: { reason: "RATE_LIMIT_EXCEEDED", metadata: { service: "secretmanager.googleapis.com" } },
        ...(throttle.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: throttle.retryAfterSeconds }),
      },
    );
  if (faults.take("broken") !== undefined) throw new ServiceError("UNAVAILABLE", "The service is currently unavailable.");
  if (faults.get("unauthenticated") !== undefined) throw unauthenticated();
  const deny = faults.get("deny");
  const id = /\/secrets\/([^/]+)/.exec(call.resource)?.[1];
  const needed = PERMISSIONS[call.method] ?? call.method;
  const { name: only = id, permission = needed } = deny ?? {};
  if (deny !== undefined && only === id && permission === needed) throw denied(needed, call.resource);
  if (faults.get("echo") !== undefined && writes(call.method))
    throw new ServiceError("INVALID_ARGUMENT", `Invalid value at 'payload': ${call.sent}`);
  if (call.page !== undefined && faults.get("fail_page")?.page === call.page)
    throw new ServiceError("INTERNAL", "An internal error has occurred.");
}

function denied(permission: string, resource: string): ServiceError {
  return new ServiceError("PERMISSION_DENIED", `Permission '${permission}' denied for resource '${resource}' (or it may not exist).`, {
    reason: { reason: "IAM_PERMISSION_DENIED", metadata: { permission, resource } },
  });
}

/** What a credential that is not accepted is answered. */
export function unauthenticated(): ServiceError {
  return new ServiceError(
    "UNAUTHENTICATED",
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
    { reason: { reason: "ACCESS_TOKEN_EXPIRED", metadata: { service: "secretmanager.googleapis.com" } } },
  );
}

/** The number of a page, from the token that asks for it. */
export function pageOf(token: string, pageLimit = 25_000): number {
  return token === "" ? 1 : Math.floor(Number(token.slice("token-".length)) / pageLimit) + 1;
}
