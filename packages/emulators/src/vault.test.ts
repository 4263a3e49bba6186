import { describe, expect, test } from "vitest";
import { plainRequest } from "../test/plain-request.ts";
import { vault } from "../test/vault-client.ts";

const MISMATCH = { errors: ["check-and-set parameter did not match the current version"] };

describe("a key of version 2", () => {
  test("comes back with its version, and a write tells which one it made", async () => {
    const { emulator, send } = await vault();
    const written = await send("POST", "secret/data/a/b", { body: { data: { k: "v", n: 1, deep: { x: null } } } });
    expect(written.json).toMatchObject({
      request_id: expect.stringMatching(/^[\da-f-]{36}$/),
      lease_duration: 0,
      data: { version: 1, deletion_time: "", destroyed: false, custom_metadata: null },
      wrap_info: null,
      warnings: null,
      auth: null,
    });
    expect((written.json.data as { created_time: string }).created_time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    await send("PUT", "secret/data/a/b", { body: { data: { k: "w" } } });
    expect((await send("GET", "secret/data/a/b")).json).toMatchObject({ data: { data: { k: "w" }, metadata: { version: 2 } } });
    const first = await send("GET", "secret/data/a/b?version=1");
    expect(first.json).toMatchObject({ data: { data: { k: "v", n: 1, deep: { x: null } }, metadata: { version: 1 } } });
    expect(emulator.kv().keys()).toEqual(["a/b"]);
  });

  test("never was, or has no such version: 404 without a word", async () => {
    const { send } = await vault();
    await send("POST", "secret/data/a", { body: { data: {} } });
    for (const path of ["secret/data/absent", "secret/data/a?version=7", "secret/metadata/absent", "secret/subkeys/absent"])
      expect(await send("GET", path)).toMatchObject({ status: 404, json: { errors: [] } });
  });

  test("deleted or destroyed: 404 with a body that says so", async () => {
    const { send } = await vault();
    await send("POST", "secret/data/a", { body: { data: { k: "v" } } });
    expect(await send("DELETE", "secret/data/a")).toMatchObject({ status: 204, text: "" });
    const deleted = await send("GET", "secret/data/a");
    expect(deleted).toMatchObject({ status: 404, json: { data: { data: null, metadata: { version: 1, destroyed: false } } } });
    expect((deleted.json.data as { metadata: { deletion_time: string } }).metadata.deletion_time).not.toBe("");
    await send("DELETE", "secret/data/a");
    expect((await send("GET", "secret/data/a")).json.data).toEqual(deleted.json.data);
    expect(await send("POST", "secret/undelete/a", { body: { versions: [1] } })).toMatchObject({ status: 204 });
    expect(await send("GET", "secret/data/a")).toMatchObject({ status: 200, json: { data: { data: { k: "v" } } } });
    expect(await send("PUT", "secret/destroy/a", { body: { versions: ["1"] } })).toMatchObject({ status: 204 });
    for (const path of ["undelete", "delete"]) await send("POST", `secret/${path}/a`, { body: { versions: [1] } });
    expect(await send("GET", "secret/data/a")).toMatchObject({
      status: 404,
      json: { data: { data: null, metadata: { deletion_time: "", destroyed: true } } },
    });
  });

  test("is written against a version: 0 is for a key without one, and a deleted key still has its number", async () => {
    const { send } = await vault();
    const write = (cas: unknown) => send("POST", "secret/data/a", { body: { options: { cas }, data: { k: "v" } } });
    await send("POST", "secret/metadata/a", { body: { custom_metadata: { owner: "etl" } } });
    expect((await write(1)).json).toEqual(MISMATCH);
    expect((await write(0)).status).toBe(200);
    expect(await write(0)).toMatchObject({ status: 400, json: MISMATCH });
    await send("DELETE", "secret/data/a");
    expect(await write(0)).toMatchObject({ status: 400, json: MISMATCH });
    expect(await write("1")).toMatchObject({ status: 200, json: { data: { version: 2 } } });
    expect((await write("x")).json).toEqual({ errors: ["error parsing check-and-set parameter"] });
    await send("DELETE", "secret/metadata/a");
    expect((await write(null)).json).toMatchObject({ data: { version: 1 } });
  });

  test("needs a version to be written against where the mount or the key says so", async () => {
    const { emulator, send } = await vault();
    emulator.mount("strict", 2, { casRequired: true });
    const required = { status: 400, json: { errors: ["check-and-set parameter required for this call"] } };
    expect(await send("POST", "strict/data/a", { body: { data: {} } })).toMatchObject(required);
    expect((await send("POST", "strict/data/a", { body: { options: { cas: 0 }, data: {} } })).status).toBe(200);
    await send("POST", "secret/metadata/a", { body: { cas_required: true } });
    expect(await send("POST", "secret/data/a", { body: { data: {} } })).toMatchObject(required);
    expect(await send("GET", "strict/config")).toMatchObject({ json: { data: { cas_required: true, max_versions: 0 } } });
  });

  test("keeps ten versions, or as many as it is told", async () => {
    const { emulator, send } = await vault();
    for (let at = 0; at < 12; at += 1) emulator.kv().write("a", { at: String(at) });
    expect((await send("GET", "secret/metadata/a")).json.data).toMatchObject({ current_version: 12, oldest_version: 3 });
    expect((await send("GET", "secret/data/a?version=2")).json).toEqual({ errors: [] });
    await send("POST", "secret/config", { body: { max_versions: 2 } });
    emulator.kv().write("a", {});
    const { versions } = (await send("GET", "secret/metadata/a")).json.data as { versions: object };
    expect(Object.keys(versions)).toEqual(["12", "13"]);
  });

  test("may be about to vanish: a time of deletion that lies ahead is no deletion", async () => {
    const { send } = await vault();
    await send("POST", "secret/metadata/a", { body: { delete_version_after: "1h30m" } });
    await send("POST", "secret/data/a", { body: { data: { k: "v" } } });
    const { status, json } = await send("GET", "secret/data/a");
    const { metadata } = json.data as { metadata: { deletion_time: string } };
    expect([status, Date.parse(metadata.deletion_time) > Date.now()]).toEqual([200, true]);
    expect((await send("GET", "secret/metadata/a")).json.data).toMatchObject({ delete_version_after: "1h30m0s" });
  });

  test("is patched with a merge patch, of that type only, and only while it is there", async () => {
    const { send } = await vault();
    await send("POST", "secret/data/a", { body: { data: { a: "1", b: "2", c: { d: "3", e: "4" } } } });
    const change = { b: null, c: { d: null }, f: "5" };
    expect(await send("PATCH", "secret/data/a", { body: { options: { cas: 1 }, data: change } })).toMatchObject({
      status: 200,
      json: { data: { version: 2 } },
    });
    expect((await send("GET", "secret/data/a")).json.data).toMatchObject({ data: { a: "1", c: { e: "4" }, f: "5" } });
    expect((await send("PATCH", "secret/data/a", { body: { options: { cas: 1 }, data: {} } })).json).toEqual(MISMATCH);
    const plain = { headers: { "content-type": "application/json" }, body: { data: {} } };
    expect((await send("PATCH", "secret/data/a", plain)).status).toBe(415);
    expect(await send("PATCH", "secret/data/absent", { body: { data: {} } })).toMatchObject({ status: 404, text: "" });
    await send("DELETE", "secret/data/a");
    expect(await send("PATCH", "secret/data/a", { body: { data: {} } })).toMatchObject({ status: 404, json: { data: { version: 2 } } });
  });

  test("shows its keys without what they hold", async () => {
    const { send } = await vault();
    await send("POST", "secret/data/a", { body: { data: { k: "v", deep: { x: "y" }, empty: {} } } });
    expect((await send("GET", "secret/subkeys/a")).json.data).toMatchObject({ subkeys: { k: null, deep: { x: null }, empty: null } });
    expect((await send("GET", "secret/subkeys/a?depth=1")).json.data).toMatchObject({ subkeys: { k: null, deep: null, empty: null } });
  });

  test("takes metadata whether it is there or not: a write replaces the map, a patch merges it, a deletion is for good", async () => {
    const { emulator, send } = await vault();
    await send("POST", "secret/metadata/a", { body: { custom_metadata: { one: "1", two: 2 } } });
    expect((await send("GET", "secret/metadata/a")).json.data).toMatchObject({
      current_version: 0,
      custom_metadata: { one: "1", two: "2" },
      versions: {},
    });
    expect((await send("GET", "secret/data/a")).json).toEqual({ errors: [] });
    await send("PATCH", "secret/metadata/a", { body: { custom_metadata: { one: null, three: "3" } } });
    expect(emulator.kv().customMetadata("a")).toEqual({ two: "2", three: "3" });
    await send("POST", "secret/metadata/a", { body: { custom_metadata: { four: "4" } } });
    expect(emulator.kv().customMetadata("a")).toEqual({ four: "4" });
    expect(await send("PATCH", "secret/metadata/absent", { body: { custom_metadata: {} } })).toMatchObject({ status: 404, text: "" });
    expect((await send("DELETE", "secret/metadata/a")).status).toBe(204);
    expect((await send("DELETE", "secret/metadata/a")).status).toBe(204);
    expect(emulator.kv().keys()).toEqual([]);
  });

  test.each([
    ["an empty value", { k: "" }, 'length of value for key "k" is 0 but must be 0 < len(value) <= 512'],
    ["a value of 513 bytes", { k: "x".repeat(513) }, 'length of value for key "k" is 513 but must be 0 < len(value) <= 512'],
    ["a key of 129 bytes", { ["k".repeat(129)]: "x" }, "is 129 but must be 0 < len(key) <= 128"],
    ["a line break", { k: "a\nb" }, 'value for key "k" contains unprintable characters'],
    ["65 keys", Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`k${at}`, "x"])), "must contain at most 64 keys, provided 65"],
  ])("refuses metadata with %s", async (_what, custom_metadata, message) => {
    const { emulator, send } = await vault();
    const { status, json } = await send("POST", "secret/metadata/a", { body: { custom_metadata } });
    expect([status, json.errors?.[0]]).toEqual([400, expect.stringContaining(`custom_metadata validation failed: `)]);
    expect(json.errors?.[0]).toContain(message);
    expect(emulator.kv().keys()).toEqual([]);
  });
});

test("a listing has the names of one folder: folders with a slash, a key and a folder of one name, deleted keys too", async () => {
  const { emulator, send } = await vault();
  for (const name of ["f/a", "f/a/deep", "f/b", "z"]) emulator.kv().write(name, {});
  emulator.kv().softDelete("f/b");
  expect((await send("GET", "secret/metadata/?list=true")).json.data).toEqual({ keys: ["f/", "z"] });
  expect((await send("GET", "secret/metadata/f?list=1")).json.data).toEqual({ keys: ["a", "a/", "b"] });
  expect(await send("GET", "secret/metadata/none/?list=true")).toMatchObject({ status: 404, json: { errors: [] } });
  expect(await send("GET", "secret/metadata/z/?list=true")).toMatchObject({ status: 404, json: { errors: [] } });
  expect((await send("GET", "secret/metadata/?list=perhaps")).status).toBe(400);
});

describe("a key of version 1", () => {
  test("is its path: no versions, no check-and-set, gone when it is deleted", async () => {
    const { emulator, send } = await vault();
    expect(await send("POST", "kv1/f/a", { body: { k: "v" } })).toMatchObject({ status: 204, text: "" });
    await send("PUT", "kv1/f/a", { body: { k: "w" } });
    expect((await send("GET", "kv1/f/a")).json).toMatchObject({ data: { k: "w" }, lease_duration: 2_764_800 });
    expect((await send("GET", "kv1/f/?list=true")).json.data).toEqual({ keys: ["a"] });
    expect((await send("PATCH", "kv1/f/a", { body: {} })).json).toEqual({ errors: ["1 error occurred:\n\t* unsupported operation\n\n"] });
    expect((await send("POST", "kv1/f/a", { body: {} })).json).toEqual({ errors: ["missing data fields"] });
    expect([(await send("DELETE", "kv1/f/a")).status, (await send("DELETE", "kv1/f/a")).status]).toEqual([204, 204]);
    expect(await send("GET", "kv1/f/a")).toMatchObject({ status: 404, json: { errors: [] } });
    expect(emulator.kv("kv1").keys()).toEqual([]);
  });

  test("keeps numbers as they were written, where version 2 rounds them", async () => {
    const { send } = await vault();
    const numbers = '{"id":9007199254740993,"deep":{"list":[1.0,1e3]}}';
    await send("POST", "kv1/a", { body: numbers });
    expect((await send("GET", "kv1/a")).text).toContain(`"data":${numbers},`);
    await send("POST", "secret/data/a", { body: `{"data":${numbers}}` });
    expect((await send("GET", "secret/data/a")).text).toContain('"data":{"id":9007199254740992,"deep":{"list":[1,1000]}}');
    await send("PATCH", "secret/data/a", { body: '{"data":{"id":9007199254740995}}' });
    expect((await send("GET", "secret/data/a")).text).toContain('"data":{"id":9007199254740996,');
    await send("POST", "secret/metadata/a", { body: '{"custom_metadata":{"id":9007199254740993}}' });
    expect((await send("GET", "secret/metadata/a")).json.data).toMatchObject({ custom_metadata: { id: "9007199254740993" } });
    for (const body of ['{"max_versions":1.0}', '{"max_versions":"x"}'])
      expect((await send("POST", "secret/metadata/a", { body })).status, body).toBe(400);
    for (const cas of ["1.0", "9007199254740993", "{}"])
      expect((await send("POST", "secret/data/a", { body: `{"options":{"cas":${cas}},"data":{}}` })).status, cas).toBe(400);
    expect((await send("POST", "secret/undelete/a", { body: '{"versions":[1.0]}' })).status).toBe(400);
  });

  test("tells its own ttl as the duration of a lease", async () => {
    const { send } = await vault();
    await send("POST", "kv1/a", { body: { ttl: "1h30m", k: "v" } });
    expect((await send("GET", "kv1/a")).json).toMatchObject({ lease_duration: 5_400, data: { ttl: "1h30m", k: "v" } });
  });

  test("may not have two dots in a row anywhere in its name, where version 2 takes them", async () => {
    const { send } = await vault();
    expect((await send("POST", "secret/data/a..b", { body: { data: {} } })).status).toBe(200);
    expect((await send("POST", "kv1/a..b", { body: { k: "v" } })).status).toBe(500);
    expect((await send("GET", "kv1/a..b")).json).toEqual({
      errors: ["1 error occurred:\n\t* read failed: relative paths not supported\n\n"],
    });
    expect((await send("DELETE", "kv1/a..b")).status).toBe(400);
  });
});

describe("the wrong version", () => {
  test("version 2 as version 1: 404 with a warning", async () => {
    const { send } = await vault();
    expect(await send("GET", "secret/a")).toMatchObject({
      status: 404,
      json: { data: null, warnings: [expect.stringContaining("Invalid path for a versioned K/V secrets engine.")] },
    });
    expect((await send("POST", "secret/a", { body: { k: "v" } })).json["warnings"]).toEqual([
      expect.stringContaining("If using the Vault CLI, use 'vault kv put' for this operation."),
    ]);
    expect((await send("GET", "secret/data")).json["warnings"]).toEqual([expect.stringContaining("root of a K/V v2 mount")]);
  });

  test("version 1 as version 2: the data lands in a folder that is called data", async () => {
    const { emulator, send } = await vault();
    await send("POST", "kv1/data/a", { body: { data: { k: "v" } } });
    expect(emulator.kv("kv1").keys()).toEqual(["data/a"]);
    expect((await send("GET", "kv1/data/a")).json.data).toEqual({ data: { k: "v" } });
  });

  test("while an engine is being upgraded it answers nothing", async () => {
    const { emulator, send } = await vault();
    emulator.kv().upgrading = true;
    expect(await send("GET", "secret/data/a")).toMatchObject({
      status: 400,
      json: { errors: [expect.stringContaining("Upgrading from non-versioned to versioned data.")] },
    });
  });
});

describe("paths", () => {
  test("are decoded as a whole: an encoded slash is a slash", async () => {
    const { emulator, send } = await vault();
    await send("POST", "secret/data/f%2Fa%20%25%C3%A4%3F%23+", { body: { data: { k: "v" } } });
    expect(emulator.kv().keys()).toEqual(["f/a %ä?#+"]);
    expect((await send("GET", "secret/data/f/a%20%25%C3%A4%3F%23%2B")).status).toBe(200);
    expect(emulator.seen.at(-1)).toMatchObject({ method: "GET", path: "/v1/secret/data/f/a%20%25%C3%A4%3F%23%2B" });
  });

  test.each([
    ["a relative path", "GET", "secret/data/a/../b", 400, '{"errors":["relative paths not supported"]}'],
    ["an encoded relative path", "GET", "secret/data/a/%2e%2e/b", 400, '{"errors":["relative paths not supported"]}'],
    ["a control character", "GET", "secret/data/a%0Ab", 400, ""],
    ["a space that is none", "GET", "secret/data/a%C2%A0b", 400, ""],
    ["half an escape", "GET", "secret/data/a%", 400, "400 Bad Request"],
    ["a write to a folder", "POST", "secret/data/a/", 400, `{"errors":["cannot write to a path ending in '/'"]}`],
    ["no name", "POST", "secret/data", 404, expect.stringContaining("Non-listing operations")],
    ["an unknown mount", "GET", "other/data/a", 404, '{"errors":["no handler for route \\"other/data/a\\". route entry not found."]}'],
    ["another method", "GET", "secret/delete/a", 405, expect.stringContaining("unsupported operation")],
  ])("%s is refused", async (_what, method, path, status, text) => {
    const { emulator, send } = await vault();
    const request = method === "GET" ? {} : { body: { data: {} } };
    expect(await send(method, path, request)).toMatchObject({ status, text });
    expect(emulator.kv().keys()).toEqual([]);
  });

  test("two slashes in a row are redirected to one", async () => {
    const { send } = await vault();
    const { status, headers } = await send("GET", "secret/data//a%20b?version=1");
    expect([status, headers["location"]]).toEqual([301, "/v1/secret/data/a%20b?version=1"]);
  });

  test("outside of the API there is nothing", async () => {
    const { emulator } = await vault();
    expect(await plainRequest(emulator.url, "/ui/")).toMatchObject({ status: 404, text: "404 page not found\n" });
  });
});

describe("bodies", () => {
  test.each([
    ["no data", { options: {} }, 400, "no data provided"],
    ["data that is no map", { data: ["x"] }, 400, 'error converting input for field "data"'],
    ["no JSON", "{", 400, "failed to parse JSON input: unexpected EOF"],
    ["no object", "[]", 400, "failed to parse JSON input: json: cannot unmarshal array into Go value"],
    ["a value over a mebibyte", { data: { k: "x".repeat(1_048_576) } }, 500, "put failed due to value being too large; got 10"],
    ["more than 32 mebibytes", { data: { k: "x".repeat(33_554_432) } }, 413, "http: request body too large"],
  ])("%s is refused", async (_what, body, status, message) => {
    const { emulator, send } = await vault();
    const answer = await send("POST", "secret/data/a", { body });
    expect([answer.status, answer.json.errors?.[0]]).toEqual([status, expect.stringContaining(message)]);
    expect(emulator.kv().keys()).toEqual([]);
  });

  test("versions have to be named", async () => {
    const { send } = await vault();
    for (const path of ["delete", "undelete", "destroy"])
      expect((await send("POST", `secret/${path}/a`, { body: {} })).json).toEqual({ errors: ["No version number provided"] });
  });

  test("almost a mebibyte, names like those of prototypes and half a surrogate pair come through as Go would have them", async () => {
    const { send } = await vault();
    const large = "x".repeat(1_048_000);
    await send("POST", "secret/data/a", { body: { data: { k: large } } });
    expect((await send("GET", "secret/data/a")).json.data).toMatchObject({ data: { k: large } });
    await send("POST", "secret/data/b", { body: '{"data":{"__proto__":"p","constructor":"c","half":"\\ud800"}}' });
    expect((await send("GET", "secret/data/b")).text).toContain('"data":{"__proto__":"p","constructor":"c","half":"\ufffd"}');
  });
});

describe("OpenBao", () => {
  test("lists page by page, after a name", async () => {
    const { emulator, send } = await vault({ product: "openbao" });
    for (const name of ["a", "b", "c/d", "e"]) emulator.kv().write(name, {});
    const keys = async (query: string) => ((await send("GET", `secret/metadata/?list=true&${query}`)).json.data as { keys: string[] }).keys;
    expect(await keys("limit=2")).toEqual(["a", "b"]);
    expect(await keys("limit=2&after=b")).toEqual(["c/", "e"]);
    expect(await keys("after=c/")).toEqual(["e"]);
    expect((await send("GET", "secret/metadata/?list=true&after=e")).json).toEqual({ errors: [] });
    emulator.server.faults.inject({ kind: "repeat_token" });
    expect(await keys("limit=2&after=b")).toEqual(["a", "b"]);
  });

  test("scans folders, and lists what is known about their keys", async () => {
    const { emulator, send } = await vault({ product: "openbao" });
    for (const name of ["f/a", "f/g/b", "c"]) emulator.kv().write(name, {});
    expect((await send("GET", "secret/metadata/f?scan=true")).json.data).toEqual({ keys: ["a", "g/b"] });
    expect((await send("GET", "secret/detailed-metadata/f?list=true")).json.data).toMatchObject({
      keys: ["a", "g/"],
      key_info: { a: { current_version: 1, current_metadata_version: 0 }, "g/": {} },
    });
    const write = async (metadata_cas: number) =>
      (await send("POST", "secret/metadata/f/a", { body: { metadata_cas, max_versions: 3 } })).status;
    expect([await write(1), await write(0), await write(0), await write(1)]).toEqual([400, 204, 400, 204]);
  });

  test("takes two dots in a row in version 1, too", async () => {
    const { emulator, send } = await vault({ product: "openbao" });
    expect((await send("POST", "kv1/f/a..b", { body: { k: "v" } })).status).toBe(204);
    expect((await send("GET", "kv1/f/a..b")).json.data).toEqual({ k: "v" });
    expect((await send("GET", "kv1/f/?list=true")).json.data).toEqual({ keys: ["a..b"] });
    expect((await send("GET", "kv1/f/../b")).json).toEqual({ errors: ["relative paths not supported"] });
    expect((await send("DELETE", "kv1/f/a..b")).status).toBe(204);
    expect(emulator.kv("kv1").keys()).toEqual([]);
  });

  test("names its own command", async () => {
    const { send } = await vault({ product: "openbao" });
    expect((await send("GET", "secret/a")).json["warnings"]).toEqual([
      expect.stringContaining("If using the OpenBao CLI, use 'bao kv get' for this operation."),
    ]);
  });

  test("takes a thousand texts in a request, before it looks at anything else", async () => {
    const { send } = await vault({ product: "openbao" });
    const texts = (count: number) => Object.fromEntries(Array.from({ length: count / 2 }, (_, at) => [`k${at}`, "v"]));
    const refused = {
      status: 400,
      json: { errors: ["refused JSON input due to high complexity: exceeded maximum number of strings"] },
    };
    expect((await send("POST", "kv1/a", { body: texts(1_000) })).status).toBe(204);
    expect(await send("POST", "kv1/a", { body: texts(1_002), token: undefined })).toMatchObject(refused);
    expect(await send("POST", "kv1/a", { body: { list: Array.from({ length: 1_000 }, () => "v") } })).toMatchObject(refused);
    expect((await send("POST", "kv1/a", { body: { list: Array.from({ length: 5_000 }, () => 1) } })).status).toBe(204);
  });

  test.each([
    ["{", "failed to decode JSON input: unexpected EOF"],
    ["{}x", "failed to decode JSON input: invalid character 'x' looking for beginning of value"],
    ["[]", "failed to decode JSON input: json: cannot unmarshal array into Go value of type map[string]interface {}"],
  ])("refuses %s in its own words, whoever sends it", async (body, message) => {
    const { send } = await vault({ product: "openbao" });
    expect(await send("POST", "nothing/a", { body, token: undefined })).toMatchObject({ status: 400, json: { errors: [message] } });
  });

  test("has what Vault has not", async () => {
    const { emulator, send } = await vault();
    for (const name of ["a", "b"]) emulator.kv().write(name, {});
    expect((await send("GET", "secret/metadata/?list=true&limit=1&after=a")).json.data).toEqual({ keys: ["a", "b"] });
    expect((await send("GET", "secret/metadata/?scan=true")).status).toBe(405);
    expect((await send("GET", "secret/detailed-metadata/?list=true")).status).toBe(405);
  });
});
