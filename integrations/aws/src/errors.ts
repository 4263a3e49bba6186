import { DriverError, type ErrorCode, type ErrorInfo, isRetryableCode, type Operation } from "@coffer/core";

interface Row {
  readonly code: ErrorCode;
  readonly retryable?: boolean;
  readonly hint?: string;
}

const SIGN_IN =
  "Log in again (`aws sso login`, `aws configure`), or check AWS_PROFILE, the keys in the environment and the role of the machine.";
const CLOCK = "Check the clock of this machine, and that the keys are complete.";
const KMS = "The KMS key refuses: ask for kms:Decrypt and kms:GenerateDataKey on it, and see in the console whether it is enabled.";
const QUOTA = "A quota of the account is used up: too many secrets, or one secret written more often than once in ten minutes for long.";

// The names of errors, by what they mean. Those that the model of the service does not have come from the layer before it
// (docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html, and STS). HTTP status says nothing: nearly all are 400.
const BY_NAME: Readonly<Record<string, Row>> = {
  ResourceNotFoundException: { code: "not_found" },
  ResourceExistsException: { code: "already_exists" },
  InvalidRequestException: { code: "invalid_request" },
  InvalidParameterException: { code: "invalid_request" },
  ValidationException: { code: "invalid_request" },
  InvalidNextTokenException: { code: "invalid_request" },
  MalformedPolicyDocumentException: { code: "invalid_request" },
  PreconditionNotMetException: { code: "invalid_request" },
  SerializationException: { code: "invalid_request" },
  UnknownOperationException: { code: "unsupported", hint: "Check the endpoint: whatever answers there is no AWS Secrets Manager." },
  AccessDeniedException: { code: "permission_denied" },
  AccessDenied: { code: "permission_denied" },
  PublicPolicyException: { code: "permission_denied" },
  DecryptionFailure: { code: "permission_denied", hint: KMS },
  DecryptionFailureException: { code: "permission_denied", hint: KMS },
  EncryptionFailure: { code: "permission_denied", hint: KMS },
  UnrecognizedClientException: { code: "unauthenticated", hint: SIGN_IN },
  InvalidClientTokenId: { code: "unauthenticated", hint: SIGN_IN },
  InvalidSignatureException: { code: "unauthenticated", hint: CLOCK },
  SignatureDoesNotMatch: { code: "unauthenticated", hint: CLOCK },
  RequestTimeTooSkewed: { code: "unauthenticated", hint: CLOCK },
  RequestExpired: { code: "unauthenticated", hint: CLOCK },
  IncompleteSignature: { code: "unauthenticated", hint: CLOCK },
  IncompleteSignatureException: { code: "unauthenticated", hint: CLOCK },
  MissingAuthenticationToken: { code: "unauthenticated", hint: SIGN_IN },
  MissingAuthenticationTokenException: { code: "unauthenticated", hint: SIGN_IN },
  ExpiredToken: { code: "unauthenticated", hint: SIGN_IN },
  ExpiredTokenException: { code: "unauthenticated", hint: SIGN_IN },
  OptInRequired: { code: "unauthenticated", hint: "The account is not subscribed to the service in this region." },
  CredentialsProviderError: { code: "unauthenticated", hint: SIGN_IN },
  TokenProviderError: { code: "unauthenticated", hint: SIGN_IN },
  Throttling: { code: "throttled" },
  ThrottlingException: { code: "throttled" },
  ThrottledException: { code: "throttled" },
  TooManyRequestsException: { code: "throttled" },
  RequestLimitExceeded: { code: "throttled" },
  RequestThrottled: { code: "throttled" },
  RequestThrottledException: { code: "throttled" },
  SlowDown: { code: "throttled" },
  LimitExceededException: { code: "throttled", retryable: false, hint: QUOTA },
  InternalServiceError: { code: "unavailable" },
  InternalServiceErrorException: { code: "unavailable" },
  InternalFailure: { code: "unavailable" },
  ServiceUnavailable: { code: "unavailable" },
  ServiceUnavailableException: { code: "unavailable" },
};

const NETWORK = /^E(?:CONN\w+|NOTFOUND|AI_AGAIN|PIPE|HOSTUNREACH|NETUNREACH|ADDRNOTAVAIL|PROTO)$/;
const CERTIFICATE = /CERT|^UNABLE_TO_|^ERR_TLS_|^ERR_SSL_/;
const PENDING_DELETION = /scheduled for deletion|marked (?:for deletion|deleted)/i;
const NO_VALUE = /secret value for (?:staging label|VersionId)|secret version/i;
const WRITES: ReadonlySet<Operation> = new Set(["create", "replace", "delete", "restore"]);

/** What can be seen of an error, whatever was thrown. */
interface Seen {
  readonly name?: string | undefined;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  readonly status?: number | undefined;
  readonly requestId?: string | undefined;
}

function seen(error: unknown): Seen {
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  const fields = (value: unknown): Readonly<Record<string, unknown>> =>
    typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  try {
    const { name, code, message, $metadata } = fields(error);
    const { httpStatusCode, requestId } = fields($metadata);
    const status = typeof httpStatusCode === "number" ? httpStatusCode : undefined;
    return { name: text(name), code: text(code), message: text(message), status, requestId: text(requestId) };
  } catch {
    // A proxy or a getter that throws: nobody knows this error.
    return {};
  }
}

/** Whether the service says that there is no such secret, or none any more: one that waits to be deleted is not there for its users. */
export function isMissing(error: unknown): boolean {
  return seen(error).name === "ResourceNotFoundException" || isPendingDeletion(error);
}

/** Whether the service says that the secret is there and what was asked for of it is not: it has no value, or no such version. */
export function isWithoutValue(error: unknown): boolean {
  const { name, message = "" } = seen(error);
  return name === "ResourceNotFoundException" && NO_VALUE.test(message);
}

/** Whether the service refuses because the secret waits to be deleted. It has no code for that, only words, which have changed over the years. */
export function isPendingDeletion(error: unknown): boolean {
  const { name, message = "" } = seen(error);
  return name === "InvalidRequestException" && PENDING_DELETION.test(message);
}

/** Whether this is the service's error of that name. */
export function isNamed(error: unknown, ...names: readonly string[]): boolean {
  return names.includes(seen(error).name ?? "");
}

/** An error of the service that means more than its name says: explained, with what is known of the answer. */
export function explained(code: ErrorCode, error: unknown, more: Partial<Omit<ErrorInfo, "code">> = {}): DriverError {
  const { status, requestId } = seen(error);
  return new DriverError(code, error, { status, requestId, ...more });
}

/** An error of one item of a batch, which the service reports in the answer instead of throwing it. */
export function itemError(
  item: { readonly ErrorCode?: string | undefined; readonly Message?: string | undefined },
  requestId: string | undefined,
): Error {
  const error = new Error(item.Message ?? "");
  return Object.assign(error, { name: item.ErrorCode ?? "Unknown", $fault: "client", $metadata: { httpStatusCode: 400, requestId } });
}

/** An answer that lacks what the service always says: whatever has answered, it was not the service. */
export function strangeAnswer(operation: Operation): DriverError {
  return new DriverError("unavailable", undefined, {
    retryable: false,
    outcome: WRITES.has(operation) ? "unknown" : "not_applied",
    safeMessage: "The answer is not one of AWS Secrets Manager.",
    hint: "Check the endpoint, and whether a proxy stands in between.",
  });
}

/**
 * The error table of the service.
 * @param lost whether an attempt of the failed request may have been carried out
 * @param host whom it was sent to, where that is known
 */
export function classifyAwsError(error: unknown, operation: Operation, lost: boolean, host?: string): ErrorInfo {
  const facts = seen(error);
  const ofTheService = isOfTheService(error);
  const {
    code,
    retryable,
    hint = ofTheService && code === "permission_denied" ? grantHint(facts.message) : undefined,
  } = rowOf(facts, operation);
  const safeMessage = ofTheService ? passable(facts, operation) : unreached(facts, host);
  return {
    code,
    retryable: retryable ?? isRetryableCode(code),
    outcome: WRITES.has(operation) && lost ? "unknown" : "not_applied",
    status: facts.status,
    requestId: facts.requestId,
    safeMessage,
    hint,
  };
}

/** What mends a denial that names the action which is missing, also where the text itself may not be shown. */
function grantHint(message = ""): string | undefined {
  const [, action] = /not authorized to perform: ([a-z]{1,20}:[A-Za-z]{1,40})/.exec(message) ?? [];
  if (action === undefined) return undefined;
  return /explicit deny/.test(message)
    ? `A policy denies ${action} explicitly, so allowing it elsewhere does not help: change that policy.`
    : `Allow the action ${action} in a policy of this identity. The README lists the actions that each operation needs.`;
}

/** Which host was not reached, and why. */
function unreached({ code = "" }: Seen, host: string | undefined): string | undefined {
  return host !== undefined && NETWORK.test(code) ? `${host} cannot be reached (${code}).` : undefined;
}

function rowOf({ name = "", code = "", message = "", status = 0 }: Seen, operation: Operation): Row {
  if (name === "InvalidRequestException" && PENDING_DELETION.test(message))
    return { code: operation === "create" ? "recently_deleted" : "not_found" };
  // A version id that is used already, which only a write to a secret that exists can meet.
  if (name === "ResourceExistsException" && operation !== "create") return { code: "conflict" };
  const known = Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
  if (known !== undefined) return known;
  // The code before the name: the SDK calls a connection that was reset a TimeoutError.
  if (NETWORK.test(code)) return { code: "unavailable" };
  if (CERTIFICATE.test(code))
    return {
      code: "unavailable",
      retryable: false,
      hint: "The certificate is not trusted. Add its authority with NODE_EXTRA_CA_CERTS, or check the endpoint.",
    };
  if (code === "ETIMEDOUT" || name === "TimeoutError") return { code: "timeout" };
  if (name === "AbortError") return { code: "aborted" };
  if (status >= 500) return { code: "unavailable" };
  if (status === 429) return { code: "throttled" };
  // What is no JSON was said by something in between.
  if (name === "SyntaxError" && status > 0)
    return {
      code: "unavailable",
      retryable: false,
      hint: "Something else than AWS answered: check the endpoint, and whether a proxy stands in between.",
    };
  return { code: "unknown" };
}

/** Whether the SDK made the error of an answer in the service's own JSON. */
function isOfTheService(error: unknown): boolean {
  try {
    return typeof error === "object" && error !== null && "$fault" in error;
  } catch {
    return false;
  }
}

// Texts of the service that say something to people, and how far they may go. A refused parameter may be repeated in the text, and a refused
// signature has the headers in it, so those texts are left out; the rest passes only when it is a plain sentence.
const SAID: ReadonlySet<string> = new Set([
  "AccessDeniedException",
  "AccessDenied",
  "DecryptionFailure",
  "EncryptionFailure",
  "InvalidRequestException",
  "LimitExceededException",
  "PublicPolicyException",
]);
const SENTENCE = /^[A-Za-z][\w\s.,;:'’()*@/-]{0,499}$/;
const LONG_WORD = /[^\s:/]{65,}/;

function passable({ name = "", message = "" }: Seen, operation: Operation): string | undefined {
  const read = !WRITES.has(operation) && (name === "InvalidParameterException" || name === "ValidationException");
  if (!SAID.has(name) && !read) return undefined;
  return SENTENCE.test(message) && !LONG_WORD.test(message) ? message : undefined;
}
