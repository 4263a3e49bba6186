import { randomUUID } from "node:crypto";
import { LoopbackServer, type LoopbackAnswer, type LoopbackRequest } from "../loopback.ts";
import { Input } from "./input.ts";
import { type OperationDefinition, OPERATIONS, type Surroundings } from "./operations.ts";
import { addVersion, CURRENT, type EmulatedSecret, EmulatedSecrets } from "./secrets.ts";
import { type AwsKeys, checkSignature } from "./signature.ts";
import { answered, AwsError, inputOf, operationOf, refused } from "./wire.ts";

/** How an emulator of AWS Secrets Manager behaves. */
export interface AwsEmulatorOptions {
  readonly region?: string;
  readonly keys?: AwsKeys;
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly latencyMs?: number;
}

const PRINCIPAL = "arn:aws:iam::123456789012:user/etl";

/**
 * AWS Secrets Manager on a free port of loopback: the protocol AWS JSON 1.1, signatures checked, and the documented behaviour with its traps.
 * The faults are those of `server.faults`.
 */
export class AwsEmulator {
  readonly server: LoopbackServer;
  readonly region: string;
  readonly keys: AwsKeys;
  readonly secrets: EmulatedSecrets;
  /** Operations that the caller has no permission for, on any secret. */
  readonly deniedOperations = new Set<string>();
  /** Names of secrets that the caller has no permission for. */
  readonly deniedNames = new Set<string>();
  /** The input of every request that was signed right, oldest first. */
  readonly received: { readonly operation: string; readonly input: Readonly<Record<string, unknown>>; readonly at: number }[] = [];
  /** How long a deletion without recovery takes, in milliseconds. */
  forcedDeletionMs = 0;
  /** After how many milliseconds a new secret turns up in listings. */
  listingLagMs = 0;
  /** How many reads of a new secret are answered as if it was not there. */
  lateReads = 0;
  /** CreateSecret does not recognise the token of a request that it has carried out, as some servers for tests do. */
  forgetsTokens = false;
  /** The next request for this operation is carried out, and its answer lost. */
  losesNext: string | undefined;
  /** After an answer was lost everything is throttled. */
  throttlesAfterLoss = false;
  /** How far the clock of the service is ahead, in milliseconds. */
  skewMs = 0;
  readonly #lateness = new WeakMap<EmulatedSecret, number>();

  private constructor(options: AwsEmulatorOptions, server: LoopbackServer) {
    this.server = server;
    this.region = options.region ?? "eu-central-1";
    this.keys = options.keys ?? { accessKeyId: "AKIACOFFEREMULATOR01", secretAccessKey: randomUUID() + randomUUID() };
    this.secrets = new EmulatedSecrets(this.region, () => this.now().getTime());
  }

  static async start(options: AwsEmulatorOptions = {}): Promise<AwsEmulator> {
    const holder: { emulator?: AwsEmulator } = {};
    const server = await LoopbackServer.start((request) => holder.emulator?.answer(request) ?? { status: 503 }, {
      label: operationOf,
      ...(options.tls === undefined ? {} : { tls: options.tls }),
      ...(options.latencyMs === undefined ? {} : { latencyMs: options.latencyMs }),
    });
    holder.emulator = new AwsEmulator(options, server);
    return holder.emulator;
  }

  /** The clock of the service. */
  now(): Date {
    return new Date(Date.now() + this.skewMs);
  }

  /** Makes a secret as the console, the AWS CLI or another tool would: without our marker. */
  plant(name: string, value: string | Uint8Array | undefined, more: { readonly owningService?: string } = {}): EmulatedSecret {
    const secret = this.secrets.find(name) ?? this.secrets.add(name);
    secret.owningService = more.owningService;
    if (value !== undefined)
      addVersion(
        secret,
        { id: randomUUID(), value: typeof value === "string" ? value : Buffer.from(value), createdAt: this.secrets.instant() },
        [CURRENT],
      );
    return secret;
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  /** What the service does with one request. */
  answer(request: LoopbackRequest): LoopbackAnswer {
    const requestId = randomUUID();
    const context = { requestId, now: this.now() };
    try {
      const operation = operationOf(request);
      const { faults } = this.server;
      const throttle = faults.take("throttle");
      if (throttle !== undefined) {
        const seconds = throttle.retryAfterSeconds;
        return refused(new AwsError("ThrottlingException", "Rate exceeded"), {
          ...context,
          ...(seconds === undefined ? {} : { headers: { "retry-after": String(seconds) } }),
        });
      }
      if (faults.take("broken") !== undefined) throw new AwsError("InternalServiceError", "An error occurred on the server side.", 500);
      if (faults.get("unauthenticated") !== undefined)
        throw new AwsError("UnrecognizedClientException", "The security token included in the request is invalid.");
      const region = checkSignature(request, this.keys, this.now());
      if (region !== this.region)
        throw new AwsError("InvalidSignatureException", `Credential should be scoped to a valid region, not '${region}'.`);
      const definition = Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation] : undefined;
      if (definition === undefined) throw new AwsError("UnknownOperationException", "");
      const members = inputOf(request);
      this.received.push({ operation, input: members, at: performance.now() });
      return this.#run(definition, request, members, operation, requestId);
    } catch (error) {
      if (error instanceof AwsError) return refused(error, context);
      throw error;
    }
  }

  #run(
    definition: OperationDefinition,
    request: LoopbackRequest,
    members: Readonly<Record<string, unknown>>,
    operation: string,
    requestId: string,
  ): LoopbackAnswer {
    const id = members["SecretId"] ?? members["Name"];
    const name = typeof id === "string" ? id : "*";
    // Permissions are looked at before anything else, so that nobody learns which names there are.
    if (this.#denied(operation, name)) throw this.#denial(operation, name);
    if (definition.writes && this.server.faults.get("echo") !== undefined)
      throw new AwsError(
        "InvalidRequestException",
        `You can't do this: ${request.body.toString("utf8")} with ${JSON.stringify(request.headers)} and ${this.keys.secretAccessKey}`,
      );
    const output = definition.run(new Input(members, definition.members), this.#surroundings());
    if (this.losesNext === operation) {
      this.losesNext = undefined;
      this.server.faults.inject({ kind: "reset_after_write", times: 1 });
    }
    if (this.throttlesAfterLoss && definition.writes) this.server.faults.inject({ kind: "throttle", times: 1000 });
    return answered(output, { requestId, now: this.now(), wrote: definition.writes });
  }

  #surroundings(): Surroundings {
    const { faults } = this.server;
    return {
      secrets: this.secrets,
      forcedDeletionMs: this.forcedDeletionMs,
      listingLagMs: this.listingLagMs,
      forgetsTokens: this.forgetsTokens,
      denied: (operation, name) => this.#denied(operation, name),
      denial: (operation, name) => this.#denial(operation, name),
      late: (secret) => this.#late(secret),
      page: (number) => {
        if (faults.get("fail_page")?.page === number)
          throw new AwsError("InternalServiceError", "An error occurred on the server side.", 500);
        return { repeat: faults.get("repeat_token") !== undefined };
      },
    };
  }

  #late(secret: EmulatedSecret): boolean {
    const left = this.#lateness.get(secret) ?? this.lateReads;
    this.#lateness.set(secret, left - 1);
    return left > 0;
  }

  #denied(operation: string, name: string): boolean {
    const deny = this.server.faults.get("deny");
    const { name: only = name, permission = `secretsmanager:${operation}` } = deny ?? {};
    if (deny !== undefined && only === name && permission === `secretsmanager:${operation}`) return true;
    return this.deniedOperations.has(operation) || this.deniedNames.has(name);
  }

  #denial(operation: string, name: string): AwsError {
    return new AwsError(
      "AccessDeniedException",
      `User: ${PRINCIPAL} is not authorized to perform: secretsmanager:${operation} on resource: ${name} because no identity-based policy allows the secretsmanager:${operation} action`,
    );
  }
}
