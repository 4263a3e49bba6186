import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GcpServer, type GcpServerOptions } from "@coffer/emulators/gcp/server";
import { createSecretsManager, type SecretsManager, type SecretsManagerOptions } from "@coffer/core";
import { gcp } from "../src/flavor.ts";
import type { GcpSettings } from "../src/settings-types.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});

/** The key of a service account that the emulator knows, as Google's console hands it out. */
export const serviceAccount = {
  type: "service_account",
  project_id: "test-project",
  private_key_id: "0123456789abcdef",
  private_key: privateKey,
  client_email: "coffer@test-project.iam.gserviceaccount.com",
  client_id: "1234567890",
  token_uri: "https://oauth2.googleapis.com/token",
};

export const accountFile = join(mkdtempSync(join(tmpdir(), "coffer-gcp-")), "account.json");
writeFileSync(accountFile, JSON.stringify(serviceAccount), { mode: 0o600 });

/** Lines of the private key: any of them in an output is a leak. */
export const keyLines: readonly string[] = privateKey.split("\n").filter((line) => line.length > 60);

/** The protos of the SDK, which the emulator does not depend on. */
export function sdkProtos(): object {
  return createRequire(import.meta.url)("@google-cloud/secret-manager/build/protos/protos.json") as object;
}

export function startServer(options: GcpServerOptions = {}): Promise<GcpServer> {
  return GcpServer.start({ publicKey, ...options });
}

/** The settings that reach a server over REST. */
export function settingsFor(server: GcpServer, more: GcpSettings = {}): GcpSettings {
  return { project: server.project, credentials_file: accountFile, endpoint: server.rest.url, ...more };
}

/** The settings that reach it over gRPC, in clear text, where no credential can travel. */
export function grpcSettingsFor(server: GcpServer, more: GcpSettings = {}): GcpSettings {
  return { project: server.project, anonymous: true, transport: "grpc", endpoint: `http://127.0.0.1:${server.grpc?.port}`, ...more };
}

export function managerOn(server: GcpServer, options: SecretsManagerOptions = {}, more: GcpSettings = {}): SecretsManager {
  return createSecretsManager(gcp, settingsFor(server, more), options);
}

/** What a call throws; a call that succeeds fails the test. */
export async function failureOf(call: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  return call.then(
    () => {
      throw new Error("the call succeeded");
    },
    (reason: unknown) => reason as Error & Record<string, unknown>,
  );
}

/** Everything that an iteration yields. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
