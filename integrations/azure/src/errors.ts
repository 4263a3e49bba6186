import { DriverError, type ErrorCode, type ErrorInfo, isRetryableCode, type Operation } from "@coffer/core";
import { TransportError } from "@coffer/core/transport";

/** What the JSON errors of Key Vault say, and nothing of their text. */
export interface ServiceError {
  readonly status: number;
  /** `SecretNotFound`, `Forbidden`, `Conflict`, … */
  readonly code: string | undefined;
  /** What lies behind it: `SecretDisabled`, `ObjectIsDeletedButRecoverable`, `ForbiddenByRbac`, … */
  readonly inner: string | undefined;
  /** What the caller was not allowed to do, as access control names it. */
  readonly action: string | undefined;
  readonly requestId: string | undefined;
}

interface Explanation {
  readonly code: ErrorCode;
  readonly retryable?: boolean;
  readonly say?: string;
  readonly hint?: string;
}

const WRITES: ReadonlySet<Operation> = new Set(["create", "replace", "delete", "restore"]);
const IDENTIFIER = /^[A-Za-z][A-Za-z0-9_.]{0,63}$/;
// Errors of Node that happen before anything is sent; those of a client that was passed in say no more about it.
const NEVER_SENT: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);
const NETWORK = /^(?:E[A-Z]{4,}|EAI_AGAIN|UND_ERR_[A-Z_]+|REQUEST_SEND_ERROR)$/;
// What Entra calls an assertion that was signed by a wrong clock.
const OUT_OF_TIME = /\bAADSTS700024\b/;
const READING = /\/(?:getSecret|readMetadata)\/action$/;
const CERTIFICATE = /CERT|SIGNATURE|SELF_SIGNED|ERR_TLS/;
const NO_CREDENTIAL: ReadonlySet<string> = new Set([
  "CredentialUnavailableError",
  "AuthenticationError",
  "AggregateAuthenticationError",
  "AuthenticationRequiredError",
  "InteractionRequiredAuthError",
  "ClientAuthError",
  "ServerError",
]);

/** The error of the service in what the SDK has thrown; `undefined` for anything else, also for a status without the service's JSON. */
export function serviceError(error: unknown): ServiceError | undefined {
  const { statusCode, code, details, response } = objectOf(error);
  if (typeof statusCode !== "number") return undefined;
  const said = objectOf(objectOf(details)["error"]);
  const headers = objectOf(response)["headers"] as { get?(name: string): unknown } | undefined;
  const requestId = headers?.get?.("x-ms-request-id");
  return {
    status: statusCode,
    code: identifier(said["code"] ?? code),
    inner: identifier(objectOf(said["innerError"])["code"]),
    action: actionIn(said["message"]),
    requestId: typeof requestId === "string" && /^[0-9A-Za-z-]{1,64}$/.test(requestId) ? requestId : undefined,
  };
}

/** What a denial names as missing: the data action of a role, or the permission of an access policy. */
function actionIn(text: unknown): string | undefined {
  if (typeof text !== "string") return undefined;
  const [, ofPolicy] = /does not have secrets ([a-z]{1,20}) permission/.exec(text) ?? [];
  return ofPolicy === undefined ? /Action: '(Microsoft\.KeyVault\/[A-Za-z/]{1,80})'/.exec(text)?.[1] : `secrets ${ofPolicy}`;
}

/** Whether the service says that there is no such secret. A 404 of anybody else (a proxy, a wrong address) does not say that. */
export function isNotFound(error: unknown): boolean {
  const said = serviceError(error);
  return said?.status === 404 && said.code !== undefined;
}

export function isDisabled(error: unknown): boolean {
  return serviceError(error)?.inner === "SecretDisabled";
}

/** The name is taken by a deletion or a recovery that is still going on: it passes by itself. */
export function isUnderWay(error: unknown): boolean {
  return /^ObjectIsBeing(?:Deleted|Recovered)$/.test(serviceError(error)?.inner ?? "");
}

/** The name is reserved by a deleted secret. An emulator that has no inner codes says so with a bare 409. */
export function isReserved(error: unknown): boolean {
  const said = serviceError(error);
  return said?.status === 409 && (said.inner === undefined || said.inner === "ObjectIsDeletedButRecoverable");
}

/** Whether a write that failed so may have happened nevertheless. */
export function isLost(error: unknown): boolean {
  if (error instanceof TransportError) return error.sent;
  const said = serviceError(error);
  if (said !== undefined) return said.status >= 500 && said.status !== 501;
  const { name, code } = objectOf(error);
  if (DriverError.isInstance(error) || (typeof name === "string" && NO_CREDENTIAL.has(name))) return false;
  return !(typeof code === "string" && (NEVER_SENT.has(code) || CERTIFICATE.test(code))) && !isOfChallenge(error);
}

/** The table of this flavor. */
export function classifyAzureError(error: unknown, { operation }: { readonly operation: Operation }): ErrorInfo {
  const said = serviceError(error);
  const { code, retryable = isRetryableCode(code), say, hint } = explain(error, said);
  return {
    code,
    retryable,
    outcome: WRITES.has(operation) && isLost(error) ? "unknown" : "not_applied",
    ...(said === undefined ? {} : { status: said.status }),
    ...(said?.requestId === undefined ? {} : { requestId: said.requestId }),
    ...(say === undefined ? {} : { safeMessage: say }),
    ...(hint === undefined ? {} : { hint }),
  };
}

function explain(error: unknown, said: ServiceError | undefined): Explanation {
  if (error instanceof TransportError) return transportExplanation(error.trouble, error.host, error.code);
  const { name, code } = objectOf(error);
  // An error of the token endpoint has a status, too, and is no answer of the vault.
  if (typeof name === "string" && NO_CREDENTIAL.has(name)) return credentialExplanation(name, said?.status, error);
  if (said !== undefined) return statusExplanation(said);
  if (name === "AbortError" || name === "TimeoutError") return { code: "timeout" };
  if (isOfChallenge(error))
    return {
      code: "invalid_settings",
      say: "The host asks for a token of another domain than its own; none was sent.",
      hint: "Check the address of the vault. For an emulator set verify_challenge to false.",
    };
  if (typeof code === "string" && CERTIFICATE.test(code)) return transportExplanation("certificate", undefined, code);
  if (typeof code === "string" && (NETWORK.test(code) || code === "PARSE_ERROR"))
    return transportExplanation(code === "PARSE_ERROR" ? "foreign" : "network", undefined, code);
  return { code: "unknown", retryable: false };
}

function transportExplanation(trouble: TransportError["trouble"], host: string | undefined, code: string | undefined): Explanation {
  const at = host === undefined ? "The host" : host;
  const why = code === undefined || !/^[A-Z][A-Z0-9_]*$/.test(code) ? "" : ` (${code})`;
  switch (trouble) {
    case "certificate":
      return {
        code: "unavailable",
        retryable: false,
        say: `The certificate of ${at} is not trusted${why}.`,
        hint: "Set ca_file to the authority that has signed it. The check cannot be switched off.",
      };
    case "foreign":
      return {
        code: "unavailable",
        say: `What answers at ${at} is not the service${why}.`,
        hint: "Check the address, and whether a proxy or a sign-in page answers in its place.",
      };
    case "slow":
      return { code: "timeout", say: `${at} did not answer in time.` };
    default:
      return {
        code: "unavailable",
        say: `${at} cannot be reached${why}.`,
        hint: "Check the address of the vault, the network and its firewall.",
      };
  }
}

function credentialExplanation(name: string, status: number | undefined, error: unknown): Explanation {
  if (status !== undefined && (status === 429 || status >= 500))
    return { code: "unavailable", say: `The token endpoint failed (${status}).`, hint: "Try again in a moment." };
  const { message } = objectOf(error);
  if (typeof message === "string" && OUT_OF_TIME.test(message))
    return { code: "unauthenticated", say: "What was signed here is not valid yet, or no more.", hint: "Check the clock of this machine." };
  return name === "CredentialUnavailableError"
    ? {
        code: "unauthenticated",
        say: "There is no credential to sign in with.",
        hint: "Sign in with `az login`, or set credential_kind and what it needs.",
      }
    : {
        code: "unauthenticated",
        say: "The credential was refused, or none was found.",
        hint: "Sign in again with `az login`, or check the settings of the credential and the AZURE_ variables.",
      };
}

function statusExplanation(said: ServiceError): Explanation {
  const { status, inner } = said;
  if (status >= 300 && status < 400)
    return {
      code: "unavailable",
      retryable: false,
      say: "The host answers with a redirect, which is not followed.",
      hint: "Check the address.",
    };
  if (status === 401)
    return {
      code: "unauthenticated",
      say: "The vault does not accept the token.",
      hint: "Check the tenant: the token has to be of the one that the vault belongs to.",
    };
  if (status === 403) return forbidden(said);
  if (status === 404)
    return said.code === undefined
      ? { code: "unavailable", say: "Nothing is known at this address.", hint: "Check the address of the vault." }
      : { code: "not_found" };
  if (status === 409) return conflict(inner);
  if (status === 413) return { code: "too_large" };
  if (status === 429) return { code: "throttled" };
  if (status === 408 || status >= 500)
    return { code: "unavailable", say: `The vault failed (${status}${said.code === undefined ? "" : `, ${said.code}`}).` };
  return { code: "invalid_request", say: `The vault does not understand the request (${said.code ?? status}).` };
}

function forbidden({ inner, action }: ServiceError): Explanation {
  if (inner === "SecretDisabled") return { code: "disabled" };
  if (inner === "ForbiddenByFirewall")
    return {
      code: "permission_denied",
      say: "The firewall of the vault does not let this address in.",
      hint: "Add the address to the vault's network rules.",
    };
  return {
    code: "permission_denied",
    say: `The vault refuses it (${[inner ?? "Forbidden", ...(action === undefined ? [] : [action])].join(", ")}).`,
    hint: grantHint(action),
  };
}

function grantHint(action: string | undefined): string {
  if (action === undefined) return "Grant the permission that the README lists for the operation. A new grant takes some minutes.";
  if (action.startsWith("secrets ")) return `Allow "${action.slice("secrets ".length)}" for secrets in the access policy of the vault.`;
  const role = READING.test(action) ? "Key Vault Secrets User" : "Key Vault Secrets Officer";
  return `Assign a role with this action, such as "${role}". A new assignment takes some minutes.`;
}

function conflict(inner: string | undefined): Explanation {
  if (inner === "ObjectIsBeingRecovered") return { code: "conflict", say: "The secret is being recovered." };
  if (inner === "ObjectIsBeingDeleted") return { code: "recently_deleted", retryable: true, say: "The deletion is still going on." };
  if (inner === undefined || inner === "ObjectIsDeletedButRecoverable") return { code: "recently_deleted" };
  return { code: "conflict", retryable: false, say: `The vault refuses it (${inner}).` };
}

/** What the SDK throws, without a class or a code, when the challenge and the host do not belong together. */
function isOfChallenge(error: unknown): boolean {
  const { message } = objectOf(error);
  return error instanceof Error && typeof message === "string" && /^The (?:challenge|request URL must)/.test(message);
}

function identifier(value: unknown): string | undefined {
  return typeof value === "string" && IDENTIFIER.test(value) ? value : undefined;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
