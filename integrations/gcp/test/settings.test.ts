import { mkdtempSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { SecretManagerServiceClient } from "@google-cloud/secret-manager";
import { createSecretsManager } from "@coffer/core";
import { isLoopbackEndpoint, parseEndpoint, serviceEndpoint } from "../src/endpoint.ts";
import { gcp } from "../src/flavor.ts";
import { type GcpSettings, plainSettings } from "../src/settings-types.ts";
import { settingsSchema } from "../src/settings.ts";
import { accountFile, failureOf, grpcSettingsFor, sdkProtos, serviceAccount, settingsFor, startServer } from "./laboratory.ts";
import type { GcpServer } from "@coffer/emulators/gcp/server";

let server: GcpServer;
beforeEach(async () => {
  server = await startServer({ tokens: ["from-the-machine", "from-the-program"], protos: sdkProtos() });
  // Nothing of this machine's own account.
  const home = mkdtempSync(join(tmpdir(), "coffer-gcp-home-"));
  for (const name of [
    "GOOGLE_CLOUD_PROJECT",
    "GCLOUD_PROJECT",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CLOUD_QUOTA_PROJECT",
    "GOOGLE_CLOUD_UNIVERSE_DOMAIN",
  ])
    vi.stubEnv(name, "");
  vi.stubEnv("HOME", home);
  vi.stubEnv("CLOUDSDK_CONFIG", join(home, "gcloud"));
  vi.stubEnv("METADATA_SERVER_DETECTION", "none");
  vi.stubEnv("PATH", "");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.stop();
});

/** Registers a secret with these settings, and answers what the service has stored. */
async function stored(settings: GcpSettings, parent = `projects/${server.project}`) {
  const manager = createSecretsManager(gcp, settings, { timeoutMs: 5_000 });
  onTestFinished(() => manager.close());
  await manager.registerSecret({ name: "a", values: { a: "1" } });
  return server.state.getSecret(`${parent}/secrets/coffer_x2fglobal_x2fa`).entry;
}

const KEY = "projects/p/locations/l/keyRings/r/cryptoKeys/k";

describe("what a setting does at the service", () => {
  test("replication is automatic unless it is a list of locations", async () => {
    expect((await stored(settingsFor(server))).replication?.automatic).toBeDefined();
    await server.stop();
    server = await startServer();
    const { replication } = await stored(settingsFor(server, { replication: ["europe-west3", "europe-west4"] }));
    expect(replication?.userManaged?.replicas.map((replica) => (replica as { location: string }).location)).toEqual([
      "europe-west3",
      "europe-west4",
    ]);
  });

  test("kms_key encrypts automatic replication, replicas one by one, and regional secrets", async () => {
    expect((await stored(settingsFor(server, { kms_key: KEY }))).replication?.automatic?.customerManagedEncryption).toEqual({
      kmsKeyName: KEY,
    });
    await server.stop();
    server = await startServer();
    const list = settingsFor(server, { replication: ["europe-west3"], kms_key: { "europe-west3": KEY } });
    expect((await stored(list)).replication?.userManaged?.replicas).toEqual([
      { location: "europe-west3", customerManagedEncryption: { kmsKeyName: KEY } },
    ]);
    const regional = await stored(
      settingsFor(server, { location: "europe-west3", kms_key: KEY }),
      `projects/${server.project}/locations/europe-west3`,
    );
    expect(regional.customerManagedEncryption).toEqual({ kmsKeyName: KEY });
  });

  test("location keeps regional secrets, apart from the global ones", async () => {
    const settings = settingsFor(server, { location: "europe-west3" });
    await stored(settings, `projects/${server.project}/locations/europe-west3`);
    expect(await createSecretsManager(gcp, settingsFor(server)).hasSecret("a")).toBe(false);
    expect(await createSecretsManager(gcp, settings).hasSecret("a")).toBe(true);
  });

  test("labels are set on new secrets", async () => {
    expect((await stored(settingsFor(server, { labels: { team: "data" } }))).labels).toEqual({ team: "data" });
  });

  test("quota_project is told in a header", async () => {
    const seen: (string | undefined)[] = [];
    const spy = createServer((request, response) => {
      seen.push(request.headers["x-goog-user-project"] as string);
      response.writeHead(404, { "content-type": "application/json" }).end('{"error":{"code":404,"status":"NOT_FOUND","message":"x"}}');
    });
    await new Promise<void>((resolve) => void spy.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void spy.close());
    const endpoint = `http://127.0.0.1:${(spy.address() as AddressInfo).port}`;
    await createSecretsManager(gcp, { project: "test-project", anonymous: true, endpoint, quota_project: "payer" }).hasSecret("a");
    expect(new Set(seen)).toEqual(new Set(["payer"]));
  });

  test("transport grpc reaches the same state", async () => {
    await stored(grpcSettingsFor(server));
    expect(await createSecretsManager(gcp, settingsFor(server)).hasSecret("a")).toBe(true);
  });
});

describe("credentials", () => {
  test("a credentials_file, and its project when no other is named", async () => {
    const { project: _project, ...settings } = settingsFor(server);
    expect((await stored(settings)).versions).toHaveLength(1);
  });

  test("GOOGLE_APPLICATION_CREDENTIALS", async () => {
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", accountFile);
    expect((await stored({ endpoint: server.rest.url })).versions).toHaveLength(1);
  });

  test("the file that gcloud keeps, below CLOUDSDK_CONFIG and below the home", async () => {
    for (const folder of [process.env["CLOUDSDK_CONFIG"] ?? "", join(process.env["HOME"] ?? "", ".config/gcloud")]) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "application_default_credentials.json"), JSON.stringify(serviceAccount));
      expect(await createSecretsManager(gcp, { endpoint: server.rest.url, project: server.project }).hasSecret("a")).toBe(false);
      vi.stubEnv("CLOUDSDK_CONFIG", undefined);
    }
  });

  test("the machine, whose metadata server GCE_METADATA_HOST names", async () => {
    const metadata = createServer((request, response) => {
      const answers: Readonly<Record<string, string>> = {
        "/computeMetadata/v1/project/project-id": server.project,
        "/computeMetadata/v1/universe/universe-domain": "googleapis.com",
      };
      const token = JSON.stringify({ access_token: "from-the-machine", expires_in: 3_600, token_type: "Bearer" });
      const path = request.url?.split("?")[0] ?? "";
      const json = path.endsWith("/token");
      response.writeHead(200, { "metadata-flavor": "Google", "content-type": json ? "application/json" : "text/plain" });
      response.end(json ? token : (answers[path] ?? "ok"));
    });
    await new Promise<void>((resolve) => void metadata.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void metadata.close());
    vi.stubEnv("METADATA_SERVER_DETECTION", "assume-present");
    vi.stubEnv("GCE_METADATA_HOST", `127.0.0.1:${(metadata.address() as AddressInfo).port}`);
    expect((await stored({ endpoint: server.rest.url })).versions).toHaveLength(1);
  });

  test("none at all is unauthenticated, says how to get one, and does not crash the process", async () => {
    const manager = createSecretsManager(gcp, { project: "test-project", endpoint: server.rest.url });
    for (let attempt = 0; attempt < 2; attempt += 1)
      expect(await failureOf(manager.hasSecret("a"))).toMatchObject({
        code: "unauthenticated",
        hint: expect.stringContaining("gcloud auth"),
      });
    expect(server.count()).toBe(0);
  });

  test("somebody who logs in meanwhile is noticed", async () => {
    const manager = createSecretsManager(gcp, { project: server.project, endpoint: server.rest.url });
    await failureOf(manager.hasSecret("a"));
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", accountFile);
    expect(await manager.hasSecret("a")).toBe(false);
  });

  test.each(["/no/such/file", "a file that is no JSON"])("a credentials_file that is no credential: %s", async (file) => {
    const path = file.startsWith("/") ? file : join(mkdtempSync(join(tmpdir(), "coffer-gcp-")), "bad");
    if (path !== file) writeFileSync(path, "canary-that-is-no-json");
    const error = await failureOf(createSecretsManager(gcp, { project: "p", credentials_file: path }).hasSecret("a"));
    expect(error).toMatchObject({ code: "unauthenticated", message: expect.stringContaining("credentials_file") });
    expect(JSON.stringify(error) + error.stack).not.toContain("canary");
  });

  test("an existing credential and an existing client", async () => {
    const auth = { getRequestHeaders: async () => new Headers({ authorization: "Bearer from-the-program" }), request: () => {} };
    const { GoogleAuth, googleAuthLibrary } = await import("google-gax");
    const given = new googleAuthLibrary.OAuth2Client();
    given.setCredentials({ access_token: "from-the-program", expiry_date: Date.now() + 3_600_000 });
    await stored({ project: server.project, endpoint: server.rest.url, auth: given });
    const client = new SecretManagerServiceClient({
      auth: new GoogleAuth({ authClient: given }),
      fallback: true,
      protocol: "http",
      apiEndpoint: "127.0.0.1",
      port: server.rest.port,
    });
    const manager = createSecretsManager(gcp, { project: server.project, client });
    expect((await manager.getSecret("a")).text).toEqual({ a: "1" });
    expect(await failureOf(manager.getSecret("b"))).toMatchObject({ code: "not_found" });
    await manager.close();
    // Still the program's own.
    await client.listSecrets({ parent: `projects/${server.project}` });
    await client.close();
    expect(settingsSchema.safeParse({ auth }).success).toBe(true);
  });
});

describe("the project", () => {
  test("is the setting's, then GOOGLE_CLOUD_PROJECT, then GCLOUD_PROJECT", async () => {
    vi.stubEnv("GCLOUD_PROJECT", server.project);
    const { project: _project, ...settings } = settingsFor(server);
    await stored(settings);
    vi.stubEnv("GOOGLE_CLOUD_PROJECT", "another-project");
    const denied = await failureOf(createSecretsManager(gcp, settings).hasSecret("a"));
    expect(denied).toMatchObject({ code: "permission_denied", hint: expect.stringContaining("project") });
    expect(await createSecretsManager(gcp, settingsFor(server)).hasSecret("a")).toBe(true);
  });

  test("61: that nobody names is an error of the settings", async () => {
    const error = await failureOf(createSecretsManager(gcp, { anonymous: true, endpoint: server.rest.url }).hasSecret("a"));
    expect(error).toMatchObject({ code: "invalid_settings", hint: expect.stringContaining("GOOGLE_CLOUD_PROJECT") });
  });
});

describe("the check of settings", () => {
  test.each<[string, unknown]>([
    ["an unknown setting", { region: "x" }],
    ["T49: a line end in the project", { project: "a\nb" }],
    ["T49: a line end in the endpoint", { endpoint: "https://a\r\nb" }],
    ["a path in the endpoint", { endpoint: "https://a/b" }],
    ["a user in the endpoint", { endpoint: "https://u:p@a" }],
    ["another protocol", { endpoint: "ftp://a" }],
    ["plain http elsewhere", { endpoint: "http://10.0.0.1:80" }],
    ["an empty list of locations", { replication: [] }],
    ["replication of regional secrets", { location: "l", replication: "automatic" }],
    ["one key for several locations", { replication: ["a", "b"], kms_key: KEY }],
    ["a key for a location that is not there", { replication: ["a"], kms_key: { b: KEY } }],
    ["a key that is none", { kms_key: "my-key" }],
    ["two credentials", { anonymous: true, credentials_file: "x" }],
    ["a label in capitals", { labels: { Team: "x" } }],
    ["a client that is none", { client: {} }],
    ["a credential that is none", { auth: { token: "x" } }],
    ["too many retries", { max_retries: 100 }],
  ])("refuses %s", (_what, settings) => {
    expect(settingsSchema.safeParse(settings).success).toBe(false);
    expect(plainSettings(settings)).toBeUndefined();
  });

  test("takes what is right, plainly or not", () => {
    for (const settings of [
      {},
      { project: "my-project" },
      { project: "example.com:old" },
      { location: "europe-west3", credentials_file: "a b" },
      { endpoint: "http://127.0.0.1:9090", transport: "rest" },
      { endpoint: "secretmanager.example:443", transport: "grpc", quota_project: "my-project" },
    ]) {
      expect(settingsSchema.safeParse(settings)).toMatchObject({ success: true, data: settings });
      expect(plainSettings(settings)).toEqual(settings);
    }
    expect(settingsSchema.safeParse({ endpoint: "http://10.0.0.1:80", allow_plain_http: true }).success).toBe(true);
  });

  test("endpoints", () => {
    expect(parseEndpoint("host:8443")).toEqual({ protocol: "https", host: "host", port: 8443 });
    expect(parseEndpoint("http://127.0.0.1")).toEqual({ protocol: "http", host: "127.0.0.1", port: 80 });
    expect(
      ["http://127.0.0.1:1", "https://localhost", "http://[::1]:1", "http://127.0.0.1.nip.io", "https://example.com"].map(
        isLoopbackEndpoint,
      ),
    ).toEqual([true, true, true, false, false]);
    expect(serviceEndpoint(undefined, "googleapis.com").host).toBe("secretmanager.googleapis.com");
    expect(serviceEndpoint("europe-west3", "s3nsapis.fr").host).toBe("secretmanager.europe-west3.rep.s3nsapis.fr");
  });

  test("a component on loopback is local, any other remote", () => {
    expect([{ endpoint: "http://127.0.0.1:1" }, {}].map((settings) => gcp.locality(settings))).toEqual(["local", "remote"]);
  });
});
