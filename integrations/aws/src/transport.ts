import { DriverError } from "@coffer/core";

// Larger than any answer can be: twenty values of 64 KiB in JSON, where a character may take six.
const LARGEST_ANSWER = 16 * 1024 * 1024;
// The request was never sent: no connection, or a certificate that is not trusted.
const NOT_SENT =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_\w+|ERR_SSL_\w+|\w*CERT\w*|UNABLE_TO_\w+)$/;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/;

/** What became of one operation on its way, with all its attempts. */
export class Journey {
  /** How often it was sent, or tried to be. */
  attempts = 0;
  /** Whether an attempt ended so that the service may have carried it out, although no answer says so. */
  lost = false;
  /** Whom it was sent to. */
  host: string | undefined;
}

/** A request as the SDK hands it to its transport, as far as this one looks. */
interface OutgoingRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface TransportOptions {
  readonly abortSignal?: AbortSignal;
  readonly journey?: Journey;
}

interface IncomingAnswer {
  readonly response: { readonly statusCode: number; readonly headers: Record<string, string>; readonly body: Uint8Array };
}

/** The error of a connection: its code, and nothing of the request. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly code: string;
  /** Whether the request may have arrived. */
  readonly sent: boolean;

  constructor(code: string) {
    super(code);
    this.code = WORDS_OF_THE_SDK[code] ?? code;
    this.sent = wasSent(code);
  }
}

// What fetch calls its errors, in the words that the SDK decides by whether to try again.
const WORDS_OF_THE_SDK: Readonly<Record<string, string>> = {
  UND_ERR_SOCKET: "ECONNRESET",
  UND_ERR_CONNECT_TIMEOUT: "ETIMEDOUT",
  UND_ERR_HEADERS_TIMEOUT: "ETIMEDOUT",
  UND_ERR_BODY_TIMEOUT: "ETIMEDOUT",
};

/** Whether a request whose connection ended with this code may have arrived. */
export function wasSent(code: string): boolean {
  return !NOT_SENT.test(code);
}

/**
 * Sends the requests of the SDK with `fetch`. The SDK's own transport prints all headers of a request, session token included, when somebody sets
 * NODE_DEBUG=http; it waits without end for the rest of an answer, and takes one of any size.
 */
export class FetchTransport {
  readonly metadata = { handlerProtocol: "http/1.1" };
  readonly #allowHttp: boolean;

  constructor(options: { readonly allowHttp: boolean }) {
    this.#allowHttp = options.allowHttp;
  }

  async handle(request: OutgoingRequest, options: TransportOptions = {}): Promise<IncomingAnswer> {
    const { abortSignal: signal, journey = new Journey() } = options;
    const host = request.port === undefined ? request.hostname : `${request.hostname}:${request.port}`;
    journey.host = host;
    if (request.protocol !== "https:" && !this.#allowHttp && !LOOPBACK.test(request.hostname))
      throw new DriverError("invalid_settings", undefined, {
        safeMessage: `The endpoint ${host} is plain http: values would travel in the clear.`,
        hint: "Use https, or set allow_http if you mean it.",
      });
    journey.attempts += 1;
    const lostBefore = journey.lost;
    // Until an answer says otherwise.
    journey.lost = true;
    try {
      const answer = await this.#exchange(request, host, signal);
      // A service that fails may have failed after the write; what is no JSON was said by something in between.
      if (answer.statusCode < 500 && isJson(answer.body)) journey.lost = lostBefore;
      return { response: answer };
    } catch (error) {
      if (signal?.aborted === true) throw error;
      const reason = DriverError.isInstance(error) ? error : connectionError(error);
      if (reason instanceof ConnectionError && !reason.sent) journey.lost = lostBefore;
      throw reason;
    }
  }

  async #exchange(request: OutgoingRequest, host: string, signal: AbortSignal | undefined): Promise<IncomingAnswer["response"]> {
    // The host and the length are what fetch writes itself.
    const { host: _host, "content-length": _length, ...headers } = request.headers;
    const answer = await fetch(`${request.protocol}//${host}${request.path}`, {
      method: request.method,
      headers,
      body: request.body as string | Uint8Array<ArrayBuffer>,
      redirect: "manual",
      ...(signal === undefined ? {} : { signal }),
    });
    if (answer.status >= 300 && answer.status < 400) {
      await answer.body?.cancel();
      throw new DriverError("unavailable", undefined, {
        retryable: false,
        outcome: "unknown",
        status: answer.status,
        safeMessage: `${host} answered with a redirect, which is not followed: it could lead the credentials to somebody else.`,
        hint: "Check the endpoint, and whether a proxy or a captive portal stands in between.",
      });
    }
    return { statusCode: answer.status, headers: Object.fromEntries(answer.headers), body: await wholeBody(answer, host) };
  }

  destroy(): void {}

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }
}

/** The bytes of an answer, but not more of them than an answer can have. */
async function wholeBody(answer: Response, host: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > LARGEST_ANSWER)
      throw new DriverError("unavailable", undefined, {
        retryable: false,
        outcome: "unknown",
        status: answer.status,
        safeMessage: `${host} answered with more than the service ever does.`,
        hint: "Check the endpoint, and whether a proxy stands in between.",
      });
  }
  return Buffer.concat(chunks);
}

function isJson(body: Uint8Array): boolean {
  try {
    JSON.parse(Buffer.from(body).toString("utf8"));
    return true;
  } catch {
    return body.length === 0;
  }
}

/** The error of `fetch` without anything of the request: the code of the one that caused it. */
function connectionError(error: unknown): ConnectionError {
  const { cause } = (error ?? {}) as {
    readonly cause?: { readonly code?: unknown; readonly errors?: readonly { readonly code?: unknown }[] };
  };
  const code = cause?.code ?? cause?.errors?.[0]?.code;
  return new ConnectionError(typeof code === "string" ? code : "ECONNRESET");
}
