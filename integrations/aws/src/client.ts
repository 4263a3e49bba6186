// The only file that imports the SDK.
import {
  BatchGetSecretValueCommand,
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
  type SecretsManagerClientConfig,
  TagResourceCommand,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { type CallOptions, DriverError } from "@coffer/core";
import { boundedCall } from "./deadline.ts";
import { isRegion } from "./settings-check.ts";
import type { AwsSettings } from "./settings-types.ts";
import { Journey, Transport } from "./transport.ts";

/** A command of the SDK, as far as its output can be told from it. */
interface Command<Output> {
  resolveMiddleware(...parts: never[]): (...parts: never[]) => Promise<{ readonly output: Output }>;
}

type Send = (command: Command<unknown>, options: CallOptions, writes: boolean) => Promise<unknown>;

/** The operations of the service that the driver uses, and nothing else of the SDK. */
function operations(send: Send) {
  const operation =
    <Input extends object, Output>(Operation: new (input: Input) => Command<Output>, writes = false) =>
    async (input: Input, options: CallOptions): Promise<Output> =>
      (await send(new Operation(input), options, writes)) as Output;
  return {
    batchGetSecretValue: operation(BatchGetSecretValueCommand),
    createSecret: operation(CreateSecretCommand, true),
    deleteSecret: operation(DeleteSecretCommand, true),
    describeSecret: operation(DescribeSecretCommand),
    getSecretValue: operation(GetSecretValueCommand),
    listSecrets: operation(ListSecretsCommand),
    listSecretVersionIds: operation(ListSecretVersionIdsCommand),
    putSecretValue: operation(PutSecretValueCommand, true),
    restoreSecret: operation(RestoreSecretCommand, true),
    tagResource: operation(TagResourceCommand, true),
    updateSecretVersionStage: operation(UpdateSecretVersionStageCommand, true),
  };
}

/** A connection to the service in one region. */
export interface AwsApi extends ReturnType<typeof operations> {
  /** Whether the write that failed with this error may have been carried out, by this or an earlier attempt of the same request. */
  mayHaveHappened(error: unknown): boolean;
  /** Whom the request that failed with this error was sent to; `undefined` where a client of the program has sent it. */
  hostOf(error: unknown): string | undefined;
  /** Ends the connection. Later calls fail with `closed`. */
  close(): void;
}

/**
 * Makes a client of its own for these settings. Makes no request; reads the shared configuration files only for a region that nothing else tells.
 * @throws DriverError `invalid_settings` when there is no region
 */
export async function openClient(settings: AwsSettings): Promise<AwsApi> {
  const own = settings.client === undefined ? await ownClient(settings) : undefined;
  // A client of the program is only ever given commands of the SDK.
  const client = own ?? (settings.client as unknown as SecretsManagerClient);
  const lost = new WeakSet<object>();
  const hosts = new WeakMap<object, string>();
  let closed = false;

  const send: Send = async (command, options, writes) => {
    if (closed) throw new DriverError("closed");
    const journey = new Journey();
    try {
      return await boundedCall(options, (abortSignal) =>
        client.send(command as unknown as GetSecretValueCommand, { abortSignal, journey } as { abortSignal: AbortSignal }),
      );
    } catch (error) {
      const mayHaveHappened = writes && (own === undefined ? wasPerhapsSent(error) : journey.lost);
      if (DriverError.isInstance(error) && error.info.code === "timeout") throw timedOut(error, mayHaveHappened, journey);
      if (typeof error === "object" && error !== null) {
        if (mayHaveHappened) lost.add(error);
        if (journey.host !== undefined) hosts.set(error, journey.host);
      }
      throw error;
    }
  };
  return {
    ...operations(send),
    mayHaveHappened: (error) => typeof error === "object" && error !== null && lost.has(error),
    hostOf: (error) => (typeof error === "object" && error !== null ? hosts.get(error) : undefined),
    close() {
      closed = true;
      own?.destroy();
    },
  };
}

async function ownClient(settings: AwsSettings): Promise<SecretsManagerClient> {
  const region = settings.region ?? environment("AWS_REGION") ?? environment("AWS_DEFAULT_REGION");
  const config: SecretsManagerClientConfig = {
    requestHandler: new Transport({ allowHttp: settings.allow_http ?? false }) as unknown as NonNullable<
      SecretsManagerClientConfig["requestHandler"]
    >,
    ...(region === undefined ? {} : { region }),
    ...(settings.profile === undefined ? {} : { profile: settings.profile }),
    ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
    ...(settings.max_attempts === undefined ? {} : { maxAttempts: settings.max_attempts }),
    ...(settings.credentials === undefined
      ? {}
      : { credentials: settings.credentials as NonNullable<SecretsManagerClientConfig["credentials"]> }),
  };
  const client = new SecretsManagerClient(config);
  // The SDK would only notice at the first request, with an error of no kind.
  const found = await client.config.region().catch(() => undefined);
  if (found === undefined || !isRegion(found))
    throw new DriverError("invalid_settings", undefined, {
      safeMessage: found === undefined ? "No region is known." : "The region is not the name of one.",
      hint: "Set region (as in eu-central-1), AWS_REGION, AWS_DEFAULT_REGION, or the region of the profile.",
    });
  return client;
}

/** A variable of the environment; an empty one counts as not set, as everywhere in the SDK. */
function environment(name: string): string | undefined {
  const value = process.env[name];
  return value === "" ? undefined : value;
}

// A client of the program tells less: only these codes say that the request was never sent.
const NOT_SENT = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ERR_TLS_\w+|ERR_SSL_\w+|\w*CERT\w*|UNABLE_TO_\w+)$/;

/** Whether a request of a client that the program has made may have arrived. */
function wasPerhapsSent(error: unknown): boolean {
  if (DriverError.isInstance(error)) return error.info.code === "timeout";
  const { name, code, $metadata } = (error ?? {}) as {
    readonly name?: unknown;
    readonly code?: unknown;
    readonly $metadata?: { readonly attempts?: number; readonly httpStatusCode?: number };
  };
  if (($metadata?.attempts ?? 1) > 1 || ($metadata?.httpStatusCode ?? 0) >= 500) return true;
  return typeof code === "string" ? !NOT_SENT.test(code) : name === "AbortError" || name === "TimeoutError" || name === "SyntaxError";
}

function timedOut(error: DriverError, mayHaveHappened: boolean, { host }: Journey): DriverError {
  return new DriverError("timeout", error.raw(), {
    outcome: mayHaveHappened ? "unknown" : "not_applied",
    ...(host === undefined ? {} : { safeMessage: `No answer came from ${host}.` }),
  });
}
