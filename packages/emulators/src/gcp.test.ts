import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GcpServer } from "./gcp/server.ts";

let server: GcpServer;
beforeAll(async () => {
  server = await GcpServer.start({ tokens: ["a-token"], pageLimit: 2 });
});
afterAll(() => server.stop());

/** Sends a request as a client would, and answers its status and JSON. */
async function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const sent = {
    method,
    headers: { authorization: "Bearer a-token", "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  const response = await fetch(`${server.rest.url}/v1/projects/${path}`, sent);
  return { status: response.status, json: (await response.json()) as Record<string, unknown> & { error?: { status: string } } };
}

const automatic = { replication: { automatic: {} } };
const payload = (text: string) => ({ payload: { data: Buffer.from(text).toString("base64") } });

describe("what the service refuses", () => {
  test.each<[string, () => ReturnType<typeof send>, string]>([
    ["a missing token", () => send("GET", "test-project/secrets", undefined, { authorization: "" }), "UNAUTHENTICATED"],
    ["another token", () => send("GET", "test-project/secrets", undefined, { authorization: "Bearer x" }), "UNAUTHENTICATED"],
    ["another project", () => send("GET", "other/secrets"), "PERMISSION_DENIED"],
    ["a name with a slash or a dot", () => send("POST", "test-project/secrets?secretId=a.b", automatic), "INVALID_ARGUMENT"],
    ["a name of 256 characters", () => send("POST", `test-project/secrets?secretId=${"a".repeat(256)}`, automatic), "INVALID_ARGUMENT"],
    ["a secret without replication", () => send("POST", "test-project/secrets?secretId=a", {}), "INVALID_ARGUMENT"],
    [
      "a regional secret with replication",
      () => send("POST", "test-project/locations/l/secrets?secretId=a", automatic),
      "INVALID_ARGUMENT",
    ],
    ["a field that it does not know", () => send("POST", "test-project/secrets?secretId=a", { ...automatic, tag: 1 }), "INVALID_ARGUMENT"],
    [
      "another content type",
      () => send("POST", "test-project/secrets?secretId=a", automatic, { "content-type": "text/plain" }),
      "INVALID_ARGUMENT",
    ],
    [
      "a label in capitals",
      () => send("POST", "test-project/secrets?secretId=a", { ...automatic, labels: { A: "b" } }),
      "INVALID_ARGUMENT",
    ],
    ["a missing secret", () => send("GET", "test-project/secrets/absent"), "NOT_FOUND"],
    ["an unknown filter", () => send("GET", "test-project/secrets?filter=name~x"), "INVALID_ARGUMENT"],
  ])("%s", async (_what, call, status) => {
    expect((await call()).json.error?.status).toBe(status);
  });
});

test("the life of a secret: latest is the newest version, also when it is disabled; deleting is for good", async () => {
  const secret = "test-project/secrets/life";
  expect((await send("POST", "test-project/secrets?secretId=life", automatic)).json["name"]).toBe("projects/424242424242/secrets/life");
  expect((await send("POST", "test-project/secrets?secretId=life", automatic)).json.error?.status).toBe("ALREADY_EXISTS");
  expect((await send("GET", `${secret}/versions/latest:access`)).json.error?.status).toBe("NOT_FOUND");
  expect((await send("POST", `${secret}:addVersion`, payload(""))).json.error?.status).toBe("INVALID_ARGUMENT");
  expect((await send("POST", `${secret}:addVersion`, payload("x".repeat(65_537)))).json.error?.status).toBe("INVALID_ARGUMENT");
  for (const text of ["one", "two"]) await send("POST", `${secret}:addVersion`, payload(text));
  await send("POST", `${secret}/versions/2:disable`, {});
  expect((await send("GET", `${secret}/versions/latest:access`)).json.error?.status).toBe("FAILED_PRECONDITION");
  expect((await send("GET", `${secret}/versions/1:access`)).json).toMatchObject(payload("one"));
  const { etag } = (await send("GET", secret)).json;
  expect((await send("PATCH", secret, { annotations: {} })).json.error?.status).toBe("INVALID_ARGUMENT");
  await send("PATCH", `${secret}?updateMask=annotations`, { annotations: { a: "b" } });
  expect((await send("PATCH", `${secret}?updateMask=annotations`, { etag, annotations: {} })).json.error?.status).toBe(
    "FAILED_PRECONDITION",
  );
  expect((await send("DELETE", secret)).status).toBe(200);
  expect((await send("DELETE", secret)).json.error?.status).toBe("NOT_FOUND");
});

test("a checksum that does not fit is refused", async () => {
  await send("POST", "test-project/secrets?secretId=sum", automatic);
  const data = Buffer.from("123456789").toString("base64");
  const add = (dataCrc32c: string) => send("POST", "test-project/secrets/sum:addVersion", { payload: { data, dataCrc32c } });
  // The check value of CRC-32C.
  expect([(await add(String(0xe3069283))).status, (await add("1")).status]).toEqual([200, 400]);
});

test("a listing has pages, and a page that no API has is no JSON", async () => {
  for (const id of ["p1", "p2", "p3"]) await send("POST", `test-project/locations/l/secrets?secretId=${id}`, {});
  const first = (await send("GET", "test-project/locations/l/secrets?pageSize=2")).json;
  expect(first["secrets"]).toHaveLength(2);
  const rest = (await send("GET", `test-project/locations/l/secrets?pageToken=${String(first["nextPageToken"])}`)).json;
  expect(rest["secrets"]).toHaveLength(1);
  const lost = await fetch(`${server.rest.url}/v2/nothing`);
  expect([lost.status, lost.headers.get("content-type")]).toEqual([404, "text/html; charset=UTF-8"]);
});
