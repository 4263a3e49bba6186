import { randomUUID } from "node:crypto";
import { testCertificate } from "../certificates.ts";
import { type LoopbackAnswer, type LoopbackRequest, LoopbackServer } from "../loopback.ts";
import { Entra } from "./entra.ts";
import { bundle, deletedBundle, item, newVersion, versionChange } from "./shapes.ts";
import { Vault, VaultRefusal } from "./vault.ts";

const LARGEST_PAGE = 25;
const NAME = /^[0-9A-Za-z-]{1,127}$/;
// What is not here reads metadata.
const ACTIONS: Readonly<Record<string, string>> = {
  "GET secret": "getSecret/action",
  "PUT secret": "setSecret/action",
  "PATCH secret": "update/action",
  "DELETE secret": "delete",
  "POST deleted": "recover/action",
  "DELETE deleted": "purge/action",
};

/** How the emulator challenges: the older form names a resource, the newer one a scope. */
export type ChallengeForm = "resource" | "scope";

/**
 * Azure Key Vault on loopback, its secrets and the part of Entra that hands out tokens. The real SDK talks to it, over TLS and with the challenge:
 * a request without a token is answered 401 and not looked at any further.
 */
export class AzureEmulator {
  readonly vault = new Vault();
  readonly entra = new Entra();
  readonly server: LoopbackServer;
  /** Where App Service would answer for managed identities: plain HTTP, on loopback. */
  readonly identity: LoopbackServer;
  readonly identityHeader = randomUUID();
  /** What a client has to trust, in PEM. */
  readonly ca: string;
  challenge: ChallengeForm = "resource";
  /** The API versions that were asked for. */
  readonly apiVersions = new Set<string>();
  #pages = 0;

  private constructor(ca: string, start: { readonly server: LoopbackServer; readonly identity: LoopbackServer }) {
    this.ca = ca;
    this.server = start.server;
    this.identity = start.identity;
  }

  static async start(options: { readonly latencyMs?: number } = {}): Promise<AzureEmulator> {
    const { key, cert, ca } = await certificate();
    const made: { emulator?: AzureEmulator } = {};
    const there = (): AzureEmulator => {
      if (made.emulator === undefined) throw new Error("A request came before the emulator was ready.");
      return made.emulator;
    };
    const server = await LoopbackServer.start((request) => there().#answer(request), { ...options, tls: { key, cert }, label });
    const identity = await LoopbackServer.start((request) => there().entra.managedIdentity(request, there().identityHeader));
    return (made.emulator = new AzureEmulator(ca, { server, identity }));
  }

  get url(): string {
    return this.server.url;
  }

  async stop(): Promise<void> {
    await Promise.all([this.server.stop(), this.identity.stop()]);
  }

  #answer(request: LoopbackRequest): LoopbackAnswer {
    const token = this.entra.answer(request, this.url);
    if (token !== undefined) return token;
    try {
      return this.#troubled(request) ?? this.#serve(request);
    } catch (error) {
      if (error instanceof VaultRefusal) return refusal(error.status, error.code, error.message, error.inner);
      throw error;
    }
  }

  /** The challenge, and the faults that Key Vault tells in its own words. */
  #troubled(request: LoopbackRequest): LoopbackAnswer | undefined {
    const { faults } = this.server;
    const { authorization } = request.headers;
    if (authorization === undefined) return this.#challenged("AKV10000: Request is missing a Bearer or PoP token.");
    const token = /^Bearer (.+)$/.exec(String(authorization))?.[1] ?? "";
    if (!this.entra.tokens.has(token) || faults.get("unauthenticated") !== undefined)
      return this.#challenged("AKV10032: Invalid issuer.", 'error="invalid_token", error_description="The token is not valid.", ');
    const throttle = faults.take("throttle");
    if (throttle !== undefined) {
      const wait = throttle.retryAfterSeconds;
      const answer = refusal(
        429,
        "Throttled",
        "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached",
      );
      return wait === undefined ? answer : { ...answer, headers: { ...answer.headers, "retry-after": String(wait) } };
    }
    if (faults.take("broken") !== undefined) return refusal(503, "ServiceUnavailable", "The service is temporarily unavailable.");
    const deny = faults.get("deny");
    const { name } = partsOf(request);
    const { name: only = name, permission = actionOf(request) } = deny ?? {};
    if (deny !== undefined && only.toLowerCase() === name.toLowerCase() && permission === actionOf(request))
      return refusal(
        403,
        "Forbidden",
        `Caller is not authorized to perform action on resource.\r\nCaller: appid=${this.entra.principal.clientId}\r\nAction: '${actionOf(request)}'\r\nAssignment: (not found)\r\n`,
        "ForbiddenByRbac",
      );
    if (faults.get("echo") !== undefined && request.method !== "GET")
      return refusal(400, "BadParameter", `Not understood: ${request.method} ${String(authorization)} ${request.body.toString("utf8")}`);
    return undefined;
  }

  #challenged(message: string, more = ""): LoopbackAnswer {
    const where = this.challenge === "resource" ? 'resource="https://vault.azure.net"' : 'scope="https://vault.azure.net/.default"';
    const answer = refusal(401, "Unauthorized", message);
    const authority = `${this.url}/${this.entra.principal.tenantId}`;
    return { ...answer, headers: { ...answer.headers, "www-authenticate": `Bearer ${more}authorization="${authority}", ${where}` } };
  }

  #serve(request: LoopbackRequest): LoopbackAnswer {
    const version = request.query.get("api-version");
    if (version === null) throw new VaultRefusal(400, "BadParameter", "The query parameter 'api-version' is missing.");
    this.apiVersions.add(version);
    const { area, name, rest } = partsOf(request);
    if (name === "" && request.method === "GET") return area === "secrets" ? this.#list(request) : methodRefused();
    if (!NAME.test(name)) throw new VaultRefusal(400, "BadParameter", `The request URI contains an invalid name: ${name}`);
    switch (`${request.method} ${area}${rest === "" || rest === "versions" || rest === "recover" ? `/${rest}` : "/{version}"}`) {
      case "GET secrets/":
        return this.#ok(bundle(this.url, this.vault.get(name)));
      case "GET secrets/{version}":
        return this.#ok(bundle(this.url, this.vault.get(name, rest)));
      case "GET secrets/versions":
        return this.#versions(name, request);
      case "PUT secrets/":
        return { ...this.#ok(bundle(this.url, this.vault.set(name, newVersion(request)))), wrote: true };
      case "PATCH secrets/{version}":
        return { ...this.#ok(item(this.url, this.vault.update(name, rest, versionChange(request)), true)), wrote: true };
      case "DELETE secrets/":
        return { ...this.#ok(deletedBundle(this.url, this.vault.delete(name))), wrote: true };
      case "GET deletedsecrets/":
        return this.#ok(deletedBundle(this.url, this.vault.getDeleted(name)));
      case "DELETE deletedsecrets/":
        this.vault.purge(name);
        return { status: 204, headers: headers(), wrote: true };
      case "POST deletedsecrets/recover":
        return { ...this.#ok(item(this.url, this.vault.recover(name), true)), wrote: true };
      default:
        return methodRefused();
    }
  }

  #list(request: LoopbackRequest): LoopbackAnswer {
    return this.#page(
      request,
      this.vault.list().map((each) => item(this.url, each, false)),
    );
  }

  #versions(name: string, request: LoopbackRequest): LoopbackAnswer {
    const found = this.vault.versions(name);
    if (found === undefined)
      throw new VaultRefusal(404, "SecretNotFound", `A secret with (name/id) ${name} was not found in this key vault.`);
    return this.#page(
      request,
      found.versions.map((version) => item(this.url, { secret: found.secret, version }, true)),
    );
  }

  #page(request: LoopbackRequest, all: readonly object[]): LoopbackAnswer {
    const size = Number(request.query.get("maxresults") ?? LARGEST_PAGE);
    if (!Number.isInteger(size) || size < 1 || size > LARGEST_PAGE)
      throw new VaultRefusal(400, "BadParameter", "The query parameter 'maxresults' must be between 1 and 25.");
    const skip = request.query.get("$skiptoken");
    if (skip === null) this.#pages = 0;
    this.#pages += 1;
    const { faults } = this.server;
    const failing = faults.get("fail_page");
    if (failing !== undefined && failing.page <= this.#pages) throw new VaultRefusal(500, "InternalServerError", "An error has occurred.");
    const from = skip === null ? 0 : Number(Buffer.from(skip, "base64url").toString("utf8"));
    const to = from + size;
    const link = (at: number): string => {
      const query = new URLSearchParams({ "api-version": request.query.get("api-version") ?? "", maxresults: String(size) });
      query.set("$skiptoken", Buffer.from(String(at)).toString("base64url"));
      return `${this.url}${request.path}?${query.toString()}`;
    };
    const next = faults.get("repeat_token") === undefined ? (to < all.length ? link(to) : null) : link(size);
    return this.#ok({ value: all.slice(from, to), nextLink: next });
  }

  #ok(body: object): LoopbackAnswer {
    return { status: 200, headers: headers(), body: JSON.stringify(body) };
  }
}

let made: ReturnType<typeof testCertificate> | undefined;
/** One certificate for all emulators of a process: making one takes longer than most tests. */
function certificate(): ReturnType<typeof testCertificate> {
  return (made ??= testCertificate());
}

/** `/secrets/{name}/{rest}`, tolerating the slash that the SDK leaves behind a name without a version. */
function partsOf({ path }: LoopbackRequest): { readonly area: string; readonly name: string; readonly rest: string } {
  const [, area = "", name = "", rest = "", ...more] = path.split("/");
  if (more.length > 0) throw new VaultRefusal(404, "NotFound", "The resource does not exist.");
  return { area, name: decodeURIComponent(name), rest };
}

/** The data action that a role has to allow for a request. */
function actionOf(request: LoopbackRequest): string {
  const { area, name, rest } = partsOf(request);
  const kind = area === "deletedsecrets" ? "deleted" : name === "" || rest === "versions" ? "listing" : "secret";
  return `Microsoft.KeyVault/vaults/secrets/${ACTIONS[`${request.method} ${kind}`] ?? "readMetadata/action"}`;
}

function label(request: LoopbackRequest): string {
  const [, area = "", name = "", rest = ""] = request.path.split("/");
  if (area !== "secrets" && area !== "deletedsecrets") return request.path.endsWith("/token") ? "token" : "entra";
  if (request.headers["authorization"] === undefined) return "challenge";
  const tail = rest === "" ? "" : rest === "versions" || rest === "recover" ? `/${rest}` : "/{version}";
  return `${request.method} /${area}${name === "" ? "" : "/{name}"}${tail}`;
}

function headers(): Record<string, string> {
  return {
    "content-type": "application/json; charset=utf-8",
    "x-ms-keyvault-region": "loopback",
    "x-ms-request-id": randomUUID(),
    "cache-control": "no-cache",
  };
}

function refusal(status: number, code: string, message: string, inner?: string): LoopbackAnswer {
  const error = { code, message, ...(inner === undefined ? {} : { innererror: { code: inner } }) };
  return { status, headers: headers(), body: JSON.stringify({ error }) };
}

function methodRefused(): LoopbackAnswer {
  return refusal(405, "MethodNotAllowed", "The method is not allowed for this resource.");
}
