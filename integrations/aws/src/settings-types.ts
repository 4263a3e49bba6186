/** A pair of keys, with a session token when they are temporary. */
export interface AwsKeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** When they expire; a function that made them is asked again before that. */
  readonly expiration?: Date | undefined;
}

/** Keys, or a function that gets some: every provider of `@aws-sdk/credential-providers` is one. */
export type AwsCredentials = AwsKeyPair | (() => Promise<AwsKeyPair>);

/** A `SecretsManagerClient` of the SDK that the program has made itself. */
export interface ExistingClient {
  send(command: never, options?: never): Promise<unknown>;
}

/** The settings of the flavor `aws`. All may be left out where the environment says enough. */
export interface AwsSettings {
  /** The region, as in `eu-central-1`. Otherwise AWS_REGION, AWS_DEFAULT_REGION or the region of the profile, in this order. */
  readonly region?: string | undefined;
  /** The profile of `~/.aws/config` and `~/.aws/credentials`. Otherwise AWS_PROFILE, or the default one. */
  readonly profile?: string | undefined;
  /** The address of the service, for a VPC endpoint or an emulator. Otherwise AWS_ENDPOINT_URL_SECRETS_MANAGER, AWS_ENDPOINT_URL, or the address of the region. */
  readonly endpoint?: string | undefined;
  /** Lets `endpoint` be plain `http` on another machine than this one. Values and signatures then travel in the clear. */
  readonly allow_http?: boolean | undefined;
  /** The KMS key that encrypts new secrets: an id, an ARN or an alias. `aws/secretsmanager` by default. */
  readonly kms_key?: string | undefined;
  /** Tags that new secrets get besides our own, for accounts that demand some. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** For how many days a deleted secret can be restored: 7 to 30, by default 30. */
  readonly recovery_window_days?: number | undefined;
  /** How often a request is sent at most, the first time included: 1 to 10. Otherwise AWS_MAX_ATTEMPTS, or 3. */
  readonly max_attempts?: number | undefined;
  /** Keys, or a provider of the SDK. Only in programs; by default the SDK looks in all the usual places. */
  readonly credentials?: AwsCredentials | undefined;
  /** A client of the SDK that exists already. Only in programs; it brings its own region, endpoint, credentials, retries and timeouts, and is not closed. */
  readonly client?: ExistingClient | undefined;
}

/** How long a deleted secret can be restored when nobody says, in days: as the service has it. */
export const DEFAULT_RECOVERY_WINDOW_DAYS = 30;
