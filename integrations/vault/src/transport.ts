import type { ClientRequest, IncomingMessage } from "node:http";
import type * as Https from "node:https";
import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";

/** The largest answer that is read: a version holds less than 1 MiB, and a folder of a million names fits, too. */
const LARGEST_ANSWER = 64 * 2 ** 20;
/** How long one request may take when nobody says otherwise. */
const LONGEST_REQUEST_MS = 30_000;
const SOCKETS = 64;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;
const CERTIFICATE_CODE = /CERT|SIGNATURE|SELF_SIGNED|ERR_TLS|ERR_SSL|UNABLE_TO_VERIFY/;

/** One request as it goes over the wire. */
export interface WireRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** An answer of the service, whole, its JSON read; `undefined` where there was none to read. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** How a connection proves itself, and whom it trusts. Texts in PEM. */
export interface TlsOptions {
  readonly ca?: readonly string[] | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly serverName?: string | undefined;
  /** Any certificate will do. */
  readonly skipVerify?: boolean | undefined;
}

/** Why there is no answer: the connection failed, its certificate is not trusted, something else than the service answered, or it led elsewhere. */
export type TransportTrouble = "network" | "certificate" | "foreign" | "slow" | "redirect";

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

/** Whether an address leads to this machine, where plain HTTP can be heard by nobody else. */
export function isLoopback(address: string): boolean {
  return LOOPBACK.test(new URL(address).hostname);
}

/**
 * Carries the requests of the SDK. Its own transport follows redirects with the token, hears no signal, waits without end, takes its proxies from the environment,
 * and puts token and values into its errors.
 */
export class Transport {
  /** The server, as a message names it. */
  readonly host: string;
  /** How far the server's clock was ahead of ours at the last answer, to the second. */
  clockAheadMs = 0;
  readonly #secure: boolean;
  readonly #module: typeof Https;
  readonly #agent: Https.Agent;
  readonly #tls: Https.RequestOptions;

  /** @throws Error of OpenSSL when a certificate or a key is none, or when the two do not belong together */
  constructor(address: string, tls: TlsOptions = {}) {
    const { host, protocol } = new URL(address);
    const secure = protocol === "https:";
    this.host = host;
    this.#secure = secure;
    // Both have functions of the same names. Not by import: that touches every export, and one of them loads the whole of undici.
    this.#module = (secure ? process.getBuiltinModule("node:https") : process.getBuiltinModule("node:http")) as typeof Https;
    this.#agent = new this.#module.Agent({ keepAlive: true, maxSockets: SOCKETS });
    this.#tls = secure ? tlsOptions(tls) : {};
  }

  /** @throws TransportError */
  send(request: WireRequest): Promise<WireAnswer> {
    const { host } = new URL(request.url);
    return new Promise((resolve, reject) => {
      let sent = false;
      const outgoing = this.#start(request);
      const end = (trouble: TransportTrouble, code?: string): void => {
        finish();
        outgoing.destroy();
        reject(new TransportError(trouble, host, { code, sent }));
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
      outgoing.on("socket", (socket: Socket & { readonly secureConnecting?: boolean }) => {
        const connected = (): void => void (sent = true);
        if (!socket.connecting && socket.secureConnecting !== true) connected();
        else socket.once(this.#secure ? "secureConnect" : "connect", connected);
      });
      outgoing.on("response", (incoming) => {
        sent = true;
        const answered = (text: string | undefined): void => {
          const answer = text === undefined ? "foreign" : read(incoming, text);
          if (typeof answer === "string") return end(answer, text === undefined ? "TOO_LARGE" : `STATUS_${incoming.statusCode}`);
          finish();
          const told = Date.parse(answer.headers["date"] ?? "");
          if (!Number.isNaN(told)) this.clockAheadMs = told - Date.now();
          resolve(answer);
        };
        wholeText(incoming).then(answered, failed);
      });
      if (request.signal?.aborted === true) onAbort();
      else outgoing.end(request.body);
    });
  }

  /** Ends all connections, also those in use. */
  close(): void {
    this.#agent.destroy();
  }

  #start(request: WireRequest): ClientRequest {
    const outgoing = this.#module.request(request.url, { method: request.method, agent: this.#agent, ...this.#tls });
    // Headers are set one by one: those in the options would be printed, the token with them, under NODE_DEBUG=http.
    for (const [name, value] of Object.entries(request.headers)) outgoing.setHeader(name, value);
    // Agents and proxies that ask for this header keep out those who can be made to send a request, but not with headers.
    outgoing.setHeader("x-vault-request", "true");
    outgoing.setHeader("accept-encoding", "identity");
    if (request.body !== undefined) outgoing.setHeader("content-type", "application/json");
    return outgoing;
  }
}

function tlsOptions({
  ca,
  cert,
  key,
  serverName,
  skipVerify = false,
}: TlsOptions): Https.RequestOptions & { readonly secureContext: SecureContext } {
  const tls = process.getBuiltinModule("node:tls");
  return {
    rejectUnauthorized: !skipVerify,
    // Given one by one, the key of the client would become part of the name by which connections are told apart, which NODE_DEBUG=http prints.
    secureContext: tls.createSecureContext({
      ...(ca === undefined ? {} : { ca: [...tls.getCACertificates("default"), ...ca] }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

/** The text of an answer; `undefined` when it is larger than any that the service gives. */
async function wholeText(incoming: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_ANSWER) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** What the service says: JSON, or nothing at all. Anything else is a proxy, a sign-in page, or cut off. */
function read(incoming: IncomingMessage, text: string): WireAnswer | "redirect" | "foreign" {
  const status = incoming.statusCode ?? 0;
  if (status >= 300 && status < 400) return "redirect";
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  if (text === "") return status === 204 || status >= 400 ? { status, headers, body: undefined } : "foreign";
  try {
    const body: unknown = JSON.parse(text, exactNumbers);
    return typeof body === "object" && body !== null ? { status, headers, body } : "foreign";
  } catch {
    // A gateway that fails tells so in its own way, and that the service is not there is true.
    return status >= 500 ? { status, headers, body: undefined } : "foreign";
  }
}

// Node 22 has it; the es2024 library of TypeScript does not know it yet.
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** Keeps a number that a double cannot hold as it is written: other tools store 64-bit ids as numbers. */
function exactNumbers(this: unknown, _key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || context?.source === undefined || String(value) === context.source) return value;
  return rawJSON(context.source);
}
