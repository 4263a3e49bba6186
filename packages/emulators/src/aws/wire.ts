import type { LoopbackAnswer, LoopbackRequest } from "../loopback.ts";

const CONTENT_TYPE = "application/x-amz-json-1.1";
const TARGET_PREFIX = "secretsmanager.";

/** An error in the service's own words. Nearly all of them have status 400. */
export class AwsError extends Error {
  readonly type: string;
  readonly status: number;

  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

/** The name of the operation that a request asks for, for counting. */
export function operationOf(request: LoopbackRequest): string {
  const target = request.headers["x-amz-target"];
  return typeof target === "string" && target.startsWith(TARGET_PREFIX)
    ? target.slice(TARGET_PREFIX.length)
    : `${request.method} ${request.path}`;
}

/**
 * The input of a request in the protocol AWS JSON 1.1.
 * @throws AwsError when it is anything else
 */
export function inputOf(request: LoopbackRequest): Record<string, unknown> {
  if (request.method !== "POST" || request.path !== "/") throw new AwsError("UnknownOperationException", "", 404);
  if (request.headers["content-type"] !== CONTENT_TYPE) throw new AwsError("UnknownOperationException", "", 404);
  const parsed = parsedBody(request.body);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw new AwsError("SerializationException", "Start of structure expected.");
  return parsed as Record<string, unknown>;
}

function parsedBody(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new AwsError("SerializationException", "");
  }
}

/** The headers that every answer of the service has. */
function headersOf(requestId: string, now: Date, more: Readonly<Record<string, string>>): Record<string, string> {
  return { "content-type": CONTENT_TYPE, "x-amzn-requestid": requestId, date: now.toUTCString(), ...more };
}

/** The answer to a request that was carried out. */
export function answered(
  output: object,
  context: { readonly requestId: string; readonly now: Date; readonly wrote: boolean },
): LoopbackAnswer {
  const { requestId, now, wrote } = context;
  return { status: 200, headers: headersOf(requestId, now, {}), body: JSON.stringify(output), wrote };
}

/** The answer to a request that was not. The errors of the service itself say `Message`, those of the layer before it `message`: both are seen. */
export function refused(
  error: AwsError,
  context: { readonly requestId: string; readonly now: Date; readonly headers?: Readonly<Record<string, string>> },
): LoopbackAnswer {
  const own =
    /^(?:Resource|Invalid(?:Request|Parameter|NextToken)|LimitExceeded|InternalService|Encryption|Decryption|Malformed|PublicPolicy|Precondition)/;
  const body = { __type: error.type, [own.test(error.type) ? "Message" : "message"]: error.message };
  return { status: error.status, headers: headersOf(context.requestId, context.now, context.headers ?? {}), body: JSON.stringify(body) };
}
