import { DriverError, type ErrorCode, type ErrorInfo, type Operation, type Outcome } from "@coffer/core";
import { property, refusalIn, type ServiceRefusal, type Trip } from "./wire.ts";

/** A call of the SDK that failed, with what was seen of its request. */
export class CallFailure extends Error {
  override readonly name = "CallFailure";
  readonly trip: Trip | undefined;
  /** The answer to an earlier attempt of the same request was lost: it may have been carried out. */
  readonly lost: boolean;
  /** Whom the request was sent to; `undefined` when it was not, or when nobody has seen it. */
  readonly host: string | undefined;
  readonly #raw: unknown;

  constructor(raw: unknown, trip: Trip | undefined, lost: boolean, host?: string) {
    super("a call of Secret Manager failed");
    this.#raw = raw;
    this.trip = trip;
    this.lost = lost;
    this.host = host;
  }

  /** The error of the SDK. May hold tokens and values: never print it. */
  raw(): unknown {
    return this.#raw;
  }
}

/** The numbers of the canonical statuses in gRPC (google/rpc/code.proto). */
const NUMBERS: Readonly<Record<number, string>> = {
  1: "CANCELLED",
  2: "UNKNOWN",
  3: "INVALID_ARGUMENT",
  4: "DEADLINE_EXCEEDED",
  5: "NOT_FOUND",
  6: "ALREADY_EXISTS",
  7: "PERMISSION_DENIED",
  8: "RESOURCE_EXHAUSTED",
  9: "FAILED_PRECONDITION",
  10: "ABORTED",
  11: "OUT_OF_RANGE",
  12: "UNIMPLEMENTED",
  13: "INTERNAL",
  14: "UNAVAILABLE",
  15: "DATA_LOSS",
  16: "UNAUTHENTICATED",
};

interface Row {
  readonly code: ErrorCode;
  readonly retryable?: boolean;
  /** What a write may have done all the same. */
  readonly outcome?: Outcome;
  /** The text of the service tells something that the code does not. */
  readonly told?: boolean;
}

/** One table for both transports and for every version of the SDK: they differ in how a status is told, not in what it means. */
const TABLE: Readonly<Record<string, Row>> = {
  CANCELLED: { code: "aborted", outcome: "unknown" },
  UNKNOWN: { code: "unavailable", retryable: true, outcome: "unknown" },
  INVALID_ARGUMENT: { code: "invalid_request", told: true },
  DEADLINE_EXCEEDED: { code: "timeout", retryable: true, outcome: "unknown" },
  NOT_FOUND: { code: "not_found" },
  ALREADY_EXISTS: { code: "already_exists" },
  PERMISSION_DENIED: { code: "permission_denied", told: true },
  RESOURCE_EXHAUSTED: { code: "throttled", retryable: true },
  FAILED_PRECONDITION: { code: "invalid_request", told: true },
  ABORTED: { code: "conflict", retryable: true },
  OUT_OF_RANGE: { code: "invalid_request", told: true },
  UNIMPLEMENTED: { code: "unsupported" },
  INTERNAL: { code: "unavailable", retryable: true, outcome: "unknown" },
  UNAVAILABLE: { code: "unavailable", retryable: true, outcome: "unknown" },
  DATA_LOSS: { code: "corrupt" },
  UNAUTHENTICATED: { code: "unauthenticated" },
};

const HINTS: Readonly<Record<string, string>> = {
  SERVICE_DISABLED: "Enable the API: `gcloud services enable secretmanager.googleapis.com`.",
  CONSUMER_INVALID: "Check the project: it does not exist, or these credentials may not use it.",
  DISABLED: "Enable the newest version in the console, or write a new one: the service does not fall back to an older one.",
  DESTROYED: "The value of the newest version is gone for good. Write a new one, or roll back to an older revision.",
  UNAUTHENTICATED: "Log in again, or check the credentials in the settings. Tokens that are signed here need a clock that is right, too.",
  LOGIN: "Run `gcloud auth application-default login`, or set credentials_file or GOOGLE_APPLICATION_CREDENTIALS.",
};

// The narrowest of Google's own roles that have a permission; what is not here is administration.
const ROLES: Readonly<Record<string, string>> = {
  "secretmanager.versions.access": "roles/secretmanager.secretAccessor",
  "secretmanager.versions.add": "roles/secretmanager.secretVersionAdder",
  "secretmanager.versions.list": "roles/secretmanager.viewer",
  "secretmanager.versions.get": "roles/secretmanager.viewer",
  "secretmanager.secrets.list": "roles/secretmanager.viewer",
  "secretmanager.secrets.get": "roles/secretmanager.viewer",
};

/** A failure in the words that all transports share. */
interface Failure {
  /** The canonical status, when the service itself has told it. */
  readonly refusal?: ServiceRefusal | undefined;
  /** The HTTP status of an answer. */
  readonly http?: number | undefined;
  /** The request never reached the service. */
  readonly unsent?: boolean;
  /** No credential was to be had. */
  readonly credential?: boolean;
  /** Given up on our side. */
  readonly ended?: "CANCELLED" | "DEADLINE_EXCEEDED" | undefined;
  readonly known: boolean;
}

const WRITES: ReadonlySet<Operation> = new Set(["create", "replace", "delete"]);

/** Explains an error of the SDK, of the network, or of what it throws otherwise. */
export function classify(error: unknown, { operation }: { readonly operation: Operation }): ErrorInfo {
  const told = DriverError.isInstance(error) ? error.info : explain(error);
  // What changes nothing has changed nothing, however it ended.
  const info: ErrorInfo = WRITES.has(operation) ? told : { ...told, outcome: "not_applied" };
  // Where no secret is named, what is not there is a project or a location.
  if (info.code === "not_found" && (operation === "list" || operation === "open"))
    return { ...info, code: "invalid_request", hint: "Check the project and the location." };
  return info;
}

/** The canonical status of a refusal by the service itself; `undefined` for every other failure. */
export function statusOf(error: unknown): string | undefined {
  return failureOf(error).refusal?.status;
}

function explain(error: unknown): ErrorInfo {
  const failure = failureOf(error);
  const lost = error instanceof CallFailure && error.lost;
  if (failure.refusal !== undefined) return fromRefusal(failure.refusal, failure.http, lost);
  const status = failure.http === undefined ? {} : { status: failure.http };
  const outcome: Outcome = failure.unsent === true && !lost ? "not_applied" : "unknown";
  if (failure.credential === true) return { code: "unauthenticated", retryable: false, outcome: "not_applied", hint: HINTS["LOGIN"] };
  if (failure.ended !== undefined)
    return { code: TABLE[failure.ended]?.code ?? "timeout", retryable: failure.ended !== "CANCELLED", outcome, ...unanswered(error) };
  if (failure.http !== undefined) {
    // Something answered, and it was not the service: a proxy, a captive portal, a front end. Its 404 says nothing about a secret.
    const code = failure.http === 401 ? "unauthenticated" : failure.http === 429 ? "throttled" : "unavailable";
    return {
      code,
      retryable: code !== "unauthenticated",
      outcome,
      ...status,
      hint: "Something else than Secret Manager has answered: check the endpoint, and proxies on the way.",
    };
  }
  if (failure.unsent === true) return { code: "unavailable", retryable: true, outcome, ...outOfReach(error) };
  return failure.known ? { code: "unavailable", retryable: true, outcome } : { code: "unknown", retryable: false, outcome: "unknown" };
}

/** Whose answer did not come. */
function unanswered(error: unknown): { readonly safeMessage?: string } {
  return error instanceof CallFailure && error.host !== undefined ? { safeMessage: `No answer came from ${error.host}.` } : {};
}

/** Which host was not reached, and why, as far as that is known. */
function outOfReach(error: unknown): { readonly safeMessage?: string } {
  if (!(error instanceof CallFailure) || error.host === undefined) return {};
  const [why] = CONNECTING.exec(depths(error.raw())) ?? [];
  return { safeMessage: `${error.host} cannot be reached${why === undefined ? "" : ` (${why})`}.` };
}

function fromRefusal({ status, message, reason }: ServiceRefusal, http: number | undefined, lost: boolean): ErrorInfo {
  const row = TABLE[status] ?? { code: "unknown" as const, outcome: "unknown" as const };
  const details = {
    retryable: row.retryable ?? false,
    outcome: lost ? ("unknown" as const) : (row.outcome ?? "not_applied"),
    ...(http === undefined ? {} : { status: http }),
    ...(row.told === true && isFitToShow(message) ? { safeMessage: message } : {}),
    ...(status === "PERMISSION_DENIED" ? grantHint(message) : {}),
    ...hintFor(status, reason),
  };
  if (status === "FAILED_PRECONDITION") {
    // `latest` is the newest version that was created, whatever has become of it.
    const [, state] = /\bis in (DISABLED|DESTROYED) state\b/.exec(message) ?? [];
    if (state !== undefined) return { ...details, code: "disabled", hint: HINTS[state] };
  }
  if (status === "INVALID_ARGUMENT" && /\btoo (?:large|long|big)\b/i.test(message)) return { ...details, code: "too_large" };
  return { ...details, code: row.code };
}

function hintFor(...keys: readonly (string | undefined)[]): { readonly hint?: string } {
  const hint = keys.map((key) => HINTS[key ?? ""]).find((text) => text !== undefined);
  return hint === undefined ? {} : { hint };
}

/** What mends a denial that names the permission which is missing. */
function grantHint(message: string): { readonly hint?: string } {
  const [, permission] = /^Permission '(secretmanager\.[A-Za-z.]{1,60})' denied/.exec(message) ?? [];
  if (permission === undefined) return {};
  return { hint: `Grant a role with ${permission}, such as ${ROLES[permission] ?? "roles/secretmanager.admin"}, on the project.` };
}

/** Texts of the service name resources and permissions. One that seems to repeat a request is withheld: it may hold values and credentials. */
function isFitToShow(message: string): boolean {
  return message !== "" && message.length <= 500 && !/[{}"\n]|bearer|authorization/i.test(message);
}

function failureOf(error: unknown): Failure {
  const raw = error instanceof CallFailure ? error.raw() : error;
  const trip = error instanceof CallFailure ? error.trip : undefined;
  if (trip?.answer !== undefined && trip.answer !== "success") return { refusal: trip.answer, http: trip.status, known: true };
  if (trip?.status !== undefined && !isEnded(raw)) return { http: trip.status, known: true };
  const told = fromError(raw);
  if (trip === undefined || trip.sent) return told;
  // The request was not sent: what failed lies before it, the credential or our own end.
  if (told.ended !== undefined) return { ...told, unsent: true };
  return isNetworkFailure(raw) ? { unsent: true, known: true } : { credential: true, known: true };
}

/** What an error tells by itself: that of a client which the program has made, or one over gRPC. */
function fromError(raw: unknown): Failure {
  const code = property(raw, "code");
  const message = textOf(property(raw, "message"));
  // The older major hands over the error of its HTTP client.
  const answered =
    refusalIn(property(property(raw, "response"), "data")) ?? refusalIn(property(raw, Symbol.for("google-gax.rawHttpResponsePayload")));
  const http = [property(raw, "httpStatusCode"), property(property(raw, "response"), "status"), property(raw, "status")].find(
    (status): status is number => typeof status === "number",
  );
  if (answered !== undefined) return { refusal: answered, http, known: true };
  if (isEnded(raw)) return { ended: isEnded(raw), known: true };
  if (http !== undefined) return { http, known: true };
  if (isNetworkFailure(raw)) return { unsent: isBeforeSending(raw), known: true };
  if (isCredentialText(message)) return { credential: true, known: true };
  if (typeof code === "number" && code in NUMBERS) return fromNumber(code, raw, message);
  return { known: false };
}

function fromNumber(code: number, raw: unknown, message: string): Failure {
  const details = textOf(property(raw, "details")) || message;
  // A proxy in the way answers gRPC with a plain HTTP status.
  const [, foreign] = /Received HTTP status code (\d{3})/i.exec(details) ?? [];
  if (foreign !== undefined) return { http: Number(foreign), known: true };
  // The retries of the SDK report what they gave up on as a passed deadline, and the real status in the text only.
  const [, inner] = /retrying error \w*Error: (\d{1,2}) [A-Z_]+/.exec(message) ?? [];
  const status = NUMBERS[Number(inner ?? code)] ?? "UNKNOWN";
  if (status === "UNAVAILABLE" && isBeforeSending(raw)) return { unsent: true, known: true };
  const reason = property(raw, "reason");
  return { refusal: { status, message: details, reason: typeof reason === "string" ? reason : undefined }, known: true };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isEnded(raw: unknown): "CANCELLED" | "DEADLINE_EXCEEDED" | undefined {
  const name = property(raw, "name");
  if (name === "AbortError") return "CANCELLED";
  if (name === "TimeoutError") return "DEADLINE_EXCEEDED";
  const code = property(raw, "code");
  if (code === 1) return "CANCELLED";
  return code === 4 && !/retrying error/.test(textOf(property(raw, "message"))) ? "DEADLINE_EXCEEDED" : undefined;
}

const CONNECTING =
  /\b(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_\w+|\w*SELF_SIGNED\w*|UNABLE_TO_\w+|ERR_TLS_\w+|ERR_SSL_\w+)\b/;
const BROKEN = /\b(?:ECONNRESET|EPIPE|ETIMEDOUT|ECONNABORTED|UND_ERR_\w+)\b/;

/** The codes and texts of an error and of what lies beneath it. Only looked at, never shown. */
function depths(raw: unknown): string {
  const texts: string[] = [];
  for (let error = raw, depth = 0; error !== undefined && error !== null && depth < 8; error = property(error, "cause"), depth += 1) {
    const several = property(error, "errors");
    for (const one of [error, ...(Array.isArray(several) ? several : [])])
      texts.push(String(property(one, "code")), textOf(property(one, "message")), textOf(property(one, "details")));
  }
  return texts.join("\n");
}

function isNetworkFailure(raw: unknown): boolean {
  const text = depths(raw);
  return CONNECTING.test(text) || BROKEN.test(text) || /^fetch failed$/m.test(text);
}

function isBeforeSending(raw: unknown): boolean {
  const text = depths(raw);
  return CONNECTING.test(text) || /No connection established|Name resolution failed/i.test(text);
}

function isCredentialText(message: string): boolean {
  return /Could not load the default credentials|invalid_grant|invalid_rapt|universe domain|credential file specified|does not exist, or it is not a file/i.test(
    message,
  );
}

/** Whether a write that failed may have been carried out nevertheless. */
export function wasLost(error: unknown): boolean {
  return (DriverError.isInstance(error) ? error.info : explain(error)).outcome === "unknown";
}
