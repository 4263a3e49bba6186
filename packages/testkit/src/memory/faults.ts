import { randomUUID } from "node:crypto";
import type { Operation, SecretRecord } from "@coffer/core";
import { encodePayload } from "@coffer/core";
import { MemoryServiceError } from "./errors.ts";

/** Trouble that the memory service can make. It lasts until `heal`, unless it says otherwise. */
export type MemoryFault =
  /** Every request is refused for lack of permission; with `name` only those about that secret. */
  | { readonly kind: "deny"; readonly name?: string }
  /** The credential is refused. */
  | { readonly kind: "unauthenticated" }
  /** The connection is refused: no request arrives. */
  | { readonly kind: "unreachable" }
  /** So many requests are throttled, then it is over; without `times` all of them. */
  | { readonly kind: "throttle"; readonly times?: number }
  /** Requests arrive and are never answered, whatever the signal says. */
  | { readonly kind: "hang" }
  /** The page of a listing with this number, counted from 1, fails. */
  | { readonly kind: "fail_page"; readonly page: number }
  /** The next write is carried out, then the connection breaks before the answer arrives. */
  | { readonly kind: "lose_answer" }
  /** Writes are refused, and the service's own error text repeats the record that was sent. */
  | { readonly kind: "echo" }
  /** A proxy answers in place of the service: a page of HTML with status 404. */
  | { readonly kind: "garble" };

/** One request, as the service sees it. */
export interface MemoryRequest {
  readonly operation: Operation;
  readonly name?: string;
  readonly record?: SecretRecord;
  readonly page?: number;
}

const WRITES: ReadonlySet<Operation> = new Set(["create", "replace", "delete", "restore"]);

/** Lets every other call that is under way go on first, as a network would. */
export function breath(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** The door of the memory service: counts requests and makes the trouble that was injected. */
export class MemoryGate {
  readonly credential = `${randomUUID()}-memory-credential`;
  #requests = 0;
  #faults: { readonly fault: MemoryFault; left: number }[] = [];

  /** How many requests arrived at the door, refused ones too. */
  get requests(): number {
    return this.#requests;
  }

  inject(fault: MemoryFault): void {
    const left =
      fault.kind === "throttle" ? (fault.times ?? Number.POSITIVE_INFINITY) : fault.kind === "lose_answer" ? 1 : Number.POSITIVE_INFINITY;
    this.#faults.push({ fault, left });
  }

  heal(): void {
    this.#faults = [];
  }

  /** Whether requests about this secret are refused, for answers that come several to a request. */
  refuses(name: string): boolean {
    return this.#faults.some(({ fault }) => fault.kind === "deny" && fault.name === name);
  }

  async pass<Answer>(request: MemoryRequest, work: () => Answer | Promise<Answer>): Promise<Answer> {
    this.#requests += 1;
    await breath();
    for (const active of this.#faults) await this.#strike(active, request);
    const answer = await work();
    const lost = WRITES.has(request.operation) && this.#spend("lose_answer");
    if (lost) throw this.error(request, { code: "ECONNRESET" });
    return answer;
  }

  /** A raw error about this request, with everything on it that an SDK would leave there. */
  error(request: MemoryRequest, answer: ConstructorParameters<typeof MemoryServiceError>[1]): MemoryServiceError {
    return new MemoryServiceError(
      {
        method: `${request.operation} ${request.name ?? ""}`,
        headers: { authorization: `Bearer ${this.credential}` },
        body: request.record === undefined ? undefined : encodePayload(request.record),
      },
      answer.status === undefined ? answer : { requestId: randomUUID(), ...answer },
    );
  }

  async #strike(active: { readonly fault: MemoryFault; left: number }, request: MemoryRequest): Promise<void> {
    const { fault } = active;
    if (fault.kind === "deny" && (fault.name === undefined || fault.name === request.name)) {
      throw this.error(request, { status: 403, reason: "Forbidden", message: "the caller has no permission for this call" });
    }
    if (fault.kind === "unauthenticated")
      throw this.error(request, { status: 401, reason: "BadCredential", message: "the credential is not valid" });
    if (fault.kind === "unreachable") throw this.error(request, { code: "ECONNREFUSED" });
    if (fault.kind === "throttle" && active.left > 0) {
      active.left -= 1;
      throw this.error(request, { status: 429, reason: "SlowDown", message: "too many requests" });
    }
    if (fault.kind === "hang") await new Promise<never>(() => {});
    if (fault.kind === "fail_page" && request.page === fault.page)
      throw this.error(request, { status: 500, reason: "Internal", message: "the page could not be read" });
    if (fault.kind === "echo" && request.record !== undefined) {
      throw this.error(request, { status: 400, reason: "Unacceptable", message: `cannot store ${encodePayload(request.record)}` });
    }
    if (fault.kind === "garble") throw this.error(request, { status: 404 });
  }

  #spend(kind: MemoryFault["kind"]): boolean {
    const active = this.#faults.find(({ fault, left }) => fault.kind === kind && left > 0);
    if (active !== undefined) active.left -= 1;
    return active !== undefined;
  }
}
