import { AsyncLocalStorage } from "node:async_hooks";

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
 * The `fetch` that carries requests and tokens: no redirect is followed, only JSON of bounded size is read. Node's own `fetch`, because its debug output
 * (NODE_DEBUG) shows no headers, and so no tokens.
 * @param base where the service is; whatever else is fetched is about credentials
 */
export function guardedFetch(base: string): typeof fetch {
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const trip = url.origin === base ? trips.getStore() : undefined;
    if (trip !== undefined) Object.assign(trip, { sent: true, host: url.host } satisfies Partial<Trip>);
    const { method, headers, body, signal } = init;
    const response = await fetch(url, { redirect: "manual", ...definedOf({ method, headers, body, signal }) });
    const type = response.headers.get("content-type") ?? "";
    if (trip !== undefined) trip.status = response.status;
    if ((response.status >= 300 && response.status < 400) || (trip !== undefined && !/^application\/json\b/i.test(type))) {
      await response.body?.cancel();
      throw new Error(`an answer with status ${response.status} that is not the service's`);
    }
    const bytes = await bounded(response);
    if (trip !== undefined) note(trip, response, bytes);
    return new Response(bytes.length === 0 ? null : bytes, { status: response.status, headers: response.headers });
  };
}

function note(trip: Trip, response: Response, bytes: Uint8Array): void {
  const wait = retryAfterMs(response.headers.get("retry-after"));
  if (wait !== undefined) trip.retryAfterMs = wait;
  const answer = response.ok ? "success" : refusalIn(new TextDecoder().decode(bytes));
  if (answer !== undefined) trip.answer = answer;
}

async function bounded(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > LARGEST_ANSWER) throw new Error("an answer that is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
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

function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

function definedOf<Members extends object>(members: Members): { [Key in keyof Members]?: NonNullable<Members[Key]> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== null)) as {
    [Key in keyof Members]?: NonNullable<Members[Key]>;
  };
}
