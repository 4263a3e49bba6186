import { plainSettings as plainly } from "@coffer/core";
import { isLoopbackEndpoint, parseEndpoint } from "./endpoint.ts";

/**
 * A client of `@google-cloud/secret-manager` that the program has made itself. The flavor calls it and never closes it; credentials, endpoint and
 * transport are then the client's.
 */
export interface ExistingClient {
  initialize(): Promise<unknown>;
  getProjectId(): Promise<string>;
  accessSecretVersion: unknown;
  createSecret: unknown;
}

/** A credential that the program has made itself: a `GoogleAuth`, or any client of `google-auth-library`. */
export type ExistingAuth = { getClient(): Promise<object> } | { getRequestHeaders(url?: string | URL): Promise<unknown>; request: unknown };

/** The settings of the flavor `gcp_secrets_manager`. All may be left out where the environment says the rest. */
export interface GcpSettings {
  /** The id of the project. By default GOOGLE_CLOUD_PROJECT, then GCLOUD_PROJECT, then what the credentials, gcloud or the machine say. */
  readonly project?: string | undefined;
  /** Keeps regional secrets in this location (`europe-west3`) instead of global ones; they never leave it. */
  readonly location?: string | undefined;
  /**
   * Where new global secrets are replicated: `automatic` (the default), or the locations to use. Immutable afterwards. Projects whose organisation restricts
   * locations need a list.
   */
  readonly replication?: "automatic" | readonly string[] | undefined;
  /**
   * The Cloud KMS key that encrypts new secrets (`projects/…/cryptoKeys/…`); with a list of locations, a key for each of them. By default Google's own key.
   */
  readonly kms_key?: string | Readonly<Record<string, string>> | undefined;
  /** Labels of new secrets, for costs and policies. Lower-case letters, digits, `_` and `-`. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** A file with a credential in Google's JSON form. By default Application Default Credentials: GOOGLE_APPLICATION_CREDENTIALS, gcloud, the machine. */
  readonly credentials_file?: string | undefined;
  /** The project that pays for the requests and whose quota they use. By default that of the credentials, or GOOGLE_CLOUD_QUOTA_PROJECT. */
  readonly quota_project?: string | undefined;
  /** `rest` (the default, because it starts faster) or `grpc`. */
  readonly transport?: "rest" | "grpc" | undefined;
  /** Another address of the service, `https://host:port` or `host:port`: Private Service Connect, an emulator. Plain http is for loopback. */
  readonly endpoint?: string | undefined;
  /** Permits a plain http endpoint that is not on loopback. Secrets and tokens then cross the network in clear text. */
  readonly allow_plain_http?: boolean | undefined;
  /** Sends no credential: for emulators. */
  readonly anonymous?: boolean | undefined;
  /** The universe of a sovereign cloud, `googleapis.com` by default; also GOOGLE_CLOUD_UNIVERSE_DOMAIN. */
  readonly universe_domain?: string | undefined;
  /** How often a request is sent again after throttling or a service that is briefly not there: 4 by default, within the time of the call. */
  readonly max_retries?: number | undefined;
  /** An existing client, from a program. */
  readonly client?: ExistingClient | undefined;
  /** An existing credential, from a program. */
  readonly auth?: ExistingAuth | undefined;
}

/** How often a request is sent again when nobody says. */
export const DEFAULT_RETRIES = 4;

/** What an id of a project is made of; older ones carry a domain in front. */
export const PROJECT_ID = /^(?:[a-z0-9.-]{1,100}:)?[a-z0-9-]{1,63}$/;
/** What the name of a location is made of. */
export const LOCATION = /^[a-z0-9-]{1,63}$/;

// Of each no more than can be right alone: plain http elsewhere, for one, takes another setting.
const PLAIN: Readonly<Record<string, (text: string) => boolean>> = {
  project: (text) => PROJECT_ID.test(text),
  location: (text) => LOCATION.test(text),
  credentials_file: (text) => /^[^\0]+$/.test(text),
  quota_project: (text) => PROJECT_ID.test(text),
  transport: (text) => text === "rest" || text === "grpc",
  endpoint: (text) => parseEndpoint(text)?.protocol === "https" || isLoopbackEndpoint(text),
};

/** The settings when they are plainly right, which spares a short program the loading of zod. */
export function plainSettings(settings: unknown): GcpSettings | undefined {
  return plainly(settings, (name, value) => Object.hasOwn(PLAIN, name) && typeof value === "string" && PLAIN[name]?.(value) === true);
}
