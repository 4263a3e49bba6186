import { SecretManagerServiceClient } from "@google-cloud/secret-manager";
import { DriverError } from "@coffer/core";
import { grpc } from "google-gax";
import { findCredential, namedProject } from "./credentials.ts";
import { parseEndpoint, serviceEndpoint } from "./endpoint.ts";
import { CallFailure } from "./errors.ts";
import type { Bounds, Method, Methods, Service } from "./service.ts";
import type { GcpSettings } from "./settings-types.ts";
import { guardedFetch, type Trip, withTrip } from "./wire.ts";

interface Opened {
  readonly client: SecretManagerServiceClient;
  readonly parent: string;
}

/** Every method of the SDK, called alike. */
type SdkMethod = (request: object, options: object) => Promise<readonly unknown[]>;

const PAGED: ReadonlySet<Method> = new Set(["listSecrets", "listSecretVersions"]);

/** Makes the client of one manager; nobody else shares it. Credentials are looked for when the first request is made. */
export function openService(settings: GcpSettings): Service {
  return new GoogleService(settings);
}

class GoogleService implements Service {
  readonly #settings: GcpSettings;
  #opening: Promise<Opened> | undefined;
  #closed = false;

  constructor(settings: GcpSettings) {
    this.#settings = settings;
  }

  async parent(): Promise<string> {
    return (await this.#opened()).parent;
  }

  async send<Name extends Method>(
    method: Name,
    request: Methods[Name]["request"],
    { signal, deadline, trip: seen = { sent: false } }: Bounds,
  ): Promise<Methods[Name]["answer"]> {
    const { client } = await this.#opened();
    const { transport, client: existing, quota_project: quota } = this.#settings;
    const trip: Trip | undefined = existing === undefined && transport !== "grpc" ? seen : undefined;
    const options = {
      timeout: Math.max(1, Math.ceil(deadline - performance.now())),
      signal,
      // The SDK's own retries report a passed deadline instead of what happened, do not look at Retry-After, and know one method only.
      retry: null,
      autoPaginate: false,
      otherArgs: { headers: quota === undefined ? {} : { "x-goog-user-project": quota } },
    };
    try {
      const call = (): Promise<readonly unknown[]> => (client[method] as unknown as SdkMethod).call(client, request, options);
      const answer = await (trip === undefined ? call() : withTrip(trip, call));
      // Of a listing the SDK hands over the entries first, and the whole answer, which has the token of the next page, at the end.
      return (PAGED.has(method) ? answer[2] : answer[0]) as Methods[Name]["answer"];
    } catch (error) {
      throw new CallFailure(error, trip, false);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const opening = this.#opening;
    this.#opening = undefined;
    // A client that the program has made is the program's to close.
    if (this.#settings.client === undefined) await (await opening?.catch(() => undefined))?.client.close();
  }

  async #opened(): Promise<Opened> {
    if (this.#closed) throw new DriverError("closed");
    const opening = (this.#opening ??= open(this.#settings));
    try {
      return await opening;
    } catch (error) {
      // A failure is not kept: the next call looks again, as somebody may have logged in meanwhile.
      if (this.#opening === opening) this.#opening = undefined;
      throw error;
    }
  }
}

async function open(settings: GcpSettings): Promise<Opened> {
  const client = settings.client === undefined ? await makeClient(settings) : (settings.client as unknown as SecretManagerServiceClient);
  try {
    // A method that is called before this has succeeded would reject twice, once where nobody can catch it.
    await client.initialize();
  } catch (error) {
    throw new CallFailure(error, undefined, false);
  }
  const project = namedProject(settings) ?? (await projectOf(client));
  return { client, parent: `projects/${project}${settings.location === undefined ? "" : `/locations/${settings.location}`}` };
}

async function makeClient(settings: GcpSettings): Promise<SecretManagerServiceClient> {
  // Known before the credentials are, because requests for tokens need the same fetch. The service's own address may still change with their universe.
  const own = settings.endpoint === undefined ? undefined : parseEndpoint(settings.endpoint);
  const base: { origin?: string } = {};
  const carry: typeof fetch = (input, init) => guardedFetch(base.origin ?? "")(input, init);
  const auth = await findCredential(settings, carry);
  const universe = settings.universe_domain ?? (process.env["GOOGLE_CLOUD_UNIVERSE_DOMAIN"] || (await auth.getClient()).universeDomain);
  const { protocol, host, port } = own ?? serviceEndpoint(settings.location, universe);
  base.origin = new URL(`${protocol}://${host}:${port}`).origin;
  const rest = settings.transport !== "grpc";
  const authFetch = auth.fetch.bind(auth);
  // Also for credentials that the program has made: their own transport would follow redirects.
  auth.fetch = async (url: string, init: object) => {
    const carried: object = { ...init, fetchImplementation: carry };
    return authFetch(url, carried);
  };
  const client = new SecretManagerServiceClient({
    auth,
    fallback: rest,
    apiEndpoint: host,
    port,
    protocol,
    universeDomain: universe,
    ...(!rest && protocol === "http" ? { sslCreds: grpc.credentials.createInsecure() } : {}),
  });
  silence(client);
  return client;
}

/** The SDK's logger (GOOGLE_SDK_NODE_LOGGING) writes payloads. It is taken from this client; those of the program's own clients stay. */
function silence(client: SecretManagerServiceClient): void {
  const nothing = (): void => {};
  Reflect.set(client, "_log", Object.assign(nothing, { info: nothing, debug: nothing, warn: nothing, error: nothing }));
}

async function projectOf(client: SecretManagerServiceClient): Promise<string> {
  try {
    return await client.getProjectId();
  } catch (error) {
    throw new DriverError("invalid_settings", error, {
      safeMessage: "No project is set, and the credentials name none.",
      hint: "Set project, or GOOGLE_CLOUD_PROJECT.",
    });
  }
}
