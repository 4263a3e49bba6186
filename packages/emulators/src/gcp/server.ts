import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { type LoopbackAnswer, type LoopbackRequest, LoopbackServer } from "../loopback.ts";
import type { Faults } from "../faults.ts";
import { type GrpcFront, startGrpcFront } from "./grpc.ts";
import { answerRest, refusedRest, restCall } from "./rest.ts";
import { ServiceError } from "./service-error.ts";
import { SecretManagerState } from "./state.ts";
import { makeTrouble, pageOf, unauthenticated } from "./trouble.ts";

export interface GcpServerOptions {
  /** The project that the caller may use; any other is refused as the service refuses it. `test-project` by default. */
  readonly project?: string;
  /** Tokens that are accepted besides those that the key of a service account has signed. */
  readonly tokens?: readonly string[];
  /** The public key of the service account whose self-signed tokens are accepted, in PEM. */
  readonly publicKey?: string;
  /** The most entries of a page; the service's own 25,000 by default. */
  readonly pageLimit?: number;
  /** The protos of the service as JSON (`build/protos/protos.json` of the SDK): with them the same state is served over gRPC too. */
  readonly protos?: object;
  /** Speak TLS with this certificate, on the REST port. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** Secret Manager on loopback: one state, behind REST and, where the protos are given, gRPC. */
export class GcpServer {
  readonly state: SecretManagerState;
  readonly rest: LoopbackServer;
  readonly grpc: GrpcFront | undefined;
  readonly project: string;
  readonly #guard: TokenGuard;

  private constructor(
    state: SecretManagerState,
    fronts: { readonly rest: LoopbackServer; readonly grpc: GrpcFront | undefined },
    project: string,
    guard: TokenGuard,
  ) {
    this.state = state;
    this.project = project;
    this.rest = fronts.rest;
    this.grpc = fronts.grpc;
    this.#guard = guard;
  }

  static async start(options: GcpServerOptions = {}): Promise<GcpServer> {
    const project = options.project ?? "test-project";
    const state = new SecretManagerState(project, options.pageLimit);
    const guard = new TokenGuard(options);
    const faults: { current?: Faults } = {};
    const handle = (request: LoopbackRequest): LoopbackAnswer => {
      try {
        const call = restCall(request);
        if (call === undefined) return notGoogle();
        if (!guard.accepts(request.headers["authorization"])) throw unauthenticated();
        const page = call.method.startsWith("List") ? pageOf(request.query.get("pageToken") ?? "", options.pageLimit) : undefined;
        const sent = `${String(request.headers["authorization"])} ${request.body.toString("utf8")} ${decoded(request.body)}`;
        if (faults.current !== undefined) makeTrouble(faults.current, { method: call.method, resource: call.resource, page, sent });
        const answer = answerRest(state, call, request);
        return faults.current?.get("repeat_token") !== undefined && page !== undefined ? withToken(answer) : answer;
      } catch (error) {
        if (error instanceof ServiceError) return refusedRest(error);
        throw error;
      }
    };
    const rest = await LoopbackServer.start(handle, {
      label: (request) => restCall(request)?.method ?? "other",
      ...(options.tls === undefined ? {} : { tls: options.tls }),
    });
    faults.current = rest.faults;
    const grpc = options.protos === undefined ? undefined : await startGrpcFront(options.protos, state, rest, options.pageLimit);
    return new GcpServer(state, { rest, grpc }, project, guard);
  }

  /** How far the clock of the service is ahead, in milliseconds. */
  set skewMs(skewMs: number) {
    this.#guard.skewMs = skewMs;
  }

  get faults(): Faults {
    return this.rest.faults;
  }

  /** How many requests have arrived in all, or of one method (`AccessSecretVersion`), over both transports. */
  count(method?: string): number {
    return this.rest.count(method);
  }

  resetCounts(): void {
    this.rest.resetCounts();
  }

  /** Connections are refused from now on. */
  async disconnect(): Promise<void> {
    await Promise.all([this.rest.disconnect(), this.grpc?.stop()]);
  }

  async stop(): Promise<void> {
    await Promise.all([this.rest.stop(), this.grpc?.stop()]);
  }
}

// How far in the future a token may have been made.
const LEEWAY_SECONDS = 300;

/** Which credentials are accepted. */
class TokenGuard {
  skewMs = 0;
  readonly #tokens: ReadonlySet<string>;
  readonly #key: KeyObject | undefined;

  constructor({ tokens = [], publicKey }: GcpServerOptions) {
    this.#tokens = new Set(tokens);
    this.#key = publicKey === undefined ? undefined : createPublicKey(publicKey);
  }

  accepts(header: string | string[] | undefined): boolean {
    const [, token] = /^Bearer (\S+)$/.exec(String(header)) ?? [];
    return token !== undefined && (this.#tokens.has(token) || this.#signed(token));
  }

  /** A self-signed token of the service account: not expired, not from the future, and for this API by its scope or its audience. */
  #signed(token: string): boolean {
    const [head, claims, signature] = token.split(".");
    if (this.#key === undefined || head === undefined || claims === undefined || signature === undefined) return false;
    if (!verify("sha256", Buffer.from(`${head}.${claims}`), this.#key, Buffer.from(signature, "base64url"))) return false;
    const { iat, exp, scope, aud } = JSON.parse(Buffer.from(claims, "base64url").toString("utf8")) as Readonly<Record<string, unknown>>;
    const forUs = String(scope).includes("cloud-platform") || String(aud).startsWith("https://secretmanager.");
    const now = (Date.now() + this.skewMs) / 1000;
    return typeof iat === "number" && iat < now + LEEWAY_SECONDS && typeof exp === "number" && exp > now && forUs;
  }
}

function decoded(body: Buffer): string {
  const [, data] = /"data":\s*"([^"]+)"/.exec(body.toString("utf8")) ?? [];
  return data === undefined ? "" : Buffer.from(data, "base64").toString("utf8");
}

function withToken(answer: LoopbackAnswer): LoopbackAnswer {
  const page = JSON.parse(String(answer.body)) as Record<string, unknown>;
  return { ...answer, body: JSON.stringify({ ...page, nextPageToken: "token-0" }) };
}

/** What the front end of Google answers for a path that no API has: a page, not JSON. */
function notGoogle(): LoopbackAnswer {
  return {
    status: 404,
    headers: { "content-type": "text/html; charset=UTF-8" },
    body: "<!DOCTYPE html><html lang=en><title>Error 404 (Not Found)!!1</title><p>The requested URL was not found on this server.</html>",
  };
}
