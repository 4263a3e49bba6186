import { createSecretsManager, DriverError, type ErrorInfo, type Operation, SecretsError } from "@coffer/core";
import { AzureEmulator } from "@coffer/emulators/azure/server";
import { type LoopbackAnswer, LoopbackServer } from "@coffer/emulators/loopback";
import { testCertificate } from "@coffer/emulators/certificates";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openAzureDriver } from "../src/driver.ts";
import { classifyAzureError } from "../src/errors.ts";
import { azure } from "../src/index.ts";
import { fileOf, settingsOf } from "./subject.ts";

/** A service that gives one answer to everything that carries a token. */
let server: LoopbackServer;
let ca = "";
let answer: LoopbackAnswer = { status: 200 };
beforeAll(async () => {
  const certificate = await testCertificate();
  ca = fileOf("errors-ca.pem", certificate.ca);
  server = await LoopbackServer.start(
    (request) =>
      request.headers["authorization"] === undefined
        ? {
            status: 401,
            headers: { "www-authenticate": 'Bearer authorization="https://login.example/t", resource="https://vault.azure.net"' },
          }
        : answer,
    { tls: certificate },
  );
});
afterAll(() => server.stop());

function says(status: number, code?: string, inner?: string, message = "words of the service"): LoopbackAnswer {
  return {
    status,
    headers: { "content-type": "application/json", "x-ms-request-id": "11111111-2222-3333-4444-555555555555" },
    body:
      code === undefined
        ? ""
        : JSON.stringify({ error: { code, message, ...(inner === undefined ? {} : { innererror: { code: inner } }) } }),
  };
}

/** What the driver makes of an answer, in one of its calls. */
async function explained(given: LoopbackAnswer, operation: "read" | "list" | "create"): Promise<ErrorInfo | "missing"> {
  answer = given;
  const driver = await openAzureDriver({ vault_url: server.url, access_token: "token-for-tests", ca_file: ca, verify_challenge: false });
  const options = {
    signal: new AbortController().signal,
    deadline: performance.now() + 2_000,
    operationId: crypto.randomUUID(),
    scope: "global",
  } as const;
  try {
    if (operation === "list") await Array.fromAsync(driver.list({ ...options, prefix: "" }));
    else if (operation === "create") await driver.create("name", { values: {} }, { ...options, onDeleted: "error" });
    else if ((await driver.read("name", options)) === undefined) return "missing";
    throw new Error("It answered as if nothing had happened.");
  } catch (error) {
    return DriverError.isInstance(error) ? error.info : driver.classify(error, { operation });
  } finally {
    await driver.close?.();
  }
}

describe("the error table", () => {
  test("404 with the service's word for it is missing; a bare 404, or one of a proxy, is not", async () => {
    expect(await explained(says(404, "SecretNotFound"), "read")).toBe("missing");
    for (const other of [says(404), { status: 404, headers: { "content-type": "text/html" }, body: "<h1>Not Found</h1>" }])
      expect(await explained(other, "read")).toMatchObject({ code: "unavailable" });
  });

  test.each([
    ["disabled", says(403, "Forbidden", "SecretDisabled"), { code: "disabled", retryable: false }],
    ["forbidden by roles", says(403, "Forbidden", "ForbiddenByRbac"), { code: "permission_denied" }],
    ["forbidden by an access policy", says(403, "Forbidden", "ForbiddenByPolicy"), { code: "permission_denied" }],
    ["forbidden by the firewall", says(403, "Forbidden", "ForbiddenByFirewall"), { code: "permission_denied" }],
    ["forbidden, access denied", says(403, "Forbidden", "AccessDenied"), { code: "permission_denied" }],
    ["forbidden without a reason", says(403, "Forbidden"), { code: "permission_denied", retryable: false }],
    ["a token that is not accepted", says(401, "Unauthorized"), { code: "unauthenticated" }],
    ["throttled", says(429, "Throttled"), { code: "throttled", retryable: true }],
    ["broken", says(500, "InternalServerError"), { code: "unavailable", retryable: true }],
    ["away", says(503, "ServiceUnavailable"), { code: "unavailable", retryable: true }],
    [
      "a gateway that says nothing",
      { status: 502, headers: { "content-type": "text/html" }, body: "<h1>Bad gateway</h1>" },
      { code: "unavailable" },
    ],
    ["a parameter that is not understood", says(400, "BadParameter"), { code: "invalid_request", retryable: false }],
    ["too large for the gateway", says(413, "RequestEntityTooLarge"), { code: "too_large" }],
    ["recovered by somebody just now", says(409, "Conflict", "ObjectIsBeingRecovered"), { code: "conflict", retryable: true }],
    ["deleted by somebody just now", says(409, "Conflict", "ObjectIsBeingDeleted"), { code: "recently_deleted", retryable: true }],
    ["deleted", says(409, "Conflict", "ObjectIsDeletedButRecoverable"), { code: "recently_deleted" }],
    ["deleted, from a server without inner codes", says(409, "Conflict"), { code: "recently_deleted" }],
    ["another conflict", says(409, "Conflict", "SomethingNew"), { code: "conflict", retryable: false }],
  ] as const)("%s", async (_what, given, expected) => {
    const info = await explained(given, "read");
    expect(info).toMatchObject({ status: given.status, ...expected });
    // Of a page of a listing the SDK tells nothing but the code.
    expect(await explained(given, "list")).toMatchObject({ status: given.status, ...expected });
    expect(JSON.stringify(info)).not.toContain("words of the service");
  });

  test("the request's id and what was not allowed are told, and nothing else of the text", async () => {
    const message =
      "Caller is not authorized.\r\nCaller: appid=1;oid=2\r\nAction: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'\r\nBearer abc";
    const info = await explained(says(403, "Forbidden", "ForbiddenByRbac", message), "read");
    expect(info).toMatchObject({
      requestId: "11111111-2222-3333-4444-555555555555",
      safeMessage: "The vault refuses it (ForbiddenByRbac, Microsoft.KeyVault/vaults/secrets/getSecret/action).",
      hint: expect.stringContaining("Key Vault Secrets User"),
    });
  });

  test("a listing that is denied names what is missing, too, and so does a vault with access policies", async () => {
    const byRole = "Action: 'Microsoft.KeyVault/vaults/secrets/readMetadata/action'\r\nResource: 'x'";
    expect(await explained(says(403, "Forbidden", "ForbiddenByRbac", byRole), "list")).toMatchObject({
      safeMessage: expect.stringContaining("Microsoft.KeyVault/vaults/secrets/readMetadata/action"),
    });
    const byPolicy = "The user, group or application 'appid=1' does not have secrets get permission on key vault 'x;location=y'.";
    expect(await explained(says(403, "Forbidden", "AccessDenied", byPolicy), "read")).toMatchObject({
      safeMessage: "The vault refuses it (AccessDenied, secrets get).",
      hint: expect.stringContaining('Allow "get" for secrets'),
    });
  });

  test.each([
    ["CredentialUnavailableError", "unauthenticated"],
    ["AuthenticationError", "unauthenticated"],
    ["AggregateAuthenticationError", "unauthenticated"],
    ["AuthenticationRequiredError", "unauthenticated"],
  ])("%s of the SDK is %s, and nothing was written", (name, code) => {
    const info = classifyAzureError(Object.assign(new Error("secret text"), { name }), { operation: "create" });
    expect(info).toMatchObject({ code, outcome: "not_applied", retryable: false });
    expect(JSON.stringify(info)).not.toContain("secret text");
  });

  test.each([
    ["ECONNREFUSED", "unavailable", "not_applied"],
    ["ENOTFOUND", "unavailable", "not_applied"],
    ["ECONNRESET", "unavailable", "unknown"],
    ["REQUEST_SEND_ERROR", "unavailable", "unknown"],
    ["PARSE_ERROR", "unavailable", "unknown"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "unavailable", "not_applied"],
    ["SOMETHING_ELSE", "unknown", "unknown"],
  ])("%s of a client that was passed in is %s, and the outcome of a write %s", (code, expected, outcome) => {
    for (const operation of ["create", "replace", "delete", "restore"] satisfies Operation[])
      expect(classifyAzureError(Object.assign(new Error("x"), { name: "RestError", code }), { operation })).toMatchObject({
        code: expected,
        outcome,
      });
    expect(classifyAzureError(Object.assign(new Error("x"), { name: "RestError", code }), { operation: "read" }).outcome).toBe(
      "not_applied",
    );
  });

  test("a challenge for another domain gets no token", async () => {
    const emulator = await AzureEmulator.start();
    const manager = createSecretsManager(azure, { ...settingsOf(emulator), verify_challenge: true });
    await expect(manager.getSecret("a")).rejects.toMatchObject({ code: "invalid_settings" });
    expect([...emulator.server.requests.keys()]).toEqual(["challenge"]);
    await manager.close();
    await emulator.stop();
  });

  test("an error names the secret and never carries the SDK's error where it could be printed", async () => {
    answer = says(403, "Forbidden", "ForbiddenByRbac");
    const manager = createSecretsManager(azure, {
      vault_url: server.url,
      access_token: "token-for-tests",
      ca_file: ca,
      verify_challenge: false,
    });
    const error: unknown = await manager.getSecret("warehouse").catch((reason: unknown) => reason);
    expect(SecretsError.isInstance(error) && error.cause).toEqual({
      name: "RestError",
      code: "Forbidden",
      status: 403,
      requestId: "11111111-2222-3333-4444-555555555555",
    });
    await manager.close();
  });
});
