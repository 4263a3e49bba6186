import { type CallOptions, DriverError } from "@coffer/core";
import { objectOf, refusalOf, says } from "./answers.ts";
import type { CredentialPlan, LoginRequest } from "./credentials.ts";
import { classifyVaultError } from "./errors.ts";

/** A request to the server, its path encoded and without the version of the API. */
export interface VaultRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>> | undefined;
  readonly token?: string | undefined;
}

/** Sends a request once it has its token. */
export type Send = (request: VaultRequest, options: CallOptions) => Promise<unknown>;

/** How long a login, a renewal or a look at a token may take: they serve many calls, so none of these may end them for the others. */
const LONGEST_MS = 30_000;
/** A token that was found good is not looked at again for this long: a thousand refused calls need not ask a thousand times. */
const TRUSTED_MS = 1_000;
/** A token is renewed when this much of its time is over. */
const RENEW_AT = 2 / 3;
/** A renewal that has failed is not tried again sooner than after this. */
const SHORTEST_MS = 1_000;
/** A timer that is set for longer goes off at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Grant {
  readonly token: string;
  /** On the clock of `performance.now()`; never for a token of which nobody has said when it ends. */
  expires: number;
}

/** The token of a driver: comes by it once for all calls, keeps it alive, and gets another one when the server no longer takes it. */
export class Session {
  readonly #plan: CredentialPlan;
  readonly #send: Send;
  #grant: Promise<Grant> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The grant that the timer is for. */
  #kept: Grant | undefined;
  #looked: { readonly token: string; readonly at: number; readonly accepted: Promise<boolean | undefined> } | undefined;
  #unwrapped: string | undefined;
  #closed = false;
  /** Ends what serves many calls, which no call of one's own ends. */
  readonly #closing = new AbortController();

  constructor(plan: CredentialPlan, send: Send) {
    this.#plan = plan;
    this.#send = send;
  }

  /**
   * The token, signing in for it the first time and when its time is over.
   * @throws DriverError `unauthenticated` when there is none, or the login is refused
   */
  async token(): Promise<string> {
    const grant = await (this.#grant ?? this.#begin());
    if (this.#plan.kind === "login" && performance.now() >= grant.expires) return (await this.another(grant.token)) ?? grant.token;
    return grant.token;
  }

  /** Another token than the one that was refused: from one login for all who ask. `undefined` when there is no other. */
  async another(refused: string): Promise<string | undefined> {
    const held = this.#grant;
    const current = await held?.catch(() => undefined);
    if (current !== undefined && current.token !== refused) return current.token;
    // Whoever comes second finds what the first one has begun.
    const next = (await (this.#grant === held || this.#grant === undefined ? this.#begin() : this.#grant)).token;
    return next === refused ? undefined : next;
  }

  /** Whether the server takes the token; `undefined` when it does not say. */
  accepts(token: string): Promise<boolean | undefined> {
    const looked = this.#looked;
    if (looked !== undefined && looked.token === token && performance.now() - looked.at < TRUSTED_MS) return looked.accepted;
    const accepted = acceptance(this.#send, token, this.#options());
    this.#looked = { token, at: performance.now(), accepted };
    return accepted;
  }

  /** Renews nothing any more, and gives up a login that is under way. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#closing.abort();
  }

  #begin(): Promise<Grant> {
    clearTimeout(this.#timer);
    const plan = this.#plan;
    const grant = plan.kind === "token" ? this.#found(plan) : this.#loggedIn(plan);
    this.#grant = grant;
    // A login that failed is tried again by the next call.
    grant.catch(() => {
      if (this.#grant === grant) this.#grant = undefined;
    });
    return grant;
  }

  async #found(plan: Extract<CredentialPlan, { kind: "token" }>): Promise<Grant> {
    const token = await plan.find();
    if (token === undefined)
      throw new DriverError("unauthenticated", undefined, {
        safeMessage: "There is no token to sign in with.",
        hint: "Run `vault login`, set VAULT_TOKEN, or set auth_method and what it needs.",
      });
    const grant = { token, expires: Number.POSITIVE_INFINITY };
    if (plan.renew) {
      const answer = await this.#quietly({ method: "GET", path: "auth/token/lookup-self", token });
      // The server was away for a moment: the next call looks again.
      if (answer === undefined) this.#grant = undefined;
      const { ttl, renewable } = objectOf(objectOf(answer)["data"]);
      this.#kept = grant;
      this.#keepAlive(grant, ttl, renewable);
    }
    return grant;
  }

  async #loggedIn(plan: Extract<CredentialPlan, { kind: "login" }>): Promise<Grant> {
    const { path, body } = await this.#opened(await plan.request());
    const mount = plan.mount.split("/").map(encodeURIComponent).join("/");
    const answer = await this.#ask({ method: "POST", path: `auth/${mount}/${path}`, body }, `The login with ${plan.method} was refused.`);
    const { client_token: token, lease_duration: ttl, renewable } = objectOf(objectOf(answer)["auth"]);
    if (typeof token !== "string" || token === "")
      throw new DriverError("unauthenticated", undefined, {
        safeMessage: `The login with ${plan.method} gave no token.`,
        hint: "Check the role: one that demands a second factor cannot be used here.",
      });
    const grant = { token, expires: Number.POSITIVE_INFINITY };
    this.#kept = grant;
    this.#keepAlive(grant, ttl, renewable);
    return grant;
  }

  /** The request with its secret unwrapped: that can be done once, so what comes out is kept for later logins. */
  async #opened(request: LoginRequest): Promise<LoginRequest> {
    if (request.wrapped === undefined) return request;
    const token = request.body[request.wrapped];
    if (this.#unwrapped === undefined && token !== undefined) {
      const answer = await this.#ask({ method: "POST", path: "sys/wrapping/unwrap", token }, "The wrapped secret_id was refused.");
      const secret = objectOf(objectOf(answer)["data"])[request.wrapped];
      if (typeof secret !== "string")
        throw new DriverError("unauthenticated", undefined, {
          safeMessage: "What the wrapped secret_id holds is no secret_id.",
          hint: "Wrap the answer of the role's secret-id endpoint itself.",
        });
      this.#unwrapped = secret;
    }
    return { path: request.path, body: { ...request.body, secret_id: this.#unwrapped ?? "" } };
  }

  /** Sends what a login consists of. Nothing of the call that waits for it was sent before, whatever becomes of this. */
  async #ask(request: VaultRequest, refused: string): Promise<unknown> {
    try {
      return await this.#send(request, this.#options());
    } catch (error) {
      if (this.#closed) throw new DriverError("closed", error);
      if (DriverError.isInstance(error)) throw error;
      const { status } = refusalOf(error) ?? {};
      const info = classifyVaultError(error, { operation: "open" });
      // That there is no such login must not pass for a secret that is not there.
      if (status === 400 || status === 403 || info.code === "not_found")
        throw new DriverError("unauthenticated", error, {
          status,
          safeMessage: refused,
          hint: "Check the credentials, the role and where the auth method is mounted (auth_mount).",
        });
      throw new DriverError(info.code, error, { ...info, outcome: "not_applied" });
    }
  }

  /**
   * Sends what nobody waits for: its failure shows soon enough, when the token is no longer taken. Answers nothing to go by for a refusal, and `undefined` for a
   * failure that may be over the next time.
   */
  async #quietly(request: VaultRequest): Promise<unknown> {
    return this.#send(request, this.#options()).catch((error: unknown) =>
      classifyVaultError(error, { operation: "open" }).retryable ? undefined : {},
    );
  }

  #options(): CallOptions {
    const options = ownOptions();
    return { ...options, signal: AbortSignal.any([options.signal, this.#closing.signal]) };
  }

  #keepAlive(grant: Grant, ttl: unknown, renewable: unknown): void {
    const seconds = Number(ttl);
    // A token without a time of its own lives until it is revoked. What is renewed too late for its manager, or for another login, is left alone.
    if (!(seconds > 0) || this.#closed || this.#kept !== grant) return;
    grant.expires = performance.now() + seconds * 1000;
    if (renewable === true) this.#renewIn(seconds * 1000 * RENEW_AT, grant);
  }

  #renewIn(milliseconds: number, grant: Grant): void {
    const renew = async (): Promise<void> => {
      const answer = await this.#quietly({ method: "POST", path: "auth/token/renew-self", token: grant.token, body: {} });
      const auth = objectOf(objectOf(answer)["auth"]);
      this.#keepAlive(grant, auth["lease_duration"], auth["renewable"]);
      if (answer === undefined) this.#renewAgain(grant);
    };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void renew(), Math.min(milliseconds, LONGEST_TIMER_MS));
    // A program that is done does not stay for the sake of its token.
    this.#timer.unref();
  }

  /** A renewal that has failed is tried again in the time that the token still has. */
  #renewAgain(grant: Grant): void {
    const left = grant.expires - performance.now();
    if (left > 0 && !this.#closed && this.#kept === grant) this.#renewIn(Math.max(left * RENEW_AT, SHORTEST_MS), grant);
  }
}

/** Whether the server takes a token; `undefined` when it does not say. Without a token the client's own is asked for. */
export async function acceptance(send: Send, token: string | undefined, options: CallOptions = ownOptions()): Promise<boolean | undefined> {
  try {
    await send({ method: "GET", path: "auth/token/lookup-self", token }, options);
    return true;
  } catch (error) {
    const refusal = refusalOf(error);
    return refusal?.status === 403 || says(refusal, /missing client token/) ? false : undefined;
  }
}

/** The options of a request that is made for many calls. */
export function ownOptions(): CallOptions {
  return {
    signal: AbortSignal.timeout(LONGEST_MS),
    deadline: performance.now() + LONGEST_MS,
    operationId: crypto.randomUUID(),
    scope: "none",
  };
}
