import { type LoopbackAnswer, type LoopbackRequest, LoopbackServer } from "../loopback.ts";
import { counted, permissionDenied, refused, VaultRefusal } from "./answers.ts";
import { type IssuedToken, VaultAuth } from "./auth.ts";
import { type CallWithBody, withBody } from "./body.ts";
import { callFrom, headerOf, tokenOf, type VaultCall } from "./call.ts";
import { areaOf, type KvCall } from "./kv-call.ts";
import { answerVersion1 } from "./kv-v1.ts";
import { answerVersion2 } from "./kv-v2.ts";
import { KvMount, type KvMountOptions } from "./kv.ts";
import { labelOf } from "./label.ts";
import { loginAt, logIn } from "./login.ts";
import { isWithin, Mounts, type Place } from "./mounts.ts";
import { allows } from "./policy.ts";
import { answerHealth, answerPreflight, answerUnwrap, preflightMissing, preflightPath } from "./system.ts";
import { answerToken } from "./tokens.ts";
import { VaultTrouble } from "./trouble.ts";
import { type TlsMaterial, tlsMaterial } from "./tls.ts";

/** How an emulator of Vault behaves. */
export interface VaultEmulatorOptions {
  readonly latencyMs?: number;
  /** Speak TLS; `ca` is what a client has to trust. */
  readonly tls?: boolean;
  /** Take only clients with a certificate of the same authority; implies `tls`. */
  readonly clientCertificates?: boolean;
  /** HashiCorp Vault by default. OpenBao refuses a missing token in other words, and lists page by page. */
  readonly product?: "vault" | "openbao";
}

/** A request as it came. */
export interface SeenRequest {
  readonly method: string;
  /** Undecoded, without the query. */
  readonly path: string;
  readonly namespace: string;
  readonly token: string | undefined;
}

/**
 * HashiCorp Vault or OpenBao on a free port of loopback: KV engines of both versions (version 2 at `secret`, version 1 at `kv1`), the ways of
 * logging in, and the endpoints of the system that clients use. The faults are those of `server.faults`.
 */
export class VaultEmulator {
  readonly server: LoopbackServer;
  readonly auth: VaultAuth;
  /** What a client has to trust, in PEM; with TLS only. */
  readonly ca: string | undefined;
  /** What a client can prove itself with, in PEM; with TLS only. */
  readonly clientCertificate: { readonly key: string; readonly cert: string } | undefined;
  /** Every request as it came, oldest first. */
  readonly seen: SeenRequest[] = [];
  /** The service is sealed: it answers nothing but how it is. */
  sealed = false;
  /** So many reads of data answer as before the last write of their key, as a performance standby does. */
  staleReads = 0;
  /** So many reads of an engine, listings too, are refused by a standby that has not caught up: 412. */
  behind = 0;
  /** What becomes of the question which engine is mounted where: answered, refused, or unknown to an old server. */
  preflight: "answer" | "deny" | "missing" = "answer";
  readonly #isOpenBao: boolean;
  readonly #mounts: Mounts;
  readonly #trouble: VaultTrouble;

  private constructor(
    server: LoopbackServer,
    parts: { readonly auth: VaultAuth; readonly mounts: Mounts; readonly isOpenBao: boolean },
    tls?: TlsMaterial,
  ) {
    this.server = server;
    this.auth = parts.auth;
    this.ca = tls?.ca;
    this.clientCertificate = tls?.client;
    this.#isOpenBao = parts.isOpenBao;
    this.#mounts = parts.mounts;
    this.#trouble = new VaultTrouble(server.faults);
    this.mount("secret", 2);
    this.mount("kv1", 1);
  }

  static async start(options: VaultEmulatorOptions = {}): Promise<VaultEmulator> {
    const parts = { auth: new VaultAuth(), mounts: new Mounts(), isOpenBao: options.product === "openbao" };
    const demands = options.clientCertificates === true;
    const tls = options.tls === true || demands ? await tlsMaterial() : undefined;
    const made: { emulator?: VaultEmulator } = {};
    const handler = (request: LoopbackRequest): LoopbackAnswer => {
      if (made.emulator === undefined) throw new Error("A request came before the emulator was ready.");
      return made.emulator.#answer(request);
    };
    const server = await LoopbackServer.start(handler, {
      label: (request) => labelOf(request, parts.mounts, parts.auth),
      ...(options.latencyMs === undefined ? {} : { latencyMs: options.latencyMs }),
      ...(tls === undefined ? {} : { tls: { ...tls.server, ...(demands ? { clientCa: tls.ca } : {}) } }),
    });
    return (made.emulator = new VaultEmulator(server, parts, tls));
  }

  /** The address, without a slash at its end. */
  get url(): string {
    return this.server.url;
  }

  /** Mounts a KV engine, in place of one at the same path. The path may have slashes in it. */
  mount(path: string, version: 1 | 2, options: KvMountOptions = {}): KvMount {
    const mount = new KvMount(path, version, options);
    this.#mounts.add(mount);
    return mount;
  }

  /** A mounted engine. Throws when there is none at the path. */
  kv(path = "secret", namespace = ""): KvMount {
    const mount = this.#mounts.at(path, namespace);
    if (mount === undefined) throw new Error(`No engine is mounted at "${path}" in the namespace "${namespace}".`);
    return mount;
  }

  async stop(): Promise<void> {
    await this.server.stop();
  }

  #answer(request: LoopbackRequest): LoopbackAnswer {
    const { method, path } = request;
    this.seen.push({ method, path, namespace: headerOf(request, "x-vault-namespace"), token: tokenOf(request) });
    try {
      return this.#serve(callFrom(request));
    } catch (error) {
      if (error instanceof VaultRefusal) return refused(error);
      throw error;
    }
  }

  #serve(call: VaultCall): LoopbackAnswer {
    if (call.path === "sys/health") return answerHealth(this.sealed, this.#isOpenBao);
    if (this.sealed) throw new VaultRefusal(503, ["Vault is sealed"]);
    this.#trouble.atTheDoor(call);
    return this.#serveBody(withBody(call, this.#isOpenBao));
  }

  #serveBody(call: CallWithBody): LoopbackAnswer {
    const place = this.#mounts.placeOf(call.namespace, call.path, this.auth.namespaces);
    if (place === undefined) throw this.#isOpenBao ? new VaultRefusal(404, ["namespace not found"]) : noRoute(call.path);
    if (call.path.endsWith("/") && (call.operation === "update" || call.operation === "patch"))
      throw new VaultRefusal(400, ["cannot write to a path ending in '/'"]);
    const login = loginAt(place.path, place.namespace, this.auth);
    if (login !== undefined) return logIn(call, login, place.namespace, this.auth, this.#trouble.refusesCredentials);
    const asked = preflightPath(place.path);
    if (asked !== undefined) return this.#preflight(call, { namespace: place.namespace, path: asked });
    if (place.path === "sys/wrapping/unwrap" && call.operation === "update") return answerUnwrap(call, this.auth);
    return this.#serveToken(call, place, this.#tokenOf(call, place));
  }

  #serveToken(call: CallWithBody, place: Place, token: IssuedToken): LoopbackAnswer {
    if (place.path.startsWith("auth/token/")) {
      const answer = answerToken(call, place.path.slice("auth/token/".length), token, this.auth);
      if (answer !== undefined) return answer;
    }
    const mount = this.#mounts.over(place);
    if (mount === undefined) throw noRoute(place.path);
    const kv: KvCall = {
      call,
      mount,
      ...areaOf(place.path, mount),
      isOpenBao: this.#isOpenBao,
      isStale: () => this.#takeStale(),
      repeatsPages: this.#trouble.repeatsPages,
    };
    if (!allows(token.policy, kv)) throw permissionDenied();
    this.#trouble.atTheKey(kv);
    if (call.operation !== "update" && call.operation !== "patch" && call.operation !== "delete") this.#checkIndex();
    return mount.version === 1 ? answerVersion1(kv) : answerVersion2(kv);
  }

  #checkIndex(): void {
    if (this.behind <= 0) return;
    this.behind -= 1;
    throw new VaultRefusal(412, [counted("required index state not present")]);
  }

  /** This one looks at the token itself: whatever is wrong with it is a lack of permission. OpenBao still tells a token that it does not know. */
  #preflight(call: VaultCall, place: Place): LoopbackAnswer {
    if (this.preflight === "missing") throw preflightMissing();
    const token = this.#knownToken(call);
    if (token === undefined && this.#isOpenBao) throw new VaultRefusal(403, ["permission denied"]);
    const mayAsk = token !== undefined && isWithin(place.namespace, token.namespace) && token.policy !== "deny";
    const refuses = !mayAsk || this.preflight === "deny" || this.#trouble.deniesAll;
    return answerPreflight(place.path, refuses ? undefined : this.#mounts.over(place), this.#isOpenBao);
  }

  #knownToken({ token }: VaultCall): IssuedToken | undefined {
    return token === undefined || this.#trouble.refusesCredentials ? undefined : this.auth.tokenOf(token);
  }

  #tokenOf(call: VaultCall, place: Place): IssuedToken {
    const token = this.#knownToken(call);
    if (token !== undefined && isWithin(place.namespace, token.namespace)) return token;
    if (token !== undefined) throw permissionDenied();
    if (this.#isOpenBao) throw new VaultRefusal(403, ["permission denied"]);
    if (call.token === undefined) throw new VaultRefusal(400, ["missing client token"]);
    throw new VaultRefusal(403, [counted("permission denied", "invalid token")]);
  }

  #takeStale(): boolean {
    if (this.staleReads <= 0) return false;
    this.staleReads -= 1;
    return true;
  }
}

function noRoute(path: string): VaultRefusal {
  return new VaultRefusal(404, [`no handler for route ${JSON.stringify(path)}. route entry not found.`]);
}
