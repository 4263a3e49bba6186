import type { Annotations } from "./marker.ts";
import type { Trip } from "./wire.ts";

/** A moment as the SDK hands it over. */
export interface Timestamp {
  readonly seconds?: number | string | { toString(): string } | null;
  readonly nanos?: number | null;
}

/** A secret as the service describes it: everything but its versions. */
export interface SecretResource {
  readonly name?: string | null;
  readonly etag?: string | null;
  readonly annotations?: Annotations | null;
  readonly createTime?: Timestamp | null;
}

/** A version of a secret, without its value. */
export interface VersionResource {
  readonly name?: string | null;
  readonly createTime?: Timestamp | null;
  /** `ENABLED`, `DISABLED`, `DESTROYED`, or the number of it. */
  readonly state?: string | number | null;
}

interface Page {
  readonly nextPageToken?: string | null;
}

interface PageRequest {
  readonly parent: string;
  readonly filter?: string;
  readonly pageSize?: number;
  readonly pageToken?: string;
}

/** The few methods of the service that the driver calls: what is sent, and what is answered. */
export interface Methods {
  readonly createSecret: { request: { parent: string; secretId: string; secret: object }; answer: SecretResource };
  readonly addSecretVersion: { request: { parent: string; payload: { data: Uint8Array; dataCrc32c: string } }; answer: VersionResource };
  readonly accessSecretVersion: {
    request: { name: string };
    answer: {
      readonly name?: string | null;
      readonly payload?: {
        readonly data?: Uint8Array | string | null;
        readonly dataCrc32c?: number | string | { toString(): string } | null;
      } | null;
    };
  };
  readonly getSecret: { request: { name: string }; answer: SecretResource };
  readonly updateSecret: {
    request: { secret: { name: string; etag: string; annotations: Annotations }; updateMask: { paths: string[] } };
    answer: SecretResource;
  };
  readonly deleteSecret: { request: { name: string; etag?: string }; answer: object };
  readonly listSecrets: { request: PageRequest; answer: Page & { readonly secrets?: readonly SecretResource[] | null } };
  readonly listSecretVersions: { request: PageRequest; answer: Page & { readonly versions?: readonly VersionResource[] | null } };
}

export type Method = keyof Methods;

/** How long one request may take, and who can give it up. */
export interface Bounds {
  readonly signal: AbortSignal;
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
  /** Filled with what is seen of the request while it is under way. */
  readonly trip?: Trip;
}

/** The service, one request at a time: no retries, no interpretation. */
export interface Service {
  /** `projects/…`, with the location of regional secrets. Asks for credentials when they are what tells the project. */
  parent(bounds: Bounds): Promise<string>;
  /** @throws CallFailure */
  send<Name extends Method>(method: Name, request: Methods[Name]["request"], bounds: Bounds): Promise<Methods[Name]["answer"]>;
  close(): Promise<void>;
}

/** The date of a moment. */
export function dateOf(time: Timestamp | null | undefined): Date | undefined {
  const seconds = Number(time?.seconds?.toString() ?? Number.NaN);
  return Number.isFinite(seconds) ? new Date(seconds * 1000 + (time?.nanos ?? 0) / 1e6) : undefined;
}

/** The last part of a resource name: the id of a secret, the number of a version. Names carry the number of the project, so only this part is ever compared. */
export function lastPart(name: string | null | undefined): string {
  return /\/(?:secrets|versions)\/([^/]+)$/.exec(name ?? "")?.[1] ?? "";
}
