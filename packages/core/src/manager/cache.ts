import { SecretsError } from "../errors/secrets-error.ts";
import type { Secret } from "../secret/secret.ts";

/** How long a manager may answer reads from memory. All times in milliseconds. */
export interface CacheOptions {
  /** How long a secret that was read is good. */
  readonly ttlMs: number;
  /** How long "does not exist" is good; 0, which is the default, asks the service every time. */
  readonly notFoundTtlMs?: number;
  /** The age up to which a secret is still handed out when the service is unavailable, slow or throttling; 0 by default: never. */
  readonly staleIfErrorMs?: number;
}

type Answer = Secret<unknown> | undefined;

interface Entry {
  readonly secret: Answer;
  readonly freshUntil: number;
  readonly keptUntil: number;
}

/** A read that several callers wait for. */
interface Flight {
  answer: Promise<Answer>;
  readonly abort: AbortController;
  waiting: number;
  /** A read that began before a write may answer after it: its result is not kept. */
  outdated: boolean;
}

const SERVED_STALE_ON: ReadonlySet<string> = new Set(["unavailable", "timeout", "throttled"]);

/**
 * Remembers what was read, by name and schema. Concurrent reads of one secret share one request. It holds secrets in memory longer than a read
 * does, so it is off unless asked for; what is too old to be handed out is dropped with the next read. Times run on the monotonic clock.
 */
export class SecretCache {
  readonly #options: Required<CacheOptions>;
  readonly #entries = new Map<string, Map<unknown, Entry>>();
  readonly #flights = new Map<string, Map<unknown, Flight>>();
  #nextSweep = 0;

  constructor(options: CacheOptions) {
    this.#options = { notFoundTtlMs: 0, staleIfErrorMs: 0, ...options };
  }

  /** The secret if it is fresh. */
  fresh(name: string, kind: unknown): Answer {
    const entry = this.#entries.get(name)?.get(kind);
    return entry !== undefined && entry.freshUntil > performance.now() ? entry.secret : undefined;
  }

  /**
   * The secret from memory, from a read that is already under way, or by `read`; `undefined` when it does not exist.
   * @param read asks the service; its signal aborts when nobody waits for the answer any more
   * @param how `ask`: the service is asked in any case; `wait`: how the caller waits, to give up earlier than the read that is shared
   */
  async get(
    name: string,
    kind: unknown,
    read: (signal: AbortSignal) => Promise<Answer>,
    how: { readonly ask?: boolean; readonly wait?: (answer: () => Promise<Answer>) => Promise<Answer> } = {},
  ): Promise<Answer> {
    const entry = this.#entries.get(name)?.get(kind);
    if (how.ask !== true && entry !== undefined && entry.freshUntil > performance.now()) return entry.secret;
    let flight: Flight | undefined;
    const answer = (): Promise<Answer> => {
      const flying = this.#flights.get(name)?.get(kind);
      // What is asked for now must not be answered by a read that began earlier, nor be replaced by it.
      if (how.ask === true && flying !== undefined) this.#abandon(name, kind, flying);
      flight = (how.ask === true ? undefined : flying) ?? this.#start(name, kind, read);
      flight.waiting += 1;
      return flight.answer;
    };
    try {
      return await (how.wait === undefined ? answer() : how.wait(answer));
    } catch (error) {
      // Not after a write: then it is gone from here.
      const servable = entry?.secret !== undefined && performance.now() < entry.keptUntil && this.#entries.get(name)?.get(kind) === entry;
      if (how.ask !== true && servable && SecretsError.isInstance(error) && SERVED_STALE_ON.has(error.code)) return entry.secret;
      throw error;
    } finally {
      if (flight !== undefined) this.#leave(name, kind, flight);
    }
  }

  /** Forgets one name, because it was written, or everything. */
  forget(name?: string): void {
    if (name === undefined) {
      for (const known of [...this.#entries.keys(), ...this.#flights.keys()]) this.forget(known);
      return;
    }
    this.#entries.delete(name);
    for (const [kind, flight] of this.#flights.get(name) ?? []) this.#abandon(name, kind, flight);
  }

  #start(name: string, kind: unknown, read: (signal: AbortSignal) => Promise<Answer>): Flight {
    const abort = new AbortController();
    const flight: Flight = { abort, waiting: 0, outdated: false, answer: Promise.resolve(undefined) };
    flight.answer = this.#fly(flight, name, kind, read);
    inner(this.#flights, name).set(kind, flight);
    return flight;
  }

  async #fly(flight: Flight, name: string, kind: unknown, read: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    try {
      const secret = await read(flight.abort.signal);
      if (!flight.outdated) this.#keep(name, kind, secret);
      return secret;
    } finally {
      this.#abandon(name, kind, flight);
    }
  }

  #keep(name: string, kind: unknown, secret: Answer): void {
    const { ttlMs, notFoundTtlMs, staleIfErrorMs } = this.#options;
    const now = performance.now();
    if (now >= this.#nextSweep) {
      for (const [known, kinds] of this.#entries) {
        for (const [key, { keptUntil }] of kinds) if (keptUntil <= now) kinds.delete(key);
        if (kinds.size === 0) this.#entries.delete(known);
      }
      this.#nextSweep = now + Math.max(ttlMs, notFoundTtlMs, staleIfErrorMs);
    }
    const ttl = secret === undefined ? notFoundTtlMs : ttlMs;
    inner(this.#entries, name).set(kind, { secret, freshUntil: now + ttl, keptUntil: now + Math.max(ttl, staleIfErrorMs) });
  }

  /** Nobody joins this read any more, and what it answers is for those alone who wait for it. */
  #abandon(name: string, kind: unknown, flight: Flight): void {
    flight.outdated = true;
    const flights = this.#flights.get(name);
    if (flights?.get(kind) === flight) flights.delete(kind);
    if (flights?.size === 0) this.#flights.delete(name);
  }

  #leave(name: string, kind: unknown, flight: Flight): void {
    flight.waiting -= 1;
    if (flight.waiting > 0) return;
    this.#abandon(name, kind, flight);
    flight.abort.abort();
  }
}

function inner<Value>(outer: Map<string, Map<unknown, Value>>, name: string): Map<unknown, Value> {
  let map = outer.get(name);
  if (map === undefined) outer.set(name, (map = new Map()));
  return map;
}
