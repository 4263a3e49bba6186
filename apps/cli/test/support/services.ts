import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { AwsEmulator } from "@coffer/emulators/aws/server";
import { AzureEmulator } from "@coffer/emulators/azure/server";
import { GcpServer } from "@coffer/emulators/gcp/server";
import type { LoopbackServer } from "@coffer/emulators/loopback";
import { VaultEmulator } from "@coffer/emulators/vault/server";

type Environment = Readonly<Record<string, string>>;

/** A service that runs on loopback, and the way to it. */
export interface RunningService {
  /** The settings of a secrets manager there, as they stand in a file. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** Where the credential is found. */
  readonly env: Environment;
  /** The same for a credential that the service does not accept. */
  readonly wrongEnv: Environment;
  /** What no output may show. */
  readonly credentials: readonly string[];
  /** Stores something as the service's console or another tool would: without our marker, under a name of the service's own. */
  plant(name: string, content: string | Uint8Array): void;
  /** Where its faults are switched on. */
  readonly server: LoopbackServer;
  /** Connections are refused from now on. */
  disconnect(): Promise<void>;
  stop(): Promise<void>;
}

/** A service that there is an emulator of, and what its flavor says in its own words. */
export interface Service {
  readonly flavor: string;
  /** Another name of the flavor. */
  readonly alias?: string;
  /** The service stores bytes as well as text. */
  readonly storesBytes: boolean;
  /** A deleted secret is kept for a while, and its name reserved. */
  readonly deletesSoftly: boolean;
  /** What is missing when reading is refused, as the service calls it, and what the hint says that grants it. */
  readonly reading: { readonly permission: string; readonly grant: string };
  /** The same for listing. */
  readonly listing: { readonly permission: string; readonly grant: string };
  /** What somebody whose credential is not accepted is told to do. */
  readonly signIn: string;
  /** Whether the service itself looks at the credential; otherwise whoever hands out tokens refuses it before. */
  readonly looksAtCredentials: boolean;
  /** @param folder where files with credentials may lie */
  start(folder: string): Promise<RunningService>;
}

const aws: Service = {
  flavor: "aws",
  storesBytes: true,
  deletesSoftly: true,
  reading: { permission: "secretsmanager:GetSecretValue", grant: "Allow the action secretsmanager:GetSecretValue in a policy" },
  listing: { permission: "secretsmanager:ListSecrets", grant: "Allow the action secretsmanager:ListSecrets in a policy" },
  signIn: "Check the clock of this machine, and that the keys are complete.",
  looksAtCredentials: true,
  async start() {
    const emulator = await AwsEmulator.start();
    const { server, region, keys } = emulator;
    const env = { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey };
    const wrong = "wrong-secret-access-key";
    return {
      settings: { region, endpoint: server.url },
      env,
      wrongEnv: { ...env, AWS_SECRET_ACCESS_KEY: wrong },
      credentials: [keys.secretAccessKey, wrong],
      plant: (name, content) => void emulator.plant(name, content),
      server,
      disconnect: () => server.disconnect(),
      stop: () => emulator.stop(),
    };
  },
};

const azure: Service = {
  flavor: "azure_key_vault",
  alias: "azure",
  storesBytes: false,
  deletesSoftly: true,
  reading: { permission: "Microsoft.KeyVault/vaults/secrets/getSecret/action", grant: "Key Vault Secrets User" },
  listing: { permission: "Microsoft.KeyVault/vaults/secrets/readMetadata/action", grant: "Key Vault Secrets User" },
  signIn: "az login",
  looksAtCredentials: false,
  async start(folder) {
    const emulator = await AzureEmulator.start();
    const { tenantId, clientId, clientSecret } = emulator.entra.principal;
    const ca = join(folder, "azure-ca.pem");
    writeFileSync(ca, emulator.ca);
    const env = { AZURE_TENANT_ID: tenantId, AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: clientSecret };
    const wrong = "wrong-client-secret";
    return {
      settings: {
        vault_url: emulator.url,
        authority_host: emulator.url,
        credential_kind: "client_secret",
        ca_file: ca,
        verify_challenge: false,
      },
      env,
      wrongEnv: { ...env, AZURE_CLIENT_SECRET: wrong },
      credentials: [clientSecret, wrong],
      plant: (name, content) => void emulator.vault.set(name, { value: Buffer.from(content).toString("utf8") }),
      server: emulator.server,
      disconnect: () => emulator.server.disconnect(),
      stop: () => emulator.stop(),
    };
  },
};

const gcp: Service = {
  flavor: "gcp_secrets_manager",
  alias: "gcp",
  storesBytes: true,
  deletesSoftly: false,
  reading: { permission: "secretmanager.versions.access", grant: "roles/secretmanager.secretAccessor" },
  listing: { permission: "secretmanager.secrets.list", grant: "roles/secretmanager.viewer" },
  signIn: "Log in again, or check the credentials in the settings.",
  looksAtCredentials: true,
  async start(folder) {
    const [known, stranger] = [accountKeys(), accountKeys()];
    const emulator = await GcpServer.start({ publicKey: known.publicKey });
    return {
      settings: { project: emulator.project, endpoint: emulator.rest.url },
      env: { GOOGLE_APPLICATION_CREDENTIALS: accountFile(folder, "account.json", known.privateKey) },
      wrongEnv: { GOOGLE_APPLICATION_CREDENTIALS: accountFile(folder, "stranger.json", stranger.privateKey) },
      credentials: [known, stranger].flatMap(({ privateKey }) => privateKey.split("\n").filter((line) => line.length > 60)),
      plant(name, content) {
        const parent = `projects/${emulator.project}`;
        emulator.state.createSecret(parent, name, { replication: { automatic: {} } });
        emulator.state.addSecretVersion(`${parent}/secrets/${name}`, Buffer.from(content), undefined);
      },
      server: emulator.rest,
      disconnect: () => emulator.disconnect(),
      stop: () => emulator.stop(),
    };
  },
};

const vault: Service = {
  flavor: "vault",
  storesBytes: false,
  deletesSoftly: true,
  reading: { permission: "read on secret/data", grant: 'capabilities = ["read"]' },
  listing: { permission: "list on secret/metadata", grant: 'capabilities = ["list"]' },
  signIn: "vault login",
  looksAtCredentials: true,
  async start() {
    const emulator = await VaultEmulator.start();
    const token = emulator.auth.issue();
    const wrong = "hvs.wrong-token";
    return {
      settings: { address: emulator.url, kv_version: 2, soft_delete: true, custom_metadata: true },
      env: { VAULT_TOKEN: token },
      wrongEnv: { VAULT_TOKEN: wrong },
      credentials: [token, wrong],
      plant: (name, content) => void emulator.kv().write(name, mapIn(content)),
      server: emulator.server,
      disconnect: () => emulator.server.disconnect(),
      stop: () => emulator.stop(),
    };
  },
};

/** What Vault holds is always a map: a text that is none becomes the value of a key, as its own tools would be told. */
function mapIn(content: string | Uint8Array): Readonly<Record<string, unknown>> {
  const text = Buffer.from(content).toString("utf8");
  return text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : { value: text };
}

function accountKeys(): { readonly publicKey: string; readonly privateKey: string } {
  return generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
}

/** The key of a service account, as Google's console hands it out. */
function accountFile(folder: string, name: string, privateKey: string): string {
  const path = join(folder, name);
  const account = {
    type: "service_account",
    project_id: "test-project",
    private_key_id: "0123456789abcdef",
    private_key: privateKey,
    client_email: "coffer@test-project.iam.gserviceaccount.com",
    client_id: "1234567890",
    token_uri: "https://oauth2.googleapis.com/token",
  };
  writeFileSync(path, JSON.stringify(account), { mode: 0o600 });
  return path;
}

/** Every service that the command line is tried on. */
export const SERVICES: readonly Service[] = [aws, azure, gcp, vault];
