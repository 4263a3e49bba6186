import type { ErrorCode, ErrorInfo, Operation } from "@coffer/core";
import { describe, expect, test } from "vitest";
import { CallFailure, classify } from "../src/errors.ts";
import type { Trip } from "../src/wire.ts";

const explain = (error: unknown, operation: Operation = "replace"): ErrorInfo => classify(error, { operation });

/** The same refusal as each transport and each major of the SDK tells it. */
const SHAPES: Readonly<Record<string, (status: string, grpc: number, http: number, text: string) => unknown>> = {
  "over gRPC": (status, grpc, _http, text) =>
    Object.assign(new Error(`${grpc} ${status}: ${text}`), { code: grpc, details: text, metadata: {} }),
  "over REST, as the trip was seen": (status, grpc, http, text) =>
    new CallFailure(
      Object.assign(new Error("whatever"), { code: grpc }),
      { sent: true, status: http, answer: { status, message: text } },
      false,
    ),
  "over REST, from a client of the program": (status, grpc, http, text) =>
    Object.assign(new Error(text), {
      code: grpc,
      httpStatusCode: http,
      [Symbol.for("google-gax.rawHttpResponsePayload")]: JSON.stringify({ error: { code: http, message: text, status } }),
    }),
  "over REST, from the older major": (status, _grpc, http, text) =>
    Object.assign(new Error(JSON.stringify({ error: { status } })), {
      name: "GaxiosError",
      code: http,
      status: http,
      config: { headers: { authorization: "Bearer canary" } },
      response: { status: http, data: { error: { code: http, message: text, status } } },
    }),
};

const ROWS: readonly (readonly [string, number, number, string, ErrorCode, boolean, "not_applied" | "unknown"])[] = [
  ["NOT_FOUND", 5, 404, "Secret [projects/1/secrets/a] not found.", "not_found", false, "not_applied"],
  [
    "FAILED_PRECONDITION",
    9,
    400,
    "Secret Version [projects/1/secrets/a/versions/2] is in DISABLED state.",
    "disabled",
    false,
    "not_applied",
  ],
  [
    "FAILED_PRECONDITION",
    9,
    400,
    "Secret Version [projects/1/secrets/a/versions/2] is in DESTROYED state.",
    "disabled",
    false,
    "not_applied",
  ],
  ["FAILED_PRECONDITION", 9, 400, "Constraint constraints/gcp.resourceLocations violated.", "invalid_request", false, "not_applied"],
  ["ALREADY_EXISTS", 6, 409, "Secret [projects/1/secrets/a] already exists.", "already_exists", false, "not_applied"],
  ["PERMISSION_DENIED", 7, 403, "Permission denied.", "permission_denied", false, "not_applied"],
  ["UNAUTHENTICATED", 16, 401, "Request had invalid authentication credentials.", "unauthenticated", false, "not_applied"],
  ["RESOURCE_EXHAUSTED", 8, 429, "Quota exceeded.", "throttled", true, "not_applied"],
  ["UNAVAILABLE", 14, 503, "The service is currently unavailable.", "unavailable", true, "unknown"],
  ["INTERNAL", 13, 500, "Internal error.", "unavailable", true, "unknown"],
  ["UNKNOWN", 2, 500, "Unknown error.", "unavailable", true, "unknown"],
  ["INVALID_ARGUMENT", 3, 400, "Invalid resource field value.", "invalid_request", false, "not_applied"],
  ["INVALID_ARGUMENT", 3, 400, "The payload is too large.", "too_large", false, "not_applied"],
  ["OUT_OF_RANGE", 11, 400, "Out of range.", "invalid_request", false, "not_applied"],
  ["ABORTED", 10, 409, "Try again.", "conflict", true, "not_applied"],
  ["UNIMPLEMENTED", 12, 501, "Not implemented.", "unsupported", false, "not_applied"],
  ["DATA_LOSS", 15, 500, "Data loss.", "corrupt", false, "not_applied"],
];

describe.each(Object.entries(SHAPES))("the table of errors %s", (_where, shape) => {
  test.each(ROWS)("%s (%i, HTTP %i) %s: %s", (status, grpc, http, text, code, retryable, outcome) => {
    expect(explain(shape(status, grpc, http, text))).toMatchObject({ code, retryable, outcome });
  });
});

test.each(["projects/x is denied", "Constraint constraints/gcp.resourceLocations violated."])(
  "the text of a refusal is passed on: %s",
  (text) => {
    for (const shape of Object.values(SHAPES)) expect(explain(shape("PERMISSION_DENIED", 7, 403, text)).safeMessage).toBe(text);
  },
);

test.each(["Bearer ya29.abc was sent", 'Invalid value: {"password":"x"}', "two\nlines", "Authorization: x", "x".repeat(501)])(
  "T28: a text that seems to repeat the request is withheld: %s",
  (text) => {
    for (const shape of Object.values(SHAPES)) expect(explain(shape("INVALID_ARGUMENT", 3, 400, text)).safeMessage).toBeUndefined();
  },
);

test.each([
  ["secretmanager.versions.access", "roles/secretmanager.secretAccessor"],
  ["secretmanager.secrets.list", "roles/secretmanager.viewer"],
  ["secretmanager.secrets.delete", "roles/secretmanager.admin"],
])("a denial of %s says so, and names the role that has it", (permission, role) => {
  const text = `Permission '${permission}' denied for resource 'projects/p/secrets/s' (or it may not exist).`;
  for (const shape of Object.values(SHAPES))
    expect(explain(shape("PERMISSION_DENIED", 7, 403, text))).toMatchObject({ safeMessage: text, hint: expect.stringContaining(role) });
});

test.each([
  ["SERVICE_DISABLED", /services enable/],
  ["CONSUMER_INVALID", /project/],
])("the reason %s has a hint of its own", (reason, hint) => {
  const trip: Trip = { sent: true, status: 403, answer: { status: "PERMISSION_DENIED", message: "", reason } };
  expect(explain(new CallFailure(new Error("x"), trip, false)).hint).toMatch(hint);
});

test.each([
  [
    "the retries of the SDK that gave up",
    { code: 4, message: "Exceeded maximum number of retries retrying error Error: 8 RESOURCE_EXHAUSTED: Quota" },
    "throttled",
  ],
  ["a deadline that has passed", { code: 4, message: "4 DEADLINE_EXCEEDED: Deadline exceeded after 1s" }, "timeout"],
  ["a call that was cancelled", { code: 1, message: "1 CANCELLED: cancelled" }, "aborted"],
  [
    "no default credentials",
    new Error("Could not load the default credentials. Browse to https://cloud.google.com/docs"),
    "unauthenticated",
  ],
  ["a refused refresh token", new Error("invalid_grant"), "unauthenticated"],
  [
    "a universe that does not fit",
    new Error("The configured universe domain (a.b) does not match the universe domain found in the credentials (c.d)."),
    "unauthenticated",
  ],
  [
    "a refused connection over gRPC",
    { code: 14, message: "x", details: "No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1" },
    "unavailable",
  ],
  [
    "a refused connection over REST",
    new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "ECONNREFUSED" }) }),
    "unavailable",
  ],
  ["an unknown host", new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "ENOTFOUND" }) }), "unavailable"],
  [
    "a certificate that nobody vouches for",
    new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }) }),
    "unavailable",
  ],
  ["a proxy's 404 over gRPC", { code: 12, message: "x", details: "Received HTTP status code 404" }, "unavailable"],
  ["a proxy's 403 over gRPC", { code: 7, message: "x", details: "Received HTTP status code 403" }, "unavailable"],
  [
    "a page of HTML with status 404, from a client of the program",
    { code: 5, httpStatusCode: 404, message: "Error response from RPC GetSecret" },
    "unavailable",
  ],
  [
    "JSON that is not the service's, with status 404",
    { code: 404, response: { status: 404, data: { error: "nothing here" } } },
    "unavailable",
  ],
  ["something else", new Error("canary"), "unknown"],
] as const)("%s", (_what, error, code) => {
  const info = explain(error);
  expect(info.code).toBe(code);
  expect(JSON.stringify(info)).not.toContain("canary");
});

test.each([
  ["before it was sent", { code: 14, details: "Name resolution failed for target dns:x" }, "not_applied"],
  ["in the middle", { code: 14, details: "Connection dropped" }, "unknown"],
  ["refused", Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" }), "not_applied"],
  ["reset", Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }), "unknown"],
] as const)("a write over a connection that broke %s has the right outcome", (_when, error, outcome) => {
  expect(explain(error).outcome).toBe(outcome);
  expect(explain(error, "read").outcome).toBe("not_applied");
});

test("after an attempt that was lost even a refusal says that the write may have happened", () => {
  const trip: Trip = { sent: true, status: 403, answer: { status: "PERMISSION_DENIED", message: "" } };
  expect(explain(new CallFailure(new Error("x"), trip, true)).outcome).toBe("unknown");
});

test("in a listing nothing is not there: a project or a location is wrong", () => {
  expect(explain({ code: 5, details: "x", metadata: {} }, "list")).toMatchObject({ code: "invalid_request" });
});
