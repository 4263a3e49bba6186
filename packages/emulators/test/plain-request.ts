import { type IncomingHttpHeaders, request as httpRequest } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { buffer } from "node:stream/consumers";

/** What a plain request may carry. */
export interface PlainRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is, anything else as JSON. */
  readonly body?: unknown;
  /** What a client trusts and proves itself with, for TLS. */
  readonly tls?: Pick<RequestOptions, "ca" | "cert" | "key">;
}

/** What came back. */
export interface PlainAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends a request with the path byte for byte: `fetch` would tidy up what a test wants to be refused. */
export async function plainRequest(
  origin: string,
  path: string,
  { method = "GET", headers = {}, body, tls }: PlainRequest = {},
): Promise<PlainAnswer> {
  const { protocol, hostname, port } = new URL(origin);
  const request = protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers, agent: false, ...tls }, (incoming) => {
      buffer(incoming).then(
        (bytes) => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text: bytes.toString("utf8") }),
        reject,
      );
    });
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body));
  });
}
