import { AsyncLocalStorage } from "node:async_hooks";
import { readFile } from "node:fs/promises";
import type { TokenCredential } from "@azure/identity";
import type { SecretClient, SecretClientOptions } from "@azure/keyvault-secrets";
import { type CallOptions, DriverError } from "@coffer/core";
import { type CredentialPlan, invalid, planCredential, vaultUrl } from "./credentials.ts";
import { sendWithRetries } from "./retries.ts";
import { credentialClass, keyVault } from "./sdk.ts";
import type { AzureSettings } from "./settings-types.ts";
import { Transport, TransportError, type WireAnswer } from "@coffer/core/transport";

/** The SDK's words for a transport; its package need not be named for them. */
type HttpClient = NonNullable<SecretClientOptions["httpClient"]>;
type PipelineRequest = Parameters<HttpClient["sendRequest"]>[0];
type PipelineResponse = Awaited<ReturnType<HttpClient["sendRequest"]>>;
/** What every call of the SDK is given. */
export interface SdkOptions {
  readonly abortSignal: AbortSignal;
}

// A token may take a person's CLI its time; no call waits longer, because each has its own deadline.
const LONGEST_TOKEN_MS = 30_000;
const SDK_RETRIES = { maxRetries: 0 };
// The SDK passes neither signal nor options on to the second page of a listing, so the transport looks here what it is working for.
const calls = new AsyncLocalStorage<Work>();

/** What the transport works for. */
interface Work {
  readonly options: CallOptions;
  /** The last answer that was no success. */
  refusal?: WireAnswer;
}

/** A vault, and the one client of it that this driver has to itself. */
export class VaultConnection {
  readonly #client: SecretClient;
  readonly #transport: Transport | undefined;
  #closed = false;
  /** The first call, while it meets the challenge. */
  #first: Promise<unknown> | undefined;

  constructor(client: SecretClient, transport?: Transport) {
    this.#client = client;
    this.#transport = transport;
  }

  /**
   * Runs one call of the SDK within what is left of the time. The first one goes alone: it learns the challenge and fetches the token that all the others
   * then send along; a thousand first ones at once would each be challenged.
   */
  async call<Result>(options: CallOptions, run: (client: SecretClient, sdk: SdkOptions) => Promise<Result>): Promise<Result> {
    if (this.#closed) throw new DriverError("closed");
    const work: Work = { options };
    const start = (): Promise<Result> =>
      calls
        .run(work, () => run(this.#client, { abortSignal: options.signal }))
        .catch((error: unknown) => {
          throw withDetails(error, work.refusal);
        });
    if (this.#first === undefined) {
      const first = start();
      this.#first = first.catch(() => undefined);
      return first;
    }
    await this.#first;
    if (this.#closed) throw new DriverError("closed");
    return start();
  }

  close(): void {
    this.#closed = true;
    this.#transport?.close();
  }
}

/**
 * Connects to the vault of the settings. Loads the SDK, and of its credentials the one that is asked for; sends nothing.
 * @throws DriverError `invalid_settings`
 */
export async function connect(settings: AzureSettings, environment: NodeJS.ProcessEnv = process.env): Promise<VaultConnection> {
  if (settings.client !== undefined) return new VaultConnection(settings.client);
  const url = vaultUrl(settings);
  const ca = settings.ca_file === undefined ? undefined : await textOf(settings.ca_file);
  const transport = new Transport({ tls: ca === undefined ? {} : { ca: [ca] } });
  const [{ SecretClient }, credential] = await Promise.all([keyVault(), credentialOf(settings, environment, transport)]);
  const client = new SecretClient(url, credential, {
    httpClient: httpClient(transport, new URL(url).origin),
    // Repeated by our own transport, which knows deadlines and does not repeat a write whose answer was lost.
    retryOptions: SDK_RETRIES,
    redirectOptions: { maxRetries: 0 },
    disableChallengeResourceVerification: settings.verify_challenge === false,
    ...(settings.api_version === undefined
      ? {}
      : { serviceVersion: settings.api_version as NonNullable<SecretClientOptions["serviceVersion"]> }),
  });
  return new VaultConnection(client, transport);
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    throw invalid("The file of ca_file cannot be read.", "Check its path and its rights.");
  }
}

/** The transport in the SDK's words. With an origin, nothing is sent to any other. */
function httpClient(transport: Transport, origin?: string): HttpClient {
  return {
    async sendRequest(request) {
      const work = calls.getStore();
      if (origin !== undefined && new URL(request.url).origin !== origin)
        throw new TransportError("foreign", new URL(request.url).host, { code: "OTHER_HOST", sent: false });
      const answer = await sendWithRetries(
        (each) => transport.send(each),
        {
          url: request.url,
          method: request.method,
          headers: request.headers.toJSON(),
          body: bodyOf(request),
          signal: request.abortSignal === undefined ? work?.options.signal : (request.abortSignal as AbortSignal),
          plain: request.allowInsecureConnection === true,
          agent: request.agent as undefined,
        },
        work?.options.deadline ?? performance.now() + LONGEST_TOKEN_MS,
      );
      if (work !== undefined && answer.status >= 400) work.refusal = answer;
      if (!isOfService(answer))
        throw new TransportError("foreign", new URL(request.url).host, { code: `STATUS_${answer.status}`, sent: true });
      return asResponse(request, answer);
    },
  };
}

/** Of a page of a listing that fails the SDK tells neither why nor what was missing; other failures have it in their details. */
function withDetails(error: unknown, refusal: WireAnswer | undefined): unknown {
  if (refusal === undefined || !(error instanceof Error)) return error;
  const { statusCode, details } = error as { readonly statusCode?: unknown; readonly details?: { readonly error?: unknown } };
  if (statusCode !== refusal.status || details?.error !== undefined || refusal.text === "") return error;
  try {
    const { error: said } = JSON.parse(refusal.text) as { readonly error?: { readonly innererror?: unknown } };
    return Object.assign(error, { details: { error: { ...said, innerError: said?.innererror } } });
  } catch {
    return error;
  }
}

function bodyOf({ body }: PipelineRequest): string | Uint8Array | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === "string" || body instanceof Uint8Array) return body;
  throw new TypeError("The SDK sends a body of an unforeseen kind.");
}

/** Success is told in JSON or without a word. Anything else that calls itself success is a proxy, a sign-in page, or cut off. */
function isOfService({ status, headers, text }: WireAnswer): boolean {
  const isJson = /^application\/(?:[a-z-]+\+)?json/i.test(headers["content-type"] ?? "");
  if (!isJson) return status >= 300 || text === "";
  if (text === "") return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function asResponse(request: PipelineRequest, answer: WireAnswer): PipelineResponse {
  // The headers of a request are of the class that the SDK wants for those of an answer, and make an empty copy of themselves.
  const Headers = request.headers.constructor as new (raw: Readonly<Record<string, string>>) => PipelineResponse["headers"];
  const headers = new Headers(answer.headers);
  // The SDK looks into the body of every failure, and fails itself where there is none.
  const bare = answer.status >= 300 && answer.text === "";
  if (bare) headers.set("content-type", "application/json");
  return { request, status: answer.status, headers, bodyAsText: bare ? "{}" : answer.text };
}

async function credentialOf(settings: AzureSettings, environment: NodeJS.ProcessEnv, transport: Transport): Promise<TokenCredential> {
  if (settings.credential !== undefined) return settings.credential;
  const { access_token: token } = settings;
  // Of a bare token nobody knows how long it lives; the vault will say.
  if (token !== undefined) return { getToken: async () => ({ token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };
  const trouble: TokenTrouble = new Map();
  const client = watched(httpClient(transport), trouble);
  return shared(await identityOf(planCredential(settings, environment), client), trouble);
}

/** What went wrong last on the way to the token endpoint, which the SDK would tell as if the credential had been refused. */
type TokenTrouble = Map<"last", TransportError>;

function watched(client: HttpClient, trouble: TokenTrouble): HttpClient {
  return {
    sendRequest: (request) =>
      client.sendRequest(request).catch((error: unknown) => {
        if (error instanceof TransportError) trouble.set("last", error);
        throw error;
      }),
  };
}

/** One request for a token serves many calls, so none of them may end it for the others. */
function shared(credential: TokenCredential, trouble: TokenTrouble): TokenCredential {
  return {
    getToken: async (scopes, options = {}) => {
      trouble.clear();
      try {
        return await calls.exit(() => credential.getToken(scopes, { ...options, abortSignal: AbortSignal.timeout(LONGEST_TOKEN_MS) }));
      } catch (error) {
        const last = trouble.get("last");
        // Nothing of the call itself was sent while its token was missing.
        throw last === undefined ? error : new TransportError(last.trouble, last.host, { code: last.code, sent: false });
      }
    },
  };
}

async function identityOf(plan: CredentialPlan, client: HttpClient): Promise<TokenCredential> {
  const { tenantId, clientId } = plan;
  const options = {
    httpClient: client,
    retryOptions: SDK_RETRIES,
    redirectOptions: { maxRetries: 0 },
    disableInstanceDiscovery: plan.foreignAuthority,
    ...(plan.authorityHost === undefined ? {} : { authorityHost: plan.authorityHost }),
  };
  const tenant = tenantId === undefined ? {} : { tenantId };
  if (plan.kind === "cli") return new (await credentialClass("AzureCliCredential"))(tenant);
  switch (plan.kind) {
    case "client_secret":
      return new (await credentialClass("ClientSecretCredential"))(tenantId ?? "", clientId ?? "", plan.clientSecret ?? "", options);
    case "client_certificate":
      return new (await credentialClass("ClientCertificateCredential"))(
        tenantId ?? "",
        clientId ?? "",
        {
          certificatePath: plan.certificatePath ?? "",
          ...(plan.certificatePassword === undefined ? {} : { certificatePassword: plan.certificatePassword }),
        },
        options,
      );
    case "workload_identity":
      return new (await credentialClass("WorkloadIdentityCredential"))({
        ...options,
        tenantId: tenantId ?? "",
        clientId: clientId ?? "",
        tokenFilePath: plan.tokenFilePath ?? "",
      });
    case "managed_identity": {
      const ManagedIdentity = await credentialClass("ManagedIdentityCredential");
      return clientId === undefined ? new ManagedIdentity(options) : new ManagedIdentity(clientId, options);
    }
    default:
      return new (await credentialClass("DefaultAzureCredential"))({
        ...options,
        ...tenant,
        ...(clientId === undefined ? {} : { managedIdentityClientId: clientId, workloadIdentityClientId: clientId }),
      });
  }
}
