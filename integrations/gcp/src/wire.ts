import { AsyncLocalStorage } from "node:async_hooks";
import type { IncomingMessage } from "node:http";
import { bytesOf, exchange } from "./exchange.ts";

/** What became of one request on its way, as far as it was seen. SDK errors tell it in other words in each of their versions, or not at all. */
export interface Trip {
  /** The request was handed to the network. */
  sent: boolean;
  /** Whom it was sent to, with the port where it is not the usual one. */
  host?: string;
  /** The HTTP status of the answer. */
  status?: number;
  /** The answer is in the service's own form; a refusal carries what it says. */
  answer?: ServiceRefusal | "success";
  /** How long the answer asks to wait, in milliseconds. */
  retryAfterMs?: number;
}

/** A refusal in the JSON form that all Google APIs share. */
export interface ServiceRefusal {
  /** The canonical status: `NOT_FOUND`. */
  readonly status: string;
  readonly message: string;
  /** The reason in the `ErrorInfo` beside it: `SERVICE_DISABLED`. */
  readonly reason?: string | undefined;
}

// More than the largest page of a listing, and little enough for any machine.
const LARGEST_ANSWER = 64 * 1024 * 1024;

const trips = new AsyncLocalStorage<Trip>();

/** Runs a call of the SDK, and sees the trip of its request. */
export function withTrip<Result>(trip: Trip, run: () => Promise<Result>): Promise<Result> {
  return trips.run(trip, run);
}

/**
 * The `fetch` that carries requests and tokens: no redirect is followed, only JSON of bounded size is read, and debug output (NODE_DEBUG) shows no headers, and
 * so no tokens.
 * @param base where the service is; whatever else is fetched is about credentials
 */
export function guardedFetch(base: string): typeof fetch {
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const trip = url.origin === base ? trips.getStore() : undefined;
    const headers = new Headers(init.headers);
    const body = await bodyOf(init.body, headers);
    const signal = init.signal ?? undefined;
    if (trip !== undefined) Object.assign(trip, { sent: true, host: url.host } satisfies Partial<Trip>);
    const incoming = await exchange(url, { method: init.method ?? "GET", headers, body, signal });
    const { statusCode: status = 0 } = incoming;
    if (trip !== undefined) trip.status = status;
    const isJson = /^application\/json\b/i.test(incoming.headers["content-type"] ?? "");
    if ((status >= 300 && status < 400) || (trip !== undefined && !isJson)) {
      incoming.destroy();
      throw new Error(`an answer with status ${status} that is not the service's`);
    }
    const bytes = await bytesOf(incoming, signal, LARGEST_ANSWER);
    if (trip !== undefined) note(trip, incoming, bytes);
    return new Response(bytes.length === 0 ? null : bytes, { status, headers: headersOf(incoming) });
  };
}

/** What is no text is packed as `fetch` would, with the type that goes with it. */
async function bodyOf(body: RequestInit["body"], headers: Headers): Promise<string | Uint8Array | undefined> {
  if (body === undefined || body === null) return undefined;
  if (typeof body === "string" || body instanceof Uint8Array) return body;
  const packed = new Response(body);
  const type = packed.headers.get("content-type");
  if (type !== null && !headers.has("content-type")) headers.set("content-type", type);
  return new Uint8Array(await packed.arrayBuffer());
}

function headersOf({ headersDistinct }: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(headersDistinct)) for (const value of values) headers.append(name, value);
  return headers;
}

function note(trip: Trip, { statusCode = 0, headers }: IncomingMessage, bytes: Uint8Array): void {
  const wait = retryAfterMs(headers["retry-after"]);
  if (wait !== undefined) trip.retryAfterMs = wait;
  const answer = statusCode < 300 ? "success" : refusalIn(new TextDecoder().decode(bytes));
  if (answer !== undefined) trip.answer = answer;
}

/** The refusal in a body; `undefined` when it is not in the form of the service. */
export function refusalIn(text: unknown): ServiceRefusal | undefined {
  const json = typeof text === "string" ? parsed(text) : text;
  const error = property(json, "error");
  const status = property(error, "status");
  if (typeof status !== "string" || !/^[A-Z_]{1,40}$/.test(status)) return undefined;
  const message = property(error, "message");
  const details = property(error, "details");
  const info = Array.isArray(details)
    ? details.find((detail) => String(property(detail, "@type")).endsWith("google.rpc.ErrorInfo"))
    : undefined;
  const reason = property(info, "reason");
  return { status, message: typeof message === "string" ? message : "", reason: typeof reason === "string" ? reason : undefined };
}

/** A member of something unknown, whatever it is. */
export function property(value: unknown, name: string | symbol): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string | symbol, unknown>)[name] : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}
