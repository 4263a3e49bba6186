import { randomUUID } from "node:crypto";
import { generate } from "selfsigned";
import type { LoopbackAnswer, LoopbackRequest } from "../loopback.ts";

const LIFETIME_SECONDS = 3_600;
// How far clocks may differ.
const LEEWAY_SECONDS = 300;

/** What a service principal of the emulator proves itself with. */
export interface Principal {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** The federated token of a workload, as the platform would write it into a file. */
  readonly federatedToken: string;
}

/** What has asked for a token, and how it proved itself. */
export type Grant = "client_secret" | "client_certificate" | "federated_token" | "managed_identity";

/** The token endpoint of Entra, as far as the credential kinds need it. */
export class Entra {
  readonly principal: Principal = {
    tenantId: randomUUID(),
    clientId: randomUUID(),
    clientSecret: `secret~${randomUUID()}`,
    federatedToken: `federated.${randomUUID()}.token`,
  };
  /** Every token that is accepted by the vault. */
  readonly tokens = new Set<string>();
  /** How each token was asked for, in order. */
  readonly grants: Grant[] = [];
  /** How far the clock of Entra is ahead, in milliseconds. */
  skewMs = 0;
  /** The client ids that managed identities were asked for, `undefined` for the one of the system. */
  readonly identities: (string | undefined)[] = [];

  /** A token that the vault accepts. */
  issue(): string {
    const token = `eyJ0.${randomUUID()}.${randomUUID()}`;
    this.tokens.add(token);
    return token;
  }

  /** Answers what is for Entra, and nothing else. */
  answer(request: LoopbackRequest, origin: string): LoopbackAnswer | undefined {
    const tenant = `/${this.principal.tenantId}`;
    if (request.path === `${tenant}/v2.0/.well-known/openid-configuration`) return json(200, configuration(origin, tenant));
    if (request.path === `${tenant}/oauth2/v2.0/token`) return this.#token(request);
    return undefined;
  }

  /** The endpoint of managed identities that App Service has on its loopback. */
  managedIdentity(request: LoopbackRequest, header: string): LoopbackAnswer {
    if (request.headers["x-identity-header"] !== header) return json(401, { statusCode: 401, message: "Unauthorized" });
    if (request.query.get("resource")?.startsWith("https://vault.azure.net") !== true || request.query.get("api-version") === null)
      return json(400, { statusCode: 400, message: "Bad Request" });
    this.grants.push("managed_identity");
    this.identities.push(request.query.get("client_id") ?? undefined);
    const expires = Math.floor(Date.now() / 1000) + LIFETIME_SECONDS;
    return json(200, {
      access_token: this.issue(),
      expires_on: String(expires),
      resource: "https://vault.azure.net",
      token_type: "Bearer",
    });
  }

  #token(request: LoopbackRequest): LoopbackAnswer {
    if (request.method !== "POST" || !String(request.headers["content-type"]).startsWith("application/x-www-form-urlencoded"))
      return refusal(400, "invalid_request", "AADSTS900144: The request body must be form-urlencoded.");
    const form = new URLSearchParams(request.body.toString("utf8"));
    if (form.get("grant_type") !== "client_credentials")
      return refusal(400, "unsupported_grant_type", "AADSTS70003: The grant is not supported.");
    if (form.get("client_id") !== this.principal.clientId)
      return refusal(400, "unauthorized_client", "AADSTS700016: The application was not found in the directory.");
    if (form.get("scope")?.split(" ").includes("https://vault.azure.net/.default") !== true)
      return refusal(400, "invalid_scope", "AADSTS70011: The provided value for scope is not valid.");
    const grant = this.#grantOf(form);
    if (grant === "out of time")
      return refusal(401, "invalid_client", "AADSTS700024: Client assertion is not within its valid time range.");
    if (grant === undefined) return refusal(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.");
    this.grants.push(grant);
    return json(200, { token_type: "Bearer", expires_in: LIFETIME_SECONDS, ext_expires_in: LIFETIME_SECONDS, access_token: this.issue() });
  }

  #grantOf(form: URLSearchParams): Grant | "out of time" | undefined {
    if (form.get("client_secret") === this.principal.clientSecret) return "client_secret";
    if (form.get("client_assertion_type") !== "urn:ietf:params:oauth:client-assertion-type:jwt-bearer") return undefined;
    const assertion = form.get("client_assertion") ?? "";
    if (assertion === this.principal.federatedToken) return "federated_token";
    // What a certificate signs is a JWT about the client itself; whose certificate it is, the emulator does not look at.
    const [, payload = ""] = assertion.split(".");
    try {
      const claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as Readonly<Record<string, unknown>>;
      if (claims["iss"] !== this.principal.clientId || claims["sub"] !== this.principal.clientId) return undefined;
      const now = (Date.now() + this.skewMs) / 1000;
      const isTimely = Number(claims["nbf"]) <= now + LEEWAY_SECONDS && Number(claims["exp"]) >= now - LEEWAY_SECONDS;
      return isTimely ? "client_certificate" : "out of time";
    } catch {
      return undefined;
    }
  }
}

/** A certificate with its key in one PEM, as a service principal has it in a file. Entra wants RSA. */
export async function principalCertificate(): Promise<string> {
  const { cert, private: key } = await generate([{ name: "commonName", value: "coffer-tests" }], { keySize: 2048 });
  return `${cert.trim()}\n${key.trim()}\n`;
}

function configuration(origin: string, tenant: string): object {
  return {
    issuer: `${origin}${tenant}/v2.0`,
    authorization_endpoint: `${origin}${tenant}/oauth2/v2.0/authorize`,
    token_endpoint: `${origin}${tenant}/oauth2/v2.0/token`,
    jwks_uri: `${origin}${tenant}/discovery/v2.0/keys`,
  };
}

function refusal(status: number, error: string, description: string): LoopbackAnswer {
  return json(status, { error, error_description: `${description} Trace ID: ${randomUUID()}`, error_codes: [] });
}

function json(status: number, body: object): LoopbackAnswer {
  return { status, headers: { "content-type": "application/json; charset=utf-8" }, body: JSON.stringify(body) };
}
