import type { IncomingMessage } from "node:http";

/** A request as it goes over the wire. */
export interface WireRequest {
  readonly method: string;
  readonly headers: Headers;
  readonly body: string | Uint8Array | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Sends one request with Node's client of HTTP, over its connections that stay open, and answers as soon as there is a status. Node's `fetch` first compiles a
 * parser and loads its streams, which for the one request of a command takes longer than the request.
 * @throws whatever the connection fails with; after an abort the reason of the signal
 */
export function exchange(url: URL, { method, headers, body, signal }: WireRequest): Promise<IncomingMessage> {
  // Not by import: that touches every export, and some of them load much more.
  const { request } = process.getBuiltinModule(url.protocol === "https:" ? "node:https" : "node:http");
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, ...(signal === undefined ? {} : { signal }) });
    // One by one: what is handed over with the request is what NODE_DEBUG=http prints.
    for (const [name, value] of headers) outgoing.setHeader(name, value);
    // A packed answer could grow beyond what is looked at.
    outgoing.setHeader("accept-encoding", "identity");
    outgoing.once("response", resolve);
    // It may fail more than once.
    outgoing.on("error", (error) => reject(reasonOf(signal) ?? error));
    outgoing.end(body);
  });
}

/**
 * The whole of an answer.
 * @param most the largest size that is read, in bytes
 * @throws whatever the connection fails with; after an abort the reason of the signal
 */
export async function bytesOf(incoming: IncomingMessage, signal: AbortSignal | undefined, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > most) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw reasonOf(signal) ?? error;
  }
  if (size > most) throw new Error("an answer that is too large");
  return Buffer.concat(chunks);
}

function reasonOf(signal: AbortSignal | undefined): Error | undefined {
  return signal?.aborted === true ? (signal.reason as Error) : undefined;
}
