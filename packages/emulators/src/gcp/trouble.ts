import type { Faults } from "../faults.ts";
import { ServiceError } from "./service-error.ts";

/** What a call is about, as far as trouble needs to know it. */
export interface CallDetails {
  /** The method of the API, as in its proto: `AccessSecretVersion`. */
  readonly method: string;
  /** The id of the secret, where the call names one. */
  readonly secretId: string | undefined;
  /** The page of a listing, counted from 1. */
  readonly page: number | undefined;
  /** The request as it came, credential included: what a careless service repeats in its error. */
  readonly sent: string;
}

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
  if (deny !== undefined && (deny.name === undefined || deny.name === call.secretId))
    throw new ServiceError("PERMISSION_DENIED", `Permission denied for ${call.method} (or the resource may not exist).`, {
      reason: { reason: "IAM_PERMISSION_DENIED", metadata: { permission: `secretmanager.${call.method}` } },
    });
  if (faults.get("echo") !== undefined && writes(call.method))
    throw new ServiceError("INVALID_ARGUMENT", `Invalid value at 'payload': ${call.sent}`);
  if (call.page !== undefined && faults.get("fail_page")?.page === call.page)
    throw new ServiceError("INTERNAL", "An internal error has occurred.");
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
