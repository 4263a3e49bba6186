import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { Faults } from "./faults.ts";

/** A request as an emulator sees it. */
export interface LoopbackRequest {
  readonly method: string;
  /** The path as it came over the wire, undecoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface LoopbackAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** The request has changed something: after it the connection can break instead of the answer. */
  readonly wrote?: boolean;
}

/** What a service does with one request. Throttling, refusals and pages are said in the service's own words, so they are its own. */
export type LoopbackHandler = (request: LoopbackRequest) => LoopbackAnswer | Promise<LoopbackAnswer>;

export interface LoopbackOptions {
  /** What counts as one operation in `requests` (`GetSecretValue`, `GET /secrets/{name}`); method and path by default. */
  readonly label?: (request: LoopbackRequest) => string;
  /** Speak TLS with this certificate; the port and the address stay those of loopback. With `clientCa` only clients with a certificate of that authority come in. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly clientCa?: string };
  /** Milliseconds that every answer takes on its way. */
  readonly latencyMs?: number;
}

/** A server on a free port of loopback, with the faults that are the same for every service that speaks HTTP. */
export class LoopbackServer {
  readonly faults = new Faults();
  /** How many requests of each operation have arrived. */
  readonly requests = new Map<string, number>();
  /** How many requests were being answered at the same time, at most. */
  mostAtOnce = 0;
  latencyMs: number;
  readonly #handler: LoopbackHandler;
  readonly #options: LoopbackOptions;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #port = 0;
  #atOnce = 0;

  private constructor(handler: LoopbackHandler, options: LoopbackOptions) {
    this.#handler = handler;
    this.#options = options;
    this.latencyMs = options.latencyMs ?? 0;
    const listener = (request: IncomingMessage, response: ServerResponse): void => void this.#answer(request, response);
    this.#server = options.tls === undefined ? createServer(listener) : createTlsServer(tlsOptions(options.tls), listener);
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(handler: LoopbackHandler, options: LoopbackOptions = {}): Promise<LoopbackServer> {
    const server = new LoopbackServer(handler, options);
    await server.#listen(0);
    return server;
  }

  /** The address, without a slash at its end. */
  get url(): string {
    return `${this.#options.tls === undefined ? "http" : "https"}://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** How many requests have arrived in all, or of one operation. */
  count(label?: string): number {
    if (label !== undefined) return this.requests.get(label) ?? 0;
    return [...this.requests.values()].reduce((sum, times) => sum + times, 0);
  }

  /** Counts a request as being answered, also one of another front on the same service, until what it returns is called. */
  underWay(): () => void {
    this.#atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce);
    let over = false;
    return () => {
      if (!over) this.#atOnce -= 1;
      over = true;
    };
  }

  /** Forgets what was counted. */
  resetCounts(): void {
    this.requests.clear();
    this.mostAtOnce = 0;
  }

  /** Connections are refused from now on; what the service holds stays. */
  async disconnect(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    });
  }

  /** Takes connections again, on the same port. */
  async reconnect(): Promise<void> {
    await this.#listen(this.#port);
  }

  async stop(): Promise<void> {
    if (this.#server.listening) await this.disconnect();
  }

  async #listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, "127.0.0.1", () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("close", this.underWay());
    try {
      const request = await received(incoming);
      const label = this.#options.label?.(request) ?? `${request.method} ${request.path}`;
      this.requests.set(label, (this.requests.get(label) ?? 0) + 1);
      if (this.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, this.latencyMs));
      if (this.faults.take("reset_before") !== undefined) return void incoming.socket.destroy();
      if (this.faults.get("hang") !== undefined) return;
      const answer = this.#foreign() ?? (await this.#handler(request));
      if (answer.wrote === true && this.faults.take("reset_after_write") !== undefined) return void incoming.socket.destroy();
      await this.#send(response, answer);
    } catch (error) {
      // A bug of the emulator must not look like an answer of the service.
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
      incoming.socket.destroy();
    }
  }

  /** What something else than the service would answer in its place. */
  #foreign(): LoopbackAnswer | undefined {
    const html = this.faults.get("html");
    if (html !== undefined)
      return {
        status: html.status,
        headers: { "content-type": "text/html" },
        body: "<!doctype html><html><body><h1>Please sign in</h1></body></html>",
      };
    const redirect = this.faults.get("redirect");
    if (redirect !== undefined) return { status: redirect.status, headers: { location: redirect.to } };
    const huge = this.faults.get("huge");
    if (huge !== undefined)
      return { status: 200, headers: { "content-type": "application/octet-stream" }, body: Buffer.alloc(huge.bytes, "x") };
    return undefined;
  }

  async #send(response: ServerResponse, answer: LoopbackAnswer): Promise<void> {
    const whole = Buffer.from(answer.body ?? "");
    const cut = this.faults.get("cut_json") !== undefined;
    const body = cut ? whole.subarray(0, Math.max(1, Math.floor(whole.length / 2))) : whole;
    response.writeHead(answer.status, { ...answer.headers, "content-length": String(body.length) });
    const drip = this.faults.get("drip");
    if (drip === undefined) return void response.end(body);
    for (let at = 0; at < body.length && !response.destroyed; at += 1) {
      response.write(body.subarray(at, at + 1));
      await new Promise((resolve) => setTimeout(resolve, drip.everyMs));
    }
    response.end();
  }
}

function tlsOptions({ key, cert, clientCa }: NonNullable<LoopbackOptions["tls"]>): ServerOptions {
  return clientCa === undefined ? { key, cert } : { key, cert, ca: clientCa, requestCert: true, rejectUnauthorized: true };
}

async function received(incoming: IncomingMessage): Promise<LoopbackRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const [path = "", query = ""] = (incoming.url ?? "").split("?", 2);
  return { method: incoming.method ?? "", path, query: new URLSearchParams(query), headers: incoming.headers, body: Buffer.concat(chunks) };
}
