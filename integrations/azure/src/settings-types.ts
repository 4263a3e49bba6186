import { plainSettings as plainly } from "@coffer/core";
import type { TokenCredential } from "@azure/identity";
import type { SecretClient } from "@azure/keyvault-secrets";

/** Which of Azure's clouds a vault lies in. */
export const CLOUDS = ["public", "us_government", "china"] as const;
/** One of `CLOUDS`. */
export type AzureCloud = (typeof CLOUDS)[number];

/** How to sign in. */
export const CREDENTIAL_KINDS = ["default", "cli", "managed_identity", "client_secret", "client_certificate", "workload_identity"] as const;
/** One of `CREDENTIAL_KINDS`; the settings say what each needs. */
export type AzureCredentialKind = (typeof CREDENTIAL_KINDS)[number];

/** The settings of the flavor `azure_key_vault`: which vault, and how to sign in. Everything but the vault may be left out. */
export interface AzureSettings {
  /** The name of the vault, 3 to 24 letters, digits and hyphens; `cloud` says which domain it lies in. */
  readonly key_vault_name?: string | undefined;
  /** The address of the vault, `https://…`; wins over `key_vault_name`. */
  readonly vault_url?: string | undefined;
  /** The cloud of the vault: `public` by default. */
  readonly cloud?: AzureCloud | undefined;
  /**
   * How to sign in. By default what the other settings say (a `client_secret`, a `client_certificate_path`, a `federated_token_file`), and without
   * any of them `default`: the chain of DefaultAzureCredential, from the environment to the Azure CLI.
   */
  readonly credential_kind?: AzureCredentialKind | undefined;
  /** The tenant to sign in to. AZURE_TENANT_ID does the same. */
  readonly tenant_id?: string | undefined;
  /** The application, or the user-assigned managed identity. AZURE_CLIENT_ID does the same. */
  readonly client_id?: string | undefined;
  /** The secret of the application, for `client_secret`. AZURE_CLIENT_SECRET does the same and keeps it out of files. */
  readonly client_secret?: string | undefined;
  /** A PEM file with certificate and key, for `client_certificate`. AZURE_CLIENT_CERTIFICATE_PATH does the same. */
  readonly client_certificate_path?: string | undefined;
  /** What opens the key in that file. AZURE_CLIENT_CERTIFICATE_PASSWORD does the same. */
  readonly client_certificate_password?: string | undefined;
  /** The file with the token of the platform, for `workload_identity`. AZURE_FEDERATED_TOKEN_FILE does the same. */
  readonly federated_token_file?: string | undefined;
  /** Where tokens come from, `https://…`; by default that of the cloud. AZURE_AUTHORITY_HOST does the same. */
  readonly authority_host?: string | undefined;
  /** A token for the vault that the caller already has: nothing is asked for, and nothing renews it. */
  readonly access_token?: string | undefined;
  /** Any credential of the Azure SDK: `@azure/identity` is then not loaded at all. For programs. */
  readonly credential?: TokenCredential | undefined;
  /** A client of the Azure SDK, used as it is: its own retries, transport and credential. For programs. */
  readonly client?: SecretClient | undefined;
  /** A PEM file of authorities to trust besides those of Node, for the vault and for `authority_host`. */
  readonly ca_file?: string | undefined;
  /** The version of the REST interface, where a private cloud or an emulator knows only an older one. */
  readonly api_version?: string | undefined;
  /**
   * Whether the vault's demand for a token has to name the domain that the vault lies in; `true` by default. `false` is for emulators: a host that
   * is not Azure's could ask for a token that Azure takes.
   */
  readonly verify_challenge?: boolean | undefined;
}

/** What the settings that are text are made of. Addresses have no user, path or query: a host that is to be trusted with tokens is written down plainly. */
export const TEXT_SETTINGS = {
  key_vault_name: /^[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]$/,
  vault_url: /^https:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?\/?$/,
  tenant_id: /^[^\p{Cc}\s]+$/u,
  client_id: /^[^\p{Cc}\s]+$/u,
  client_secret: /[^]/,
  client_certificate_path: /[^]/,
  client_certificate_password: /[^]/,
  federated_token_file: /[^]/,
  authority_host: /^https:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?\/?$/,
  access_token: /^[^\p{Cc}\s]+$/u,
  ca_file: /[^]/,
  api_version: /^[0-9A-Za-z.-]+$/,
} as const satisfies Partial<Record<keyof AzureSettings, RegExp>>;

const CHOICES: Readonly<Record<string, readonly unknown[]>> = {
  cloud: CLOUDS,
  credential_kind: CREDENTIAL_KINDS,
  verify_challenge: [true, false],
};

/** The settings when they are plainly right, which spares a short program the loading of zod. */
export function plainSettings(settings: unknown): AzureSettings | undefined {
  return plainly(settings, isPlain);
}

function isPlain(name: string, value: unknown): boolean {
  if (Object.hasOwn(CHOICES, name)) return CHOICES[name]?.includes(value) === true;
  return Object.hasOwn(TEXT_SETTINGS, name) && typeof value === "string" && TEXT_SETTINGS[name as keyof typeof TEXT_SETTINGS].test(value);
}
