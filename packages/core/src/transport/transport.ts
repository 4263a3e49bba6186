import type { Agent as HttpAgent, ClientRequest, IncomingMessage } from "node:http";
import type { Agent as HttpsAgent, RequestOptions } from "node:https";
import type { Socket } from "node:net";
import { secureOptions, type TlsOptions } from "./tls.ts";

/** The largest answer that is read when nobody says otherwise, in bytes. */
const LARGEST_ANSWER = 4 * 2 ** 20;
/** How long one request may take when no signal ends it before: also those of an SDK that passes no signal on. */
const LONGEST_REQUEST_MS = 30_000;
const SOCKETS = 64;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
const CERTIFICATE_CODE = /CERT|SIGNATURE|SELF_SIGNED|ERR_TLS|ERR_SSL|UNABLE_TO_VERIFY/;

/** The code of a request that was ended because its transport was closed. */
export const CLOSED = "CLOSED";

/** One request as it goes over the wire. */
export interface WireRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
  readonly signal: AbortSignal | undefined;
  /** Plain HTTP is allowed. Without it a request with `http:` is not sent. */
  readonly plain?: boolean | undefined;
  /** An agent that goes through a proxy. */
  readonly agent?: HttpAgent | HttpsAgent | undefined;
}

/** The answer, whole. */
export interface WireAnswer {
  readonly status: number;
  /** Names in lower case; several of one name are joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Why there is no answer: the connection failed, its certificate is not trusted, something else than the service answered, too late, or led elsewhere. */
export type TransportTrouble = "network" | "certificate" | "foreign" | "slow" | "redirect";

/** A request without an answer of the service. Holds neither headers nor bodies. */
export class TransportError extends Error {
  override readonly name = "TransportError";
  readonly trouble: TransportTrouble;
  /** The code of Node (`ECONNREFUSED`), or a word of ours, if there is one. */
  readonly code: string | undefined;
  /** The request may have reached the service: what it asked for may have happened. */
  readonly sent: boolean;
  /** Whom it was sent to, with the port where it is not the usual one. */
  readonly host: string;

  constructor(trouble: TransportTrouble, host: string, details: { readonly code?: string | undefined; readonly sent: boolean }) {
    super(`No answer of the service: ${trouble}`);
    this.trouble = trouble;
    this.host = host;
    this.code = details.code;
    this.sent = details.sent;
  }
}

/** What a transport is made of. */
export interface TransportOptions {
  readonly tls?: TlsOptions | undefined;
  /** The largest answer that is read, in bytes; 4 MiB by default. */
  readonly largestAnswer?: number | undefined;
}

/** Whether an address leads to this machine, where plain HTTP can be heard by nobody else. */
export function isLoopbackAddress(address: string): boolean {
  return LOOPBACK.test(new URL(address).hostname);
}

/**
 * Sends requests, each within its signal and thirty seconds, over connections of its own. No redirect is followed, no answer is unpacked or larger than it may be,
 * and errors and the debug log of Node hold nothing of a request.
 */
export class Transport {
  // Not by import: that touches every export, and one of them loads the whole of undici.
  readonly #http = process.getBuiltinModule("node:http");
  readonly #https = process.getBuiltinModule("node:https");
  readonly #tls: RequestOptions;
  readonly #largestAnswer: number;
  #agent: HttpsAgent | undefined;
  #plainAgent: HttpAgent | undefined;
  readonly #underWay = new Set<() => void>();
  #closed = false;

  /** @throws Error of OpenSSL when a certificate or a key is none, or when the two do not belong together */
  constructor({ tls = {}, largestAnswer = LARGEST_ANSWER }: TransportOptions = {}) {
    this.#tls = secureOptions(tls);
    this.#largestAnswer = largestAnswer;
  }

  /** @throws TransportError */
  send(request: WireRequest): Promise<WireAnswer> {
    const url = new URL(request.url);
    const secure = url.protocol === "https:";
    if (!secure && !(url.protocol === "http:" && request.plain === true))
      return Promise.reject(new TransportError("certificate", url.host, { code: "PLAIN_HTTP", sent: false }));
    if (this.#closed) return Promise.reject(new TransportError("network", url.host, { code: CLOSED, sent: false }));
    return new Promise((resolve, reject) => {
      let sent = false;
      const outgoing = this.#start(url, secure, request);
      const end = (trouble: TransportTrouble, code?: string): void => {
        finish();
        outgoing.destroy();
        reject(new TransportError(trouble, url.host, { code, sent }));
      };
      const onAbort = (): void => end("slow", "ABORTED");
      const onClose = (): void => end("network", CLOSED);
      const timer = setTimeout(() => end("slow", "TIMED_OUT"), LONGEST_REQUEST_MS);
      const finish = (): void => {
        clearTimeout(timer);
        this.#underWay.delete(onClose);
        request.signal?.removeEventListener("abort", onAbort);
      };
      const failed = (error: NodeJS.ErrnoException): void =>
        end(CERTIFICATE_CODE.test(error.code ?? "") ? "certificate" : "network", error.code);
      request.signal?.addEventListener("abort", onAbort, { once: true });
      this.#underWay.add(onClose);
      outgoing.on("error", failed);
      // From here on the request may arrive, whatever becomes of the connection.
      const connected = (): void => void (sent = true);
      outgoing.on("socket", (socket: Socket & { readonly secureConnecting?: boolean }) => {
        if (!socket.connecting && socket.secureConnecting !== true) connected();
        else socket.once(secure ? "secureConnect" : "connect", connected);
      });
      outgoing.on("response", (incoming) => {
        sent = true;
        const answered = (text: string | undefined): void => {
          if (text === undefined) return end("foreign", "TOO_LARGE");
          finish();
          resolve({ status: incoming.statusCode ?? 0, headers: headersOf(incoming), text });
        };
        textOf(incoming, this.#largestAnswer).then(answered, failed);
      });
      if (request.signal?.aborted === true) onAbort();
      else outgoing.end(request.body);
    });
  }

  /** Ends all connections, also those in use, and with them the requests that wait for one. Nothing is sent any more. */
  close(): void {
    this.#closed = true;
    // The agents would open new connections for those that wait.
    for (const end of this.#underWay) end();
    this.#agent?.destroy();
    this.#plainAgent?.destroy();
  }

  #start(url: URL, secure: boolean, { method, headers, agent }: WireRequest): ClientRequest {
    // Headers are set one by one: those in the options would be printed, the token with them, under NODE_DEBUG=http.
    const outgoing = secure
      ? this.#https.request(url, {
          method,
          agent: agent ?? (this.#agent ??= new this.#https.Agent({ keepAlive: true, maxSockets: SOCKETS })),
          ...this.#tls,
        })
      : this.#http.request(url, {
          method,
          agent: agent ?? (this.#plainAgent ??= new this.#http.Agent({ keepAlive: true, maxSockets: SOCKETS })),
        });
    try {
      for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
    } catch (error) {
      // It is on its way to the service already, and nobody would hear what becomes of it.
      outgoing.on("error", () => undefined).destroy();
      throw new TransportError("network", url.host, { code: (error as NodeJS.ErrnoException).code, sent: false });
    }
    // Answers are small, and one that is packed could grow beyond what is looked at.
    outgoing.setHeader("accept-encoding", "identity");
    return outgoing;
  }
}

/** The text of an answer; `undefined` when it is larger than it may be. */
async function textOf(incoming: IncomingMessage, largest: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largest) return undefined;
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
