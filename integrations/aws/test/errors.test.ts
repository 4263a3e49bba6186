import { createSecretsManager, type ErrorCode, isRetryableCode, type SecretsManager } from "@coffer/core";
import { LoopbackServer } from "@coffer/emulators/loopback";
import { describe, expect, test } from "vitest";
import { aws } from "../src/flavor.ts";
import type { AwsSettings } from "../src/settings-types.ts";
import { failure, onEmulator } from "./laboratory.ts";

const keys = { accessKeyId: "AKIACOFFERERRORTEST1", secretAccessKey: "any" };

type Call = "get" | "register" | "replace" | "swap" | "delete" | "list";

const CALLS: Readonly<Record<Call, (manager: SecretsManager) => Promise<unknown>>> = {
  get: (manager) => manager.getSecret("db"),
  register: (manager) => manager.registerSecret({ name: "db", values: {} }),
  replace: (manager) => manager.replaceSecret({ name: "db", schema: "arbitrary", values: {} }),
  swap: (manager) => manager.replaceSecret({ name: "db", schema: "arbitrary", values: {}, expected: `${"0".repeat(32)}-coffer` }),
  delete: (manager) => manager.deleteSecret("db"),
  list: (manager) => manager.listSecrets().next(),
};

/** What a manager makes of a service that answers every request with this error. */
async function explained(
  call: Call,
  answer: { readonly status?: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> },
) {
  const server = await LoopbackServer.start(() => ({
    status: answer.status ?? 400,
    headers: {
      "content-type": "application/x-amz-json-1.1",
      "x-amzn-requestid": "4f4e2a1b-0000-4000-8000-000000000000",
      ...answer.headers,
    },
    body: answer.body,
  }));
  const manager = createSecretsManager(aws, { region: "eu-central-1", endpoint: server.url, credentials: keys, max_attempts: 1 });
  try {
    return await failure(CALLS[call](manager));
  } finally {
    await manager.close();
    await server.stop();
  }
}

const marked = "You can't perform this operation on the secret because it was marked for deletion.";
const formerly = "You tried to perform the operation on a secret that's currently marked deleted.";
const scheduled = "You can't create this secret because a secret with this name is already scheduled for deletion.";

const ROWS: readonly (readonly [
  type: string,
  call: Call,
  code: ErrorCode,
  more?: { readonly message?: string; readonly status?: number; readonly retryable?: boolean },
])[] = [
  ["ResourceNotFoundException", "get", "not_found"],
  ["ResourceNotFoundException", "get", "not_found", { status: 404 }],
  ["ResourceNotFoundException", "replace", "not_found"],
  ["ResourceNotFoundException", "swap", "not_found"],
  ["ResourceNotFoundException", "delete", "not_found"],
  ["ResourceExistsException", "register", "already_exists"],
  ["ResourceExistsException", "replace", "conflict", { retryable: true }],
  ["ResourceExistsException", "swap", "conflict", { retryable: true }],
  ["InvalidRequestException", "register", "recently_deleted", { message: scheduled }],
  ["InvalidRequestException", "get", "not_found", { message: marked }],
  ["InvalidRequestException", "get", "not_found", { message: formerly }],
  ["InvalidRequestException", "replace", "not_found", { message: marked }],
  ["InvalidRequestException", "delete", "not_found", { message: scheduled }],
  ["InvalidRequestException", "replace", "invalid_request", { message: "You can't do this." }],
  ["InvalidParameterException", "register", "invalid_request"],
  ["ValidationException", "register", "invalid_request"],
  ["InvalidNextTokenException", "list", "invalid_request"],
  ["PreconditionNotMetException", "replace", "invalid_request"],
  ["MalformedPolicyDocumentException", "replace", "invalid_request"],
  ["AccessDeniedException", "get", "permission_denied"],
  ["AccessDenied", "list", "permission_denied"],
  ["DecryptionFailure", "get", "permission_denied"],
  ["EncryptionFailure", "register", "permission_denied"],
  ["PublicPolicyException", "replace", "permission_denied"],
  ["UnrecognizedClientException", "get", "unauthenticated"],
  ["InvalidClientTokenId", "get", "unauthenticated", { status: 403 }],
  ["InvalidSignatureException", "get", "unauthenticated"],
  ["SignatureDoesNotMatch", "get", "unauthenticated", { status: 403 }],
  ["IncompleteSignature", "get", "unauthenticated"],
  ["MissingAuthenticationToken", "get", "unauthenticated"],
  ["ExpiredTokenException", "get", "unauthenticated"],
  ["ExpiredToken", "get", "unauthenticated"],
  ["RequestExpired", "get", "unauthenticated"],
  ["ThrottlingException", "get", "throttled"],
  ["Throttling", "register", "throttled"],
  ["TooManyRequestsException", "list", "throttled", { status: 429 }],
  ["RequestLimitExceeded", "delete", "throttled"],
  ["LimitExceededException", "register", "throttled", { retryable: false }],
  ["InternalServiceError", "get", "unavailable", { status: 500 }],
  ["ServiceUnavailable", "get", "unavailable", { status: 503 }],
  ["SomethingNewException", "get", "unknown"],
  ["SomethingNewException", "get", "unavailable", { status: 500 }],
  ["UnknownOperationException", "get", "unsupported"],
];

describe("the table of errors", () => {
  for (const [type, call, code, more = {}] of ROWS) {
    const { message = "A sentence.", status = 400 } = more;
    test(`${type}${status === 400 ? "" : ` (${status})`} in ${call} is ${code}`, async () => {
      // Errors of the service say Message, those of the layer before it message; the type comes plain, with a name space, or in a header.
      const bodies = [
        { body: JSON.stringify({ __type: type, Message: message }) },
        { body: JSON.stringify({ __type: `com.amazonaws.secretsmanager#${type}`, message }) },
        { body: JSON.stringify({ message }), headers: { "x-amzn-errortype": `${type}:http://internal.amazon.com/` } },
      ];
      for (const each of bodies) {
        const error = await explained(call, { status, ...each });
        expect(error.code).toBe(code);
        expect(error.retryable).toBe(more.retryable ?? isRetryableCode(code));
        // A read is answered that there is nothing; that is no error of the driver.
        const answered = call === "get" && code === "not_found";
        expect((error.cause as { readonly status?: number } | undefined)?.status).toBe(answered ? undefined : status);
      }
    });
  }

  test("a denial passes on who may not do what", async () => {
    const message =
      "User: arn:aws:iam::123456789012:user/etl is not authorized to perform: secretsmanager:GetSecretValue on resource: coffer/global/db because no identity-based policy allows the secretsmanager:GetSecretValue action";
    const error = await explained("get", { body: JSON.stringify({ __type: "AccessDeniedException", Message: message }) });
    expect(error.message).toContain(message);
    expect(error.hint).toContain("Allow the action secretsmanager:GetSecretValue ");
    expect(error.cause).toMatchObject({ name: "AccessDeniedException", requestId: "4f4e2a1b-0000-4000-8000-000000000000" });
  });

  test("a denial names the action that is missing also where its text cannot be passed on, and a policy that forbids it", async () => {
    const begin = "User: arn:aws:iam::123456789012:user/etl is not authorized to perform: kms:Decrypt on resource: coffer/global/a=3db";
    const silent = await explained("get", { body: JSON.stringify({ __type: "AccessDeniedException", Message: begin }) });
    expect(silent.message).not.toContain("a=3db");
    expect(silent.hint).toContain("Allow the action kms:Decrypt ");
    const Message = `${begin} with an explicit deny in a service control policy`;
    const forbidden = await explained("get", { body: JSON.stringify({ __type: "AccessDeniedException", Message }) });
    expect(forbidden.hint).toContain("A policy denies kms:Decrypt explicitly");
  });

  test("texts that could repeat what was sent are left out", async () => {
    for (const [type, message] of [
      ["ValidationException", "Value at secretString failed to satisfy constraint"],
      ["InvalidParameterException", "Invalid parameter hunter2"],
      ["InvalidSignatureException", "The Canonical String for this request should have been POST x-amz-security-token:hunter2"],
      ["AccessDeniedException", 'User "hunter2" may not'],
      ["InvalidRequestException", `You can't ${"hunter2".repeat(20)}`],
      ["UnheardOfException", "hunter2"],
    ] as const) {
      const error = await explained("register", { body: JSON.stringify({ __type: type, message }) });
      expect(error.message).not.toMatch(/hunter2|secretString/);
    }
  });
});

describe("answers that are none of the service", () => {
  for (const [what, answer] of [
    ["HTML with status 200", { status: 200, body: "<html>Please sign in</html>", headers: { "content-type": "text/html" } }],
    ["HTML with status 404", { status: 404, body: "<html>no such page</html>" }],
    ["HTML with status 502", { status: 502, body: "<html>bad gateway</html>" }],
    ["JSON that is cut off", { status: 200, body: '{"Name":"db","SecretStr' }],
    ["an object of somebody else", { status: 200, body: '{"ok":true}' }],
    ["a list", { status: 200, body: "[]" }],
    ["null", { status: 200, body: "null" }],
    ["nothing", { status: 200, body: "" }],
    ["JSON of a gateway", { status: 404, body: '{"message":"no Route matched"}' }],
  ] as const) {
    test(`T95 ${what}`, async () => {
      for (const call of ["get", "register", "list", "replace", "swap"] as const) {
        const error = await explained(call, answer);
        expect(["unavailable", "unknown"]).toContain(error.code);
        expect(error.message).not.toMatch(/<html|sign in|Route/);
      }
    });
  }

  test("T95 an answer without end is not read to the end", () =>
    onEmulator(async ({ manager, emulator }) => {
      emulator.server.faults.inject({ kind: "huge", bytes: 40 * 1024 * 1024 });
      const before = process.memoryUsage().rss;
      const error = await failure(manager().getSecret("db"));
      expect(error).toMatchObject({ code: "unavailable", retryable: false });
      expect(error.message).toContain("more than the service ever does");
      expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
    }));
});

describe("T97 no connection", () => {
  const tried = async (settings: AwsSettings) => {
    const manager = createSecretsManager(aws, { region: "eu-central-1", credentials: keys, ...settings });
    const error = await failure(manager.registerSecret({ name: "db", values: {} }));
    await manager.close();
    return error;
  };

  test("refused: unavailable, and nothing has happened", async () => {
    const error = await tried({ endpoint: "http://127.0.0.1:9" });
    expect(error).toMatchObject({ code: "unavailable", retryable: true, outcome: "not_applied" });
    expect(error.message).toContain("127.0.0.1:9 cannot be reached (ECONNREFUSED).");
  });

  test("no such host: unavailable, and nothing has happened", async () => {
    expect(await tried({ endpoint: "https://no-such-host.invalid" })).toMatchObject({ code: "unavailable", outcome: "not_applied" });
  });

  test("IPv6 only", async () => {
    const error = await tried({ endpoint: "http://[::1]:9" });
    expect(error).toMatchObject({ code: "unavailable", outcome: "not_applied" });
    expect(error.message).not.toContain("\n");
  });

  test("reset before anything was read: tried again, and the outcome is unknown when that does not help", () =>
    onEmulator(async ({ manager, emulator }) => {
      emulator.server.faults.inject({ kind: "reset_before", times: 2 });
      await manager().registerSecret({ name: "db", values: {} });
      emulator.server.faults.inject({ kind: "reset_before", times: 100 });
      emulator.server.resetCounts();
      expect(await failure(manager().registerSecret({ name: "other", values: {} }))).toMatchObject({
        code: "unavailable",
        outcome: "unknown",
      });
      expect(emulator.server.count()).toBe(3);
      expect(await failure(manager().getSecret("db"))).toMatchObject({ code: "unavailable", outcome: "not_applied" });
    }));
});

describe("T85 credentials: three distinct codes", () => {
  test("none, expired, and without permission", () =>
    onEmulator(async ({ manager, emulator }) => {
      const none = Object.assign(new Error("CANARY could not load credentials from any providers"), { name: "CredentialsProviderError" });
      const missing = await failure(manager({}, { credentials: () => Promise.reject(none) }).getSecret("db"));
      expect(missing).toMatchObject({ code: "unauthenticated", retryable: false });
      expect(missing.message).not.toContain("CANARY");
      expect(missing.hint).toContain("aws sso login");
      expect(emulator.server.count()).toBe(0);

      const wrong = manager({}, { credentials: { ...emulator.keys, sessionToken: "expired" } });
      expect(await failure(wrong.getSecret("db"))).toMatchObject({ code: "unauthenticated", retryable: false });
      expect(emulator.server.count()).toBe(1);

      emulator.server.faults.inject({ kind: "deny" });
      expect(await failure(manager().getSecret("db"))).toMatchObject({ code: "permission_denied", retryable: false });
      expect(emulator.server.count()).toBe(2);
    }));

  test("a wrong secret key is unauthenticated: the emulator computes signatures", () =>
    onEmulator(async ({ manager, emulator }) => {
      const wrong = manager({}, { credentials: { ...emulator.keys, secretAccessKey: "wrong" } });
      expect(await failure(wrong.registerSecret({ name: "db", values: {} }))).toMatchObject({
        code: "unauthenticated",
        outcome: "not_applied",
      });
    }));
});

test("T96 a clock that is 20 minutes off is corrected, one way and the other", () =>
  onEmulator(async ({ manager, emulator }) => {
    for (const minutes of [20, -20]) {
      emulator.skewMs = minutes * 60_000;
      await manager().registerSecret({ name: `clock-${minutes}`, values: { a: "b" } });
      expect(await manager().hasSecret(`clock-${minutes}`)).toBe(true);
    }
  }));
