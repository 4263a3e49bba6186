/** Trouble that every emulator can make. Each lasts until `heal`, unless it counts. */
export type Fault =
  /** So many requests are throttled, in the service's own words; `retryAfterSeconds` adds the header that says how long to wait. */
  | { readonly kind: "throttle"; readonly times: number; readonly retryAfterSeconds?: number }
  /**
   * Every request is refused for lack of permission; with `name`, those about this secret alone (the name as it stands in the service), with `permission`,
   * those that need it alone (as the service calls it in its refusal).
   */
  | { readonly kind: "deny"; readonly name?: string; readonly permission?: string }
  /** The credential is not accepted. */
  | { readonly kind: "unauthenticated" }
  /** So many requests fail on the side of the service. */
  | { readonly kind: "broken"; readonly times: number }
  /** Requests are taken and never answered. */
  | { readonly kind: "hang" }
  /** Answers come one byte at a time, so many milliseconds apart. */
  | { readonly kind: "drip"; readonly everyMs: number }
  /** The connection breaks before the request is looked at; so many times. */
  | { readonly kind: "reset_before"; readonly times: number }
  /** The next write is carried out, then the connection breaks instead of the answer; so many times. */
  | { readonly kind: "reset_after_write"; readonly times: number }
  /** A proxy answers with a page of HTML and status 200, or 502. */
  | { readonly kind: "html"; readonly status: 200 | 502 }
  /** The answer is cut in the middle of its JSON. */
  | { readonly kind: "cut_json" }
  /** The answer is so many bytes of something else. */
  | { readonly kind: "huge"; readonly bytes: number }
  /** Every request is answered with a redirect to this address. */
  | { readonly kind: "redirect"; readonly to: string; readonly status: 301 | 302 | 307 | 308 }
  /** The page of a listing with this number, counted from 1, fails. */
  | { readonly kind: "fail_page"; readonly page: number }
  /** Every page of a listing names the same next page. */
  | { readonly kind: "repeat_token" }
  /** Writes are refused with an error text that repeats the request, header of the credential included. */
  | { readonly kind: "echo" };

type Kind = Fault["kind"];
type Counted = Extract<Fault, { readonly times: number }>;

/** The faults that are switched on. */
export class Faults {
  readonly #active = new Map<Kind, Fault>();

  /** Switches a fault on; one of the same kind is replaced. */
  inject(fault: Fault): void {
    this.#active.set(fault.kind, fault);
  }

  /** Ends all of them. */
  heal(): void {
    this.#active.clear();
  }

  /** The fault, if it is on. Those that count are not used up by looking. */
  get<Wanted extends Kind>(kind: Wanted): Extract<Fault, { kind: Wanted }> | undefined {
    return this.#active.get(kind) as Extract<Fault, { kind: Wanted }> | undefined;
  }

  /** The fault, if it is on, counted down by one. */
  take<Wanted extends Counted["kind"]>(kind: Wanted): Extract<Counted, { kind: Wanted }> | undefined {
    const fault = this.#active.get(kind) as Extract<Counted, { kind: Wanted }> | undefined;
    if (fault === undefined || fault.times <= 0) return undefined;
    this.#active.set(kind, { ...fault, times: fault.times - 1 });
    return fault;
  }
}
