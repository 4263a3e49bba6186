/** The canonical statuses that the service answers, with their numbers in gRPC and in HTTP. */
export const STATUSES = {
  INVALID_ARGUMENT: { grpc: 3, http: 400 },
  NOT_FOUND: { grpc: 5, http: 404 },
  ALREADY_EXISTS: { grpc: 6, http: 409 },
  PERMISSION_DENIED: { grpc: 7, http: 403 },
  RESOURCE_EXHAUSTED: { grpc: 8, http: 429 },
  FAILED_PRECONDITION: { grpc: 9, http: 400 },
  ABORTED: { grpc: 10, http: 409 },
  UNIMPLEMENTED: { grpc: 12, http: 501 },
  INTERNAL: { grpc: 13, http: 500 },
  UNAVAILABLE: { grpc: 14, http: 503 },
  UNAUTHENTICATED: { grpc: 16, http: 401 },
} as const satisfies Readonly<Record<string, { readonly grpc: number; readonly http: number }>>;

export type Status = keyof typeof STATUSES;

/** What the service adds to some refusals, so that programs need not read their text. */
export interface ErrorReason {
  readonly reason: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A refusal of the service, before it is written in the words of a transport. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly status: Status;
  readonly reason: ErrorReason | undefined;
  /** How long to wait, where the service says so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: Status, message: string, more: { readonly reason?: ErrorReason; readonly retryAfterSeconds?: number } = {}) {
    super(message);
    this.status = status;
    this.reason = more.reason;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}
