import type { Agent, IncomingMessage } from "node:http";
import type { Agent as SecureAgent } from "node:https";
import type { Socket } from "node:net";
import { DriverError } from "@coffer/core";

// Not by import: that touches every export, and one of them loads the whole of undici.
const http = process.getBuiltinModule("node:http");
const https = process.getBuiltinModule("node:https");

// Larger than any answer can be: twenty values of 64 KiB in JSON, where a character may take six.
const LARGEST_ANSWER = 16 * 1024 * 1024;
const MOST_SOCKETS = 64;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/;

/** What became of one operation on its way, with all its attempts. */
export class Journey {
  /** Whom it was sent to. */
  host: string | undefined;
  /** Whether an attempt ended so that the service may have carried it out, although no answer says so. */
  lost = false;
}

/** A request as the SDK hands it to its transport, as far as this one looks. */
interface OutgoingRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
}

interface TransportOptions {
  readonly abortSignal?: AbortSignal;
  readonly journey?: Journey;
}

/** An answer as the SDK wants it. */
interface Answer {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/** The error of a connection: its code, and nothing of the request. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/**
 * Carries the requests of the SDK, over connections of its own. The SDK's transport prints all headers of a request, the session token among them, when
 * somebody sets NODE_DEBUG=http; it waits without end for the rest of an answer, and takes one of any size.
 */
export class Transport {
  readonly metadata = { handlerProtocol: "http/1.1" };
  readonly #allowHttp: boolean;
  readonly #agents: { readonly http: Agent; readonly https: SecureAgent };

  constructor(options: { readonly allowHttp: boolean }) {
    this.#allowHttp = options.allowHttp;
    const pool = { keepAlive: true, maxSockets: MOST_SOCKETS };
    this.#agents = { http: new http.Agent(pool), https: new https.Agent(pool) };
  }

  /**
   * @throws DriverError `invalid_settings` for plain http to another machine, `unavailable` for a redirect
   * @throws ConnectionError when there is no whole answer
   */
  async handle(request: OutgoingRequest, options: TransportOptions = {}): Promise<{ readonly response: Answer }> {
    const { abortSignal, journey = new Journey() } = options;
    const host = request.port === undefined ? request.hostname : `${request.hostname}:${request.port}`;
    journey.host = host;
    if (request.protocol !== "https:" && !this.#allowHttp && !LOOPBACK.test(request.hostname))
      throw new DriverError("invalid_settings", undefined, {
        safeMessage: `The endpoint ${host} is plain http: values would travel in the clear.`,
        hint: "Use https, or set allow_http if you mean it.",
      });
    const lostBefore = journey.lost;
    const sent = (): void => {
      // Until an answer says otherwise.
      journey.lost = true;
    };
    try {
      const incoming = await this.#exchange(request, abortSignal, sent);
      const statusCode = incoming.statusCode ?? 0;
      if (statusCode >= 300 && statusCode < 400) throw redirected(incoming, host);
      const body = await wholeBody(incoming, host);
      // A service that fails may have failed after the write; what is no JSON was said by something in between.
      if (statusCode < 500 && isJson(body)) journey.lost = lostBefore;
      const headers = Object.entries(incoming.headers).map(
        ([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")] as const,
      );
      return { response: { statusCode, headers: Object.fromEntries(headers), body } };
    } catch (error) {
      if (DriverError.isInstance(error) || abortSignal?.aborted === true) throw error;
      const { code } = error as { readonly code?: unknown };
      throw new ConnectionError(typeof code === "string" ? code : "ECONNRESET");
    }
  }

  destroy(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  #exchange(request: OutgoingRequest, signal: AbortSignal | undefined, sent: () => void): Promise<IncomingMessage> {
    const secure = request.protocol === "https:";
    return new Promise((resolve, reject) => {
      const outgoing = (secure ? https : http).request({
        host: request.hostname.replace(/^\[(.*)\]$/, "$1"),
        port: request.port,
        path: request.path,
        method: request.method,
        agent: secure ? this.#agents.https : this.#agents.http,
        ...(signal === undefined ? {} : { signal }),
      });
      // One by one: what is handed over with the request is what NODE_DEBUG=http prints.
      for (const [name, value] of Object.entries(request.headers)) outgoing.setHeader(name, value);
      outgoing.once("socket", (socket: Socket) => {
        if (socket.connecting) socket.once(secure ? "secureConnect" : "connect", sent);
        else sent();
      });
      outgoing.once("response", resolve);
      // It may fail more than once.
      outgoing.on("error", reject);
      outgoing.end(request.body);
    });
  }
}

function redirected(incoming: IncomingMessage, host: string): DriverError {
  incoming.destroy();
  return new DriverError("unavailable", undefined, {
    retryable: false,
    status: incoming.statusCode,
    safeMessage: `${host} answered with a redirect, which is not followed: it could lead the credentials to somebody else.`,
    hint: "Check the endpoint, and whether a proxy or a captive portal stands in between.",
  });
}

/** The bytes of an answer, but not more of them than an answer can have. */
async function wholeBody(incoming: IncomingMessage, host: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > LARGEST_ANSWER)
      throw new DriverError("unavailable", undefined, {
        retryable: false,
        outcome: "unknown",
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
