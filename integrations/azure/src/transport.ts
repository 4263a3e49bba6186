import type { Agent as HttpAgent, ClientRequest, IncomingMessage } from "node:http";
import type { Agent as HttpsAgent } from "node:https";
import type { Socket } from "node:net";

/** The largest answer that is read: many times what Key Vault or Entra ever answer. */
const LARGEST_ANSWER = 4 * 2 ** 20;
/** How long one request may take when nobody says otherwise; also those of an SDK that passes no signal on. */
const LONGEST_REQUEST_MS = 30_000;
const SOCKETS = 64;

/** One request as it goes over the wire. */
export interface WireRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
  readonly signal: AbortSignal | undefined;
  /** Plain HTTP is allowed: only the endpoints of managed identities have none but that. */
  readonly plain: boolean;
  /** An agent that goes through a proxy. */
  readonly agent: HttpAgent | HttpsAgent | undefined;
}

/** The answer, whole. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Why there is no answer: the connection failed, its certificate is not trusted, or something else than the service answered. */
export type TransportTrouble = "network" | "certificate" | "foreign" | "slow";

/** A request without an answer of the service. Holds neither headers nor bodies. */
export class TransportError extends Error {
  override readonly name = "TransportError";
  readonly trouble: TransportTrouble;
  /** The code of Node (`ECONNREFUSED`), if it has one. */
  readonly code: string | undefined;
  /** The request may have reached the service: what it asked for may have happened. */
  readonly sent: boolean;
  readonly host: string;

  constructor(trouble: TransportTrouble, host: string, details: { readonly code?: string | undefined; readonly sent: boolean }) {
    super(`No answer of the service: ${trouble}`);
    this.trouble = trouble;
    this.host = host;
    this.code = details.code;
    this.sent = details.sent;
  }
}

const CERTIFICATE_CODE = /CERT|SIGNATURE|SELF_SIGNED|ERR_TLS/;

/**
 * Sends requests of the Azure SDKs over connections of its own, which end when the driver is closed. Unlike the transport of the SDK it bounds the whole
 * of an answer in time and size, follows no redirect, verifies certificates whatever the environment says, and keeps headers out of what
 * `NODE_DEBUG=http` prints.
 */
export class Transport {
  readonly #ca: readonly string[] | undefined;
  readonly #https = process.getBuiltinModule("node:https");
  readonly #http = process.getBuiltinModule("node:http");
  readonly #agent: HttpsAgent;
  #plainAgent: HttpAgent | undefined;

  constructor(options: { readonly ca?: string | undefined } = {}) {
    const { ca } = options;
    this.#ca = ca === undefined ? undefined : [...process.getBuiltinModule("node:tls").getCACertificates("default"), ca];
    this.#agent = new this.#https.Agent({ keepAlive: true, maxSockets: SOCKETS });
  }

  /** @throws TransportError */
  send(request: WireRequest): Promise<WireAnswer> {
    const url = new URL(request.url);
    if (url.protocol !== "https:" && !(url.protocol === "http:" && request.plain))
      return Promise.reject(new TransportError("certificate", url.host, { code: "PLAIN_HTTP", sent: false }));
    return new Promise((resolve, reject) => {
      let sent = false;
      const outgoing = this.#start(url, request);
      const end = (trouble: TransportTrouble, code?: string): void => {
        finish();
        outgoing.destroy();
        reject(new TransportError(trouble, url.host, { code, sent }));
      };
      const onAbort = (): void => end("slow", "ABORTED");
      const timer = setTimeout(() => end("slow", "TIMED_OUT"), LONGEST_REQUEST_MS);
      const finish = (): void => {
        clearTimeout(timer);
        request.signal?.removeEventListener("abort", onAbort);
      };
      const failed = (error: NodeJS.ErrnoException): void =>
        end(CERTIFICATE_CODE.test(error.code ?? "") ? "certificate" : "network", error.code);
      request.signal?.addEventListener("abort", onAbort, { once: true });
      outgoing.on("error", failed);
      // From here on the request may arrive, whatever becomes of the connection.
      const connected = (): void => void (sent = true);
      outgoing.on("socket", (socket: Socket & { readonly secureConnecting?: boolean }) => {
        if (!socket.connecting && socket.secureConnecting !== true) connected();
        else socket.once(url.protocol === "https:" ? "secureConnect" : "connect", connected);
      });
      outgoing.on("response", (incoming) => {
        sent = true;
        const answered = (text: string | undefined): void => {
          finish();
          if (text === undefined) end("foreign", "TOO_LARGE");
          else resolve({ status: incoming.statusCode ?? 0, headers: headersOf(incoming), text });
        };
        read(incoming).then(answered, failed);
      });
      if (request.signal?.aborted === true) onAbort();
      else outgoing.end(request.body);
    });
  }

  /** Ends all connections, also those in use. */
  close(): void {
    this.#agent.destroy();
    this.#plainAgent?.destroy();
  }

  #start(url: URL, request: WireRequest): ClientRequest {
    // Headers are set one by one: those in the options would be printed, the token with them, under NODE_DEBUG=http.
    const outgoing =
      url.protocol === "https:"
        ? this.#https.request(url, {
            method: request.method,
            agent: request.agent ?? this.#agent,
            rejectUnauthorized: true,
            ...(this.#ca === undefined ? {} : { ca: [...this.#ca] }),
          })
        : this.#http.request(url, {
            method: request.method,
            agent: request.agent ?? (this.#plainAgent ??= new this.#http.Agent({ keepAlive: true })),
          });
    for (const [name, value] of Object.entries(request.headers)) outgoing.setHeader(name, value);
    // Answers are small, and one that is packed could grow beyond what is looked at.
    outgoing.setHeader("accept-encoding", "identity");
    return outgoing;
  }
}

/** The text of an answer; `undefined` when it is larger than any that the service gives. */
async function read(incoming: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_ANSWER) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function headersOf(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return headers;
}
