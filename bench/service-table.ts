import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Integration } from "@coffer/core";

/** A service that runs, and how it is reached. */
export interface RunningService {
  /** The settings of the flavor. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  /** The variables of the environment of every process that calls it. */
  readonly env: Readonly<Record<string, string>>;
  /** The name of a secret of the scope `global` as it stands in the service, for the plain script. */
  storedName(name: string): string;
  /** How many milliseconds every answer takes on its way. */
  setLatency(milliseconds: number): void;
}

/** A service whose integration is measured. */
export interface Service {
  readonly title: string;
  /** The package of its integration, and its folder in this repository. */
  readonly package: string;
  readonly folder: string;
  readonly flavor: string;
  /** What the plain script imports; taken from the integration, so that both run the same versions. */
  readonly sdks: readonly string[];
  /** What a user would write from the README of the SDK. Its argument is the stored name of the secret. */
  readonly plain: string;
  /** What all values are measured against: the listing of their names, or reading them one by one. */
  readonly values: { readonly anchor: "listing" | "one by one"; readonly goal: number };
  /** The goal of `secret get` against bare Node. */
  readonly bareGoal: number;
  /** Imports the integration. */
  load(): Promise<{ readonly default: Integration }>;
  /** Starts the emulator in this process. `folder` is for files that its callers need. */
  start(folder: string): Promise<RunningService>;
}

const root = join(import.meta.dirname, "..");

const aws: Service = {
  title: "AWS",
  package: "@coffer/aws",
  folder: "integrations/aws",
  load: () => import("@coffer/aws"),
  flavor: "aws",
  sdks: ["@aws-sdk/client-secrets-manager"],
  plain: `import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
const client = new SecretsManagerClient();
const response = await client.send(new GetSecretValueCommand({ SecretId: process.argv[2] }));
console.log(response.SecretString);
`,
  values: { anchor: "listing", goal: 1.3 },
  bareGoal: 3.6,
  async start() {
    const { AwsEmulator } = await import("@coffer/emulators/aws/server");
    const { server, region, keys } = await AwsEmulator.start();
    return {
      settings: { region },
      env: {
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: keys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
        AWS_ENDPOINT_URL_SECRETS_MANAGER: server.url,
      },
      storedName: (name) => `coffer/global/${name}`,
      setLatency: (milliseconds) => void (server.latencyMs = milliseconds),
    };
  },
};

const azure: Service = {
  title: "Azure",
  package: "@coffer/azure",
  folder: "integrations/azure",
  load: () => import("@coffer/azure"),
  flavor: "azure_key_vault",
  sdks: ["@azure/identity", "@azure/keyvault-secrets"],
  // The two options that switch checks off are for the emulator, whose host is none of Azure's.
  plain: `import { DefaultAzureCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";
const credential = new DefaultAzureCredential({ disableInstanceDiscovery: true });
const client = new SecretClient(process.env.KEY_VAULT_URL, credential, { disableChallengeResourceVerification: true });
const secret = await client.getSecret(process.argv[2]);
console.log(secret.value);
`,
  values: { anchor: "listing", goal: 1.2 },
  bareGoal: 4.5,
  async start(folder) {
    const { AzureEmulator } = await import("@coffer/emulators/azure/server");
    const { server, url, entra, ca } = await AzureEmulator.start();
    const { tenantId, clientId, clientSecret } = entra.principal;
    const certificate = join(folder, "ca.pem");
    writeFileSync(certificate, ca);
    return {
      settings: { vault_url: url, verify_challenge: false },
      env: {
        KEY_VAULT_URL: url,
        AZURE_TENANT_ID: tenantId,
        AZURE_CLIENT_ID: clientId,
        AZURE_CLIENT_SECRET: clientSecret,
        AZURE_AUTHORITY_HOST: url,
        NODE_EXTRA_CA_CERTS: certificate,
      },
      storedName: (name) => `coffer-x2fglobal-x2f${name}`,
      setLatency: (milliseconds) => void (server.latencyMs = milliseconds),
    };
  },
};

const gcp: Service = {
  title: "Google Cloud",
  package: "@coffer/gcp",
  folder: "integrations/gcp",
  load: () => import("@coffer/gcp"),
  flavor: "gcp_secrets_manager",
  sdks: ["@google-cloud/secret-manager", "google-gax"],
  // Over gRPC, as the SDK does by itself. The options are for the emulator, which speaks it in clear text; no credential travels there.
  plain: `import { SecretManagerServiceClient } from "@google-cloud/secret-manager";
import { grpc } from "google-gax";
const sslCreds = grpc.credentials.createInsecure();
const client = new SecretManagerServiceClient({ apiEndpoint: "127.0.0.1", port: Number(process.env.GRPC_PORT), sslCreds });
const [version] = await client.accessSecretVersion({ name: process.argv[2] });
console.log(version.payload.data.toString());
`,
  values: { anchor: "one by one", goal: 0.05 },
  bareGoal: 6,
  async start(folder) {
    const { GcpServer } = await import("@coffer/emulators/gcp/server");
    const { privateKey, publicKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    const protos = createRequire(join(root, gcp.folder, "package.json"))("@google-cloud/secret-manager/build/protos/protos.json");
    const server = await GcpServer.start({ publicKey, protos: protos as object });
    const account = join(folder, "account.json");
    const credential = {
      type: "service_account",
      project_id: server.project,
      private_key_id: "0123456789abcdef",
      private_key: privateKey,
      client_email: `bench@${server.project}.iam.gserviceaccount.com`,
      client_id: "1234567890",
      token_uri: "https://oauth2.googleapis.com/token",
    };
    writeFileSync(account, JSON.stringify(credential), { mode: 0o600 });
    return {
      settings: { project: server.project, endpoint: server.rest.url },
      env: { GOOGLE_APPLICATION_CREDENTIALS: account, GRPC_PORT: String(server.grpc?.port) },
      storedName: (name) => `projects/${server.project}/secrets/coffer_x2fglobal_x2f${name}/versions/latest`,
      setLatency: (milliseconds) => void (server.rest.latencyMs = milliseconds),
    };
  },
};

const vault: Service = {
  title: "Vault",
  package: "@coffer/vault",
  folder: "integrations/vault",
  load: () => import("@coffer/vault"),
  flavor: "vault",
  sdks: ["node-vault"],
  plain: `import nodeVault from "node-vault";
const client = nodeVault();
const answer = await client.read("secret/data/" + process.argv[2]);
console.log(answer.data.data);
`,
  values: { anchor: "one by one", goal: 0.05 },
  bareGoal: 3.5,
  async start() {
    const { VaultEmulator } = await import("@coffer/emulators/vault/server");
    const { server, url, auth } = await VaultEmulator.start();
    return {
      settings: { kv_version: 2 },
      env: { VAULT_ADDR: url, VAULT_TOKEN: auth.issue() },
      storedName: (name) => `coffer/global/${name}`,
      setLatency: (milliseconds) => void (server.latencyMs = milliseconds),
    };
  },
};

/** The services, in the order in which they are measured. */
export const SERVICES: readonly Service[] = [aws, azure, gcp, vault];
