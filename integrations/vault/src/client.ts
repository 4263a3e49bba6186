import { type CallOptions, DriverError } from "@coffer/core";
import { objectOf, refusalOf, says, throwHidden } from "./answers.ts";
import { planCredential } from "./credentials.ts";
import { hasOnlyAsked } from "./errors.ts";
import { loadSdk } from "./sdk.ts";
import { type Environment, planServer, type ServerPlan } from "./server.ts";
import { acceptance, type Send, Session, type VaultRequest } from "./session.ts";
import type { ExistingClient, VaultSettings } from "./settings-types.ts";
import { type SdkRequest, Wire } from "./wire.ts";

/** A timer that is set for longer goes off at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The connection of one driver to its server. */
export class VaultConnection {
  readonly #sdk: ExistingClient;
  readonly #parts: { readonly session: Session; readonly wire: Wire } | undefined;
  #closed = false;

  /** @param parts missing when the client was passed in: it has a token of its own, and nobody here gets it another one */
  private constructor(sdk: ExistingClient, makeParts: (send: Send) => { readonly session: Session; readonly wire: Wire } | undefined) {
    this.#sdk = sdk;
    this.#parts = makeParts((request, options) => this.#send(request, options));
  }

  /**
   * Connects to the server of the settings. Loads the SDK; sends nothing.
   * @throws DriverError `invalid_settings`
   */
  static async open(settings: VaultSettings, environment: Environment = process.env): Promise<VaultConnection> {
    const { client } = settings;
    if (client !== undefined) return new VaultConnection(client, () => undefined);
    const credential = planCredential(settings, environment);
    const server = await planServer(settings, environment);
    const wire = new Wire(server);
    const sdk = await sdkOn(server, wire);
    return new VaultConnection(sdk, (send) => ({ session: new Session(credential, send), wire }));
  }

  /**
   * Sends a request with a token that the server takes, within what is left of the time. Answers the JSON of the answer, empty where there is none.
   * @throws DriverError `permission_denied` or `unauthenticated`, which are one status of the server
   */
  async request(request: VaultRequest, options: CallOptions): Promise<Readonly<Record<string, unknown>>> {
    if (this.#closed) throw new DriverError("closed");
    options.signal.throwIfAborted();
    const journey: Journey = { sent: false };
    const answer = await untilGivenUp(this.#authorised(request, options, journey), options, () => this.#timedOut(request, journey));
    if (!Array.isArray(answer) && (typeof answer !== "string" || answer === "")) return objectOf(answer);
    // A client that was passed in takes any page with status 200 for an answer.
    throw new DriverError("unavailable", undefined, { outcome: outcomeOf(request), safeMessage: "What answers there is not Vault." });
  }

  /** What the server's clock says: its times are held against that, because the clock of this machine may be wrong. */
  now(): number {
    return Date.now() + (this.#parts?.wire.clockAheadMs ?? 0);
  }

  close(): void {
    this.#closed = true;
    this.#parts?.session.close();
    this.#parts?.wire.close();
  }

  async #authorised(request: VaultRequest, options: CallOptions, journey: Journey): Promise<unknown> {
    const token = await this.#parts?.session.token();
    // It may have taken so long that nobody wants the request any more.
    if (this.#closed) throw new DriverError("closed");
    if (performance.now() >= options.deadline) throw this.#timedOut(request, journey);
    journey.sent = true;
    try {
      return await this.#send({ ...request, token }, options);
    } catch (error) {
      if (request.method === "GET") hasOnlyAsked(error);
      if (!(await this.#isRefused(error, token))) throw explained(error, request);
      const next = token === undefined ? undefined : await this.#parts?.session.another(token);
      if (next === undefined) throw unaccepted(error);
      return await this.#second({ ...request, token: next }, options);
    }
  }

  /** The one more time, with a fresh token. */
  async #second(request: VaultRequest, options: CallOptions): Promise<unknown> {
    try {
      return await this.#send(request, options);
    } catch (error) {
      if (request.method === "GET") hasOnlyAsked(error);
      throw (await this.#isRefused(error, request.token)) ? unaccepted(error) : explained(error, request);
    }
  }

  /** Whether the failure is that of the token. A token that is good and not enough is refused with the same status. */
  async #isRefused(error: unknown, token: string | undefined): Promise<boolean> {
    const refusal = refusalOf(error);
    // Older servers say 400 when there is no token at all.
    if (says(refusal, /missing client token/)) return true;
    if (refusal?.status !== 403) return false;
    // Newer servers tell a bad token themselves.
    if (says(refusal, /invalid token/)) return true;
    const accepted = await (token === undefined
      ? acceptance((request, options) => this.#send(request, options), undefined)
      : this.#parts?.session.accepts(token));
    return accepted === false;
  }

  /** The time of a call is over. Where a login takes it all, nothing of the call was sent. */
  #timedOut(request: VaultRequest, { sent }: Journey): DriverError {
    const host = this.#parts?.wire.host ?? "The server";
    return new DriverError("timeout", undefined, {
      outcome: sent ? outcomeOf(request) : "not_applied",
      safeMessage: `${host} did not answer in time.`,
    });
  }

  async #send(request: VaultRequest, call: CallOptions): Promise<unknown> {
    const { method, path, body, token } = request;
    const answer = await this.#sdk.request({
      path: `/${path}`,
      method,
      call,
      ...(body === undefined ? {} : { json: body }),
      // A fresh object each time: the SDK writes into the one that it is given.
      headers: token === undefined ? {} : { "X-Vault-Token": token },
    });
    if (this.#parts === undefined && path.includes("sys/health")) throwHidden(answer);
    return answer;
  }
}

/** What became of one request. */
interface Journey {
  /** It may have left this machine. */
  sent: boolean;
}

function outcomeOf({ method }: VaultRequest): "not_applied" | "unknown" {
  return method === "GET" ? "not_applied" : "unknown";
}

/** The token is not taken, and there is no other. */
function unaccepted(error: unknown): DriverError {
  return new DriverError("unauthenticated", error, {
    status: refusalOf(error)?.status,
    safeMessage: "The server does not take the token: it is wrong, expired or revoked.",
    hint: "Sign in again with `vault login`, or check VAULT_TOKEN, the settings of the credential and the namespace.",
  });
}

/** A refusal that is not the token's fault, with the policy that is missing; any other failure as it is. */
function explained(error: unknown, { method, path }: VaultRequest): unknown {
  if (refusalOf(error)?.status !== 403) return error;
  const [where = "", query = ""] = path.split("?");
  const capabilities = CAPABILITIES[query.startsWith("list=") ? "LIST" : method];
  const plain = decodeURIComponent(where);
  return new DriverError("permission_denied", error, {
    status: 403,
    safeMessage: `The policies of the token do not allow ${capabilities.join(" or ")} on ${plain}.`,
    hint: `Add to one of them: path "${plain}" { capabilities = [${capabilities.map((capability) => `"${capability}"`).join(", ")}] }`,
  });
}

/** What a policy has to grant for a request. Which of two it is depends on whether there is something at the path. */
const CAPABILITIES: Readonly<Record<VaultRequest["method"] | "LIST", readonly string[]>> = {
  GET: ["read"],
  LIST: ["list"],
  POST: ["create", "update"],
  DELETE: ["delete"],
};

/** The SDK on our transport, for this server and nothing that the environment says besides. */
async function sdkOn(server: ServerPlan, wire: Wire): Promise<ExistingClient> {
  const nodeVault = await loadSdk();
  const client = nodeVault({
    endpoint: server.address,
    // What it logs under DEBUG holds values.
    debug: () => undefined,
    "request-promise": { defaults: () => (request: SdkRequest) => wire.carry(request) },
  });
  // What is not given to it, or given empty, it takes from the environment.
  return Object.assign(client, { token: "", namespace: server.namespace ?? "", pathPrefix: "", endpoint: server.address });
}

/** A client that was passed in does not let itself be interrupted, and a login is not one call's to interrupt. */
function untilGivenUp<Result>(promise: Promise<Result>, options: CallOptions, timedOut: () => DriverError): Promise<Result> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const onAbort = (): void =>
      reject((signal.reason as Error | undefined)?.name === "TimeoutError" ? timedOut() : (signal.reason as Error));
    const onTime = (): void => {
      // A long operation that goes on has more time by now.
      const remaining = options.deadline - performance.now();
      if (remaining <= 0) reject(timedOut());
      else timer = setTimeout(onTime, Math.min(remaining, LONGEST_TIMER_MS));
    };
    if (signal.aborted) onAbort();
    else onTime();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    });
  });
}
