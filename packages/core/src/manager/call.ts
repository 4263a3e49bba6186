import type { CallOptions, SecretScope } from "../spec.ts";

/** How long an operation may take when nobody says otherwise. */
export const DEFAULT_TIMEOUT_MS = 30_000;

// The longest time that a timer of Node can wait.
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** What every method of a manager takes. */
export interface RequestOptions {
  /** Gives up when it aborts; the error has the code `aborted`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds until the whole operation must be over, with all its requests; 30,000 unless the manager says otherwise. An operation on many
   * secrets (a listing, a history, `getSecrets`, `deleteAllSecrets`) has this time for each of its steps: a page, a batch, a secret.
   * A `signal` bounds it as a whole.
   */
  readonly timeoutMs?: number | undefined;
}

/** Why an operation must stop. */
export type Ending = "timeout" | "aborted";

type Watcher = (reason: Ending) => void;

/**
 * One operation of a manager: its deadline and its signal, shared by all requests that it takes. Both are made when a driver first asks for them:
 * a driver that answers at once (a local file) pays for neither.
 */
export class Call {
  readonly scope: SecretScope;
  readonly timeoutMs: number;
  readonly userSignal: AbortSignal | undefined;
  #end: number;
  #deadline: number | undefined;
  #controller: AbortController | undefined;
  #ended: Ending | undefined;
  // Nearly every call has one: a set is made for the others.
  #watcher: Watcher | undefined;
  #watchers: Set<Watcher> | undefined;

  constructor(scope: SecretScope, options: RequestOptions, defaultTimeoutMs: number) {
    this.scope = scope;
    this.timeoutMs = Math.min(options.timeoutMs ?? defaultTimeoutMs, LONGEST_TIMEOUT_MS);
    if (!(this.timeoutMs > 0)) throw new TypeError("timeoutMs is a number of milliseconds greater than 0.");
    this.#end = monotonic() + this.timeoutMs;
    this.userSignal = options.signal;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#ended !== undefined) this.#controller.abort(reasonOf(this.#ended));
    return this.#controller.signal;
  }

  /** When the operation must be over, on the clock that drivers look at. */
  get deadline(): number {
    return (this.#deadline ??= performance.now() + this.remaining);
  }

  /** Milliseconds that the operation still has; less than nothing when its time is over. */
  get remaining(): number {
    return this.#end - monotonic();
  }

  /** Why the operation must stop, if it must. */
  get ended(): Ending | undefined {
    if (this.#ended === undefined) {
      if (this.userSignal?.aborted === true) this.end("aborted");
      else if (this.remaining <= 0) this.end("timeout");
    }
    return this.#ended;
  }

  /** Ends everything that is under way in this operation. */
  end(reason: Ending): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#controller?.abort(reasonOf(reason));
    this.#watcher?.(reason);
    for (const watcher of this.#watchers ?? []) watcher(reason);
  }

  /** Tells `watcher` when the operation ends. */
  watch(watcher: Watcher): void {
    if (this.#watcher === undefined) this.#watcher = watcher;
    else (this.#watchers ??= new Set()).add(watcher);
  }

  unwatch(watcher: Watcher): void {
    if (this.#watcher === watcher) this.#watcher = undefined;
    else this.#watchers?.delete(watcher);
  }

  /** Gives the next step of a long operation the whole time again. */
  restart(): void {
    this.#end = monotonic() + this.timeoutMs;
    this.#deadline = undefined;
  }

  /** The same operation, with the same time, in the name space of another manager. */
  inScope(scope: SecretScope): Call {
    if (scope === this.scope) return this;
    const call = new Call(scope, { signal: this.userSignal, timeoutMs: this.timeoutMs }, this.timeoutMs);
    call.#end = this.#end;
    return call;
  }

  /** A step of a long operation that runs beside others and has its own time. */
  step(): Call {
    return new Call(this.scope, { signal: this.userSignal, timeoutMs: this.timeoutMs }, this.timeoutMs);
  }
}

function reasonOf(ending: Ending): DOMException {
  return ending === "timeout"
    ? new DOMException("The operation was aborted due to timeout", "TimeoutError")
    : new DOMException("This operation was aborted", "AbortError");
}

/** The clock of `performance`, which is not asked itself: the first look at that global loads modules, for longer than a whole local read takes. */
export function monotonic(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/**
 * The options of one call of a driver: those of the operation, and what this call adds. Each gets an id of its own, because the id becomes the
 * idempotency token of a write: a change that is repeated on newer content is another write.
 */
export function callWith<Extra extends object>(call: Call, extra: Extra): CallOptions & Extra {
  let operationId: string | undefined;
  return {
    ...extra,
    scope: call.scope,
    get deadline() {
      return call.deadline;
    },
    get signal() {
      return call.signal;
    },
    get operationId() {
      return (operationId ??= crypto.randomUUID());
    },
  };
}

/** Waits, but no longer than the operation may take. */
export async function pause(milliseconds: number, call: Call): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      call.userSignal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, Math.min(milliseconds, call.remaining)));
    call.userSignal?.addEventListener("abort", done, { once: true });
  });
}
