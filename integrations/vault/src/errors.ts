import { DriverError, type ErrorCode, type ErrorInfo, isRetryableCode, type Operation } from "@coffer/core";
import { isVersionMismatch, lostVersionIn, objectOf, type Refusal, refusalOf, refusesDots, says, saysNothing } from "./answers.ts";
import { TransportError } from "@coffer/core/transport";

interface Explanation {
  readonly code: ErrorCode;
  readonly retryable?: boolean;
  readonly say?: string;
  readonly hint?: string;
}

const WRITES: ReadonlySet<Operation> = new Set(["create", "replace", "delete", "restore"]);
// Errors of Node that happen before anything is sent; those of a client that was passed in say no more about it.
const NEVER_SENT: ReadonlySet<string> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);
const SLOW: ReadonlySet<string> = new Set(["ECONNABORTED", "ETIMEDOUT"]);
const NETWORK = /^(?:E[A-Z]{4,}|EAI_AGAIN|ERR_[A-Z_]+)$/;
// Said before a request is looked at.
const SEALED = /\bis sealed\b/;
const CERTIFICATE = /CERT|SIGNATURE|SELF_SIGNED|ERR_TLS/;

// A write looks before it writes. What fails while it looks has changed nothing.
const onlyAsked = new WeakSet<object>();

/** Remembers that this error befell a request that changes nothing. */
export function hasOnlyAsked(error: unknown): void {
  if (typeof error === "object" && error !== null) onlyAsked.add(error);
}

/** Whether a write that failed so may have happened nevertheless. */
export function isLost(error: unknown): boolean {
  if (typeof error === "object" && error !== null && onlyAsked.has(error)) return false;
  if (DriverError.isInstance(error)) return error.info.outcome === "unknown";
  // Whoever refuses a certificate looks at nothing else.
  if (error instanceof TransportError) return error.sent && error.trouble !== "certificate";
  const refusal = refusalOf(error);
  if (refusal !== undefined) return refusal.status >= 500 && refusal.status !== 501 && !isRefused(refusal);
  const { code } = objectOf(error);
  return typeof code === "string" && !NEVER_SENT.has(code) && !CERTIFICATE.test(code);
}

/** Whether the server has refused before anything happened, whatever the status says. */
function isRefused(refusal: Refusal): boolean {
  return isTooLarge(refusal) || refusesDots(refusal) || says(refusal, SEALED);
}

/** The table of this flavor. A refusal that means one thing in one call and another in another is told apart where it is known. */
export function classifyVaultError(error: unknown, { operation }: { readonly operation: Operation }): ErrorInfo {
  const refusal = refusalOf(error);
  const { code, retryable = isRetryableCode(code), say, hint } = explain(error, refusal);
  return {
    code,
    retryable,
    outcome: WRITES.has(operation) && isLost(error) ? "unknown" : "not_applied",
    ...(refusal === undefined ? {} : { status: refusal.status }),
    ...(say === undefined ? {} : { safeMessage: say }),
    ...(hint === undefined ? {} : { hint }),
  };
}

function explain(error: unknown, refusal: Refusal | undefined): Explanation {
  if (error instanceof TransportError) return transportExplanation(error);
  if (refusal !== undefined) return isVersionMismatch(error) ? { code: "conflict" } : statusExplanation(refusal);
  const { name, code } = objectOf(error);
  if (name === "AbortError" || name === "TimeoutError" || name === "CanceledError") return { code: "timeout" };
  if (typeof code !== "string") return { code: "unknown", retryable: false };
  if (SLOW.has(code)) return { code: "timeout", say: "The server did not answer in time." };
  if (CERTIFICATE.test(code)) return untrusted("The server", code);
  if (NETWORK.test(code)) return unreachable("The server", code);
  return { code: "unknown", retryable: false };
}

function transportExplanation({ trouble, host, code }: TransportError): Explanation {
  switch (trouble) {
    case "certificate":
      return untrusted(host, code);
    case "redirect":
      return {
        code: "unavailable",
        retryable: false,
        say: `${host} answers with a redirect, which is not followed: it could lead the token to somebody else.`,
        hint: "Set address to the server that answers itself: the active node, or a load balancer that knows which it is.",
      };
    case "foreign":
      return {
        code: "unavailable",
        say: `What answers at ${host} is not Vault${because(code)}.`,
        hint: "Check the address, and whether a proxy or a sign-in page answers in its place.",
      };
    case "slow":
      return { code: "timeout", say: `${host} did not answer in time.` };
    default:
      return unreachable(host, code);
  }
}

function untrusted(host: string, code: string | undefined): Explanation {
  // An alert comes from the other side.
  if (code?.includes("ALERT") === true)
    return {
      code: "unavailable",
      retryable: false,
      say: `${host} refuses the certificate of the client, or misses one${because(code)}.`,
      hint: "Set client_cert_file and client_key_file (VAULT_CLIENT_CERT, VAULT_CLIENT_KEY) to what the server takes.",
    };
  return {
    code: "unavailable",
    retryable: false,
    say: `The certificate of ${host} is not trusted${because(code)}.`,
    hint: "Set ca_file (VAULT_CACERT) to the authority that has signed it, and tls_server_name where the name differs.",
  };
}

function unreachable(host: string, code: string | undefined): Explanation {
  return {
    code: "unavailable",
    say: `${host} cannot be reached${because(code)}.`,
    hint: "Check the address (VAULT_ADDR), the network, and whether the server runs.",
  };
}

function because(code: string | undefined): string {
  return code === undefined || !/^[A-Z][A-Z0-9_]*$/.test(code) ? "" : ` (${code})`;
}

function statusExplanation(refusal: Refusal): Explanation {
  const { status } = refusal;
  if (says(refusal, /missing client token/)) return { code: "unauthenticated", say: "The server misses a token." };
  if (says(refusal, /Upgrading from non-versioned to versioned/))
    return { code: "unavailable", say: "The engine is being upgraded to version 2.", hint: "Try again in a moment." };
  if (isTooLarge(refusal)) return { code: "too_large", say: "The server does not take a secret of this size, or with so many keys." };
  if (refusesDots(refusal))
    return {
      code: "invalid_name",
      retryable: false,
      say: "With version 1 of the engine this server takes no two dots in a row in a name.",
      hint: "Choose a name without them.",
    };
  switch (status) {
    case 400:
      return { code: "invalid_request", retryable: false, say: "The server does not understand the request (400)." };
    case 401:
      return { code: "unauthenticated" };
    case 403:
      return {
        code: "permission_denied",
        say: "The policies of the token do not allow it.",
        hint: "Grant what the README lists for the operation, and check the mount and the namespace.",
      };
    case 404:
      return notThere(refusal);
    case 405:
      return { code: "invalid_request", retryable: false, say: "The engine does not know this request.", hint: "Check kv_version." };
    case 412:
      return { code: "unavailable", retryable: true, say: "The node is behind the last write (412)." };
    case 429:
      return { code: "throttled" };
    case 472:
    case 473:
      return {
        code: "unavailable",
        say: `The server is a standby that does not answer this (${status}).`,
        hint: "Set address to the active node, or to a load balancer that knows which it is.",
      };
    case 501:
      return { code: "unavailable", retryable: false, say: "The server is not initialised.", hint: "Run `vault operator init`." };
    case 503:
      return { code: "unavailable", say: "The server is sealed, or not ready (503).", hint: "Unseal it, or try again in a moment." };
    default:
      return status === 408 || status >= 500
        ? { code: "unavailable", say: `The server failed (${status}).` }
        : { code: "invalid_request", retryable: false, say: `The server refuses the request (${status}).` };
  }
}

function notThere(refusal: Refusal): Explanation {
  if (says(refusal, /namespace not found/))
    return {
      code: "invalid_settings",
      say: "The server has no such namespace.",
      hint: "Check vault_namespace (VAULT_NAMESPACE): `vault namespace list` names what there is.",
    };
  if (says(refusal, /no handler for route|unsupported path/))
    return {
      code: "invalid_settings",
      say: "No engine is mounted there.",
      hint: "Check mount and vault_namespace: `vault secrets list` names what there is.",
    };
  if (says(refusal, /Invalid path for a versioned K\/V secrets engine/))
    return { code: "invalid_settings", say: "The engine is of version 2.", hint: "Set kv_version to 2, or leave it out." };
  if (saysNothing(refusal) || lostVersionIn(refusal) !== undefined) return { code: "not_found" };
  if (refusal.body === undefined || (refusal.errors.length === 0 && refusal.warnings.length === 0))
    return { code: "unavailable", say: "Nothing is known at this address.", hint: "Check the address of the server." };
  // Of an absent secret the server says nothing at all. Whatever it has words for is something else that is missing.
  return { code: "invalid_request", retryable: false, say: "The server does not know what the request is about (404)." };
}

function isTooLarge(refusal: Refusal): boolean {
  // OpenBao counts the texts of a request, too: by default it takes a thousand, keys and values together.
  if (refusal.status === 400) return says(refusal, /JSON input due to high complexity/);
  return refusal.status === 413 || (refusal.status === 500 && says(refusal, /too large|exceeds max/i));
}
