import type { CallOptions } from "@coffer/core";
import { Transport, TransportError, type WireAnswer } from "@coffer/core/transport";
import { jsonIn } from "./json.ts";
import { sendWithRetries } from "./retries.ts";
import { invalid, type ServerPlan } from "./server.ts";

/** The largest answer that is read: a version holds less than 1 MiB, and a folder of a million names fits, too. */
const LARGEST_ANSWER = 64 * 2 ** 20;

/** What the SDK hands to the transport that replaces its own: among the rest, whatever a request was given. */
export interface SdkRequest {
  readonly method: string;
  readonly uri: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly call?: CallOptions;
}

/** What it wants back. */
export interface SdkAnswer {
  readonly statusCode: number;
  readonly body: unknown;
  readonly request: { readonly path: string };
}

/**
 * Our transport in the words of the SDK. Its own follows redirects with the token, hears no signal, waits without end, takes its proxies from the environment, and
 * puts token and values into its errors.
 */
export class Wire {
  /** The server, as a message names it. */
  readonly host: string;
  /** How far the server's clock was ahead of ours at the last answer, to the second. */
  clockAheadMs = 0;
  readonly #transport: Transport;
  readonly #retries: number;
  /** How far the server was with the last write: a standby that is not there yet says so, instead of answering with what was before. */
  #index: string | undefined;

  /** @throws DriverError `invalid_settings` */
  constructor({ address, tls, retries }: ServerPlan) {
    this.host = new URL(address).host;
    this.#retries = retries;
    try {
      this.#transport = new Transport({ tls, largestAnswer: LARGEST_ANSWER });
    } catch {
      throw invalid(
        "The certificates and the key of the settings are not what they should be.",
        "Check ca_file, client_cert_file and client_key_file: PEM, without a passphrase, the key that of the certificate.",
      );
    }
  }

  /** @throws TransportError */
  async carry({ method, uri, headers, json, call }: SdkRequest): Promise<SdkAnswer> {
    const body = typeof json === "object" ? JSON.stringify(json) : undefined;
    const sent = await sendWithRetries(
      (request) => this.#transport.send(request),
      {
        url: uri,
        method,
        headers: {
          ...headers,
          // Agents and proxies that ask for this header keep out those who can be made to send a request, but not with headers.
          "X-Vault-Request": "true",
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          ...(this.#index === undefined ? {} : { "X-Vault-Index": this.#index }),
        },
        body,
        signal: call?.signal,
        // Where that was not meant, the settings were refused.
        plain: true,
      },
      { retries: this.#retries, deadline: call?.deadline ?? performance.now() },
    );
    const answer = answerIn(sent, this.host);
    const told = Date.parse(answer.headers["date"] ?? "");
    if (!Number.isNaN(told)) this.clockAheadMs = told - Date.now();
    if (method !== "GET") this.#index = answer.headers["x-vault-index"] ?? this.#index;
    // Of a path with sys/health in it the SDK would take errors for success, and a secret can have such a name.
    return { statusCode: answer.status, body: answer.body, request: { path: "" } };
  }

  /** Ends all connections, also those in use. */
  close(): void {
    this.#transport.close();
  }
}

/** An answer of the service, its JSON read; `undefined` where there was none to read. */
export interface VaultAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/**
 * What the service says: JSON, or nothing at all. Anything else is a proxy, a sign-in page, or cut off.
 * @throws TransportError
 */
export function answerIn({ status, headers, text }: WireAnswer, host: string): VaultAnswer {
  const code = `STATUS_${status}`;
  // Whoever sends a request elsewhere has not carried it out.
  if (status >= 300 && status < 400) throw new TransportError("redirect", host, { code, sent: false });
  const body = jsonIn(text);
  if (body !== undefined) return { status, headers, body };
  // A gateway that fails or throttles tells so in its own way, and it is true.
  if (status >= 500 || status === 429 || (text === "" && (status === 204 || status >= 400))) return { status, headers, body };
  throw new TransportError("foreign", host, { code, sent: true });
}
