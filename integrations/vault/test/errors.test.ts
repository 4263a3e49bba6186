import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createSecretsManager, DriverError, type ErrorCode, type Operation, type SecretsManager } from "@coffer/core";
import { testCertificate } from "@coffer/emulators/certificates";
import type { LoopbackAnswer } from "@coffer/emulators/loopback";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import nodeVault from "node-vault";
import { classifyVaultError } from "../src/errors.ts";
import { vault } from "../src/index.ts";
import type { VaultSettings } from "../src/settings-types.ts";
import { TransportError } from "@coffer/core/transport";
import { call, failure, frontOf, laboratory, serverFor } from "./laboratory.ts";
import { openVault } from "./subject.ts";

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (/^(?:VAULT|BAO)_/.test(name)) vi.stubEnv(name, undefined);
});
afterEach(() => void vi.unstubAllEnvs());

const JSON_TYPE = { "content-type": "application/json" };
const WORDS = "words-of-the-service";

/** A refusal in the shape of the service. */
function refuses(status: number, ...errors: readonly string[]): LoopbackAnswer {
  return { status, headers: JSON_TYPE, body: JSON.stringify({ errors }) };
}

function answers(status: number, body: object): LoopbackAnswer {
  return { status, headers: JSON_TYPE, body: JSON.stringify(body) };
}

const CALLS: Readonly<Record<string, (manager: SecretsManager) => Promise<unknown>>> = {
  get: (manager) => manager.getSecret("db"),
  has: (manager) => manager.hasSecret("db"),
  list: (manager) => Array.fromAsync(manager.listSecrets()),
  register: (manager) => manager.registerSecret({ name: "db", values: { a: "b" } }),
  replace: (manager) => manager.replaceSecret({ name: "db", schema: "arbitrary", values: { a: "b" } }),
  update: (manager) => manager.updateSecret("db", { values: { a: "b" } }),
  delete: (manager) => manager.deleteSecret("db"),
};

/** A manager on a server that gives one answer to everything but a look at the token. */
async function managerOn(
  given: LoopbackAnswer,
  settings: VaultSettings = {},
  lookup = answers(200, { data: {} }),
): Promise<SecretsManager> {
  const server = await serverFor(({ path }) => (path.endsWith("/lookup-self") ? lookup : given));
  const manager = createSecretsManager(vault, { address: server.url, token: "hvs.for-tests", kv_version: 2, max_retries: 0, ...settings });
  onTestFinished(() => manager.close());
  return manager;
}

interface Row {
  readonly what: string;
  readonly given: LoopbackAnswer;
  readonly code: ErrorCode;
  readonly retryable: boolean;
  /** What is known about a write that is answered so. */
  readonly outcome: "not_applied" | "unknown";
}

function row(what: string, given: LoopbackAnswer, code: ErrorCode, retryable: boolean, outcome: Row["outcome"] = "not_applied"): Row {
  return { what, given, code, retryable, outcome };
}

const TABLE: readonly Row[] = [
  row("no engine at the mount", refuses(404, 'no handler for route "secret/data/db". route entry not found.'), "invalid_settings", false),
  row(
    "an engine of the other version",
    answers(404, { warnings: [`Invalid path for a versioned K/V secrets engine. ${WORDS}`] }),
    "invalid_settings",
    false,
  ),
  row("not allowed", refuses(403, `1 error occurred:\n\t* permission denied\n\n${WORDS}`), "permission_denied", false),
  row("no token, in the words of older servers", refuses(400, "missing client token"), "unauthenticated", false),
  row(
    "a bad token, in the words of newer servers",
    refuses(403, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"),
    "unauthenticated",
    false,
  ),
  row("401 of something in between", refuses(401, WORDS), "unauthenticated", false),
  row("a quota", refuses(429, `request path "x": rate limit quota exceeded`), "throttled", true),
  row("sealed", refuses(503, "Vault is sealed"), "unavailable", true),
  row("no active node", refuses(503, "local node not active but active cluster node not found"), "unavailable", true, "unknown"),
  row("broken", refuses(500, "internal error"), "unavailable", true, "unknown"),
  row("a gateway", { status: 502, headers: { "content-type": "text/html" }, body: `<h1>${WORDS}</h1>` }, "unavailable", true, "unknown"),
  row("a gateway that waited too long", { status: 504 }, "unavailable", true, "unknown"),
  row("not initialised", refuses(501, "Vault is not initialized"), "unavailable", false),
  row("a standby for disaster recovery", refuses(472, WORDS), "unavailable", true),
  row("a performance standby", refuses(473, WORDS), "unavailable", true),
  row("a node behind the last write", refuses(412, "required index state not present"), "unavailable", true),
  row(
    "an engine that is being upgraded",
    refuses(
      400,
      "Upgrading from non-versioned to versioned data. This backend will be unavailable for a brief period and will resume service shortly.",
    ),
    "unavailable",
    true,
  ),
  row(
    "an operation that the engine does not have",
    refuses(405, "1 error occurred:\n\t* unsupported operation\n\n"),
    "invalid_request",
    false,
  ),
  row("too large for the server", refuses(413, `failed to parse JSON input: http: request body too large ${WORDS}`), "too_large", false),
  row(
    "too large for the storage",
    refuses(500, "1 error occurred:\n\t* put failed due to value being too large; got 2 bytes, max: 1 bytes\n\n"),
    "too_large",
    false,
  ),
  row(
    "a name with two dots, read or written",
    refuses(500, `1 error occurred:\n\t* read failed: relative paths not supported\n\n${WORDS}`),
    "invalid_name",
    false,
  ),
  row(
    "a name with two dots, deleted or listed",
    refuses(400, `1 error occurred:\n\t* relative paths not supported\n\n${WORDS}`),
    "invalid_name",
    false,
  ),
  row("a request that is not understood", refuses(400, WORDS), "invalid_request", false),
  row("a status that nobody knows", refuses(418, WORDS), "invalid_request", false),
];

describe("the error table", () => {
  for (const { what, given, code, retryable, outcome } of TABLE) {
    test(`${given.status}, ${what}, is ${code}`, async () => {
      const expected = { code, retryable, cause: expect.objectContaining({ status: given.status }) as unknown };
      for (const settings of [{ kv_version: 2 }, { kv_version: 1, mount: "kv1" }] as const) {
        const manager = await managerOn(given, settings);
        for (const [name, run] of Object.entries(CALLS)) {
          const error = await failure(run(manager));
          expect(error, name).toMatchObject(expected);
          // Version 1 looks before it writes, so that nothing is written after a look that failed.
          expect(error.outcome, name).toBe(name === "register" && settings.kv_version === 2 ? outcome : "not_applied");
          expect(error.message + error.hint).not.toContain(WORDS);
          expect(error.message).not.toContain("\n");
        }
        const read = await Array.fromAsync(manager.getSecrets(["db"]));
        expect(read).toMatchObject([{ name: "db", error: { code } }]);
      }
    });
  }

  test("404 without a word is missing, an empty listing, and nothing else", async () => {
    for (const kv_version of [1, 2] as const) {
      const manager = await managerOn(refuses(404), { kv_version });
      expect(await manager.hasSecret("db")).toBe(false);
      expect(await Array.fromAsync(manager.listSecrets())).toEqual([]);
      for (const name of ["get", "replace", "update", "delete"])
        expect(await failure(CALLS[name]?.(manager) ?? Promise.resolve())).toMatchObject({ code: "not_found" });
    }
  });

  test.each([
    ["nothing at all", { status: 404 }],
    ["a page", { status: 404, headers: { "content-type": "text/html" }, body: "<h1>Not Found</h1>" }],
    ["text", { status: 404, headers: { "content-type": "text/plain" }, body: "404 page not found\n" }],
    ["JSON of a gateway", answers(404, { message: "no Route matched with those values" })],
    ["an empty object", answers(404, {})],
    ["errors that are no list", answers(404, { errors: "nothing" })],
  ])("T95: a 404 with %s does not mean missing", async (_what, given) => {
    for (const kv_version of [1, 2] as const) {
      const manager = await managerOn(given, { kv_version });
      for (const [name, run] of Object.entries(CALLS)) expect(await failure(run(manager)), name).toMatchObject({ code: "unavailable" });
    }
    // Nor that the server is old, and the engine of version 1.
    const asking = await managerOn(given, { kv_version: undefined });
    expect(await failure(asking.getSecret("db"))).toMatchObject({ code: "unavailable" });
  });

  test.each([
    ["HTML with status 200", { status: 200, headers: { "content-type": "text/html" }, body: "<html>Please sign in</html>" }],
    ["HTML with the type of JSON", { status: 200, headers: JSON_TYPE, body: "<html>Please sign in</html>" }],
    ["HTML with status 403", { status: 403, headers: { "content-type": "text/html" }, body: "<html>Blocked</html>" }],
    ["JSON that is cut off", { status: 200, headers: JSON_TYPE, body: '{"data":{"data":{"a":"b"},"metada' }],
    ["an object of somebody else", answers(200, { ok: true })],
    ["a list", answers(200, [])],
    ["null", { status: 200, headers: JSON_TYPE, body: "null" }],
    ["a number", { status: 200, headers: JSON_TYPE, body: "42" }],
    ["nothing", { status: 200 }],
    ["bytes", { status: 200, headers: { "content-type": "application/octet-stream" }, body: Buffer.from([0xff, 0xfe, 0, 1]) }],
  ] as readonly (readonly [string, LoopbackAnswer])[])("T95: %s is no answer, and no success", async (_what, given) => {
    for (const kv_version of [1, 2] as const) {
      const manager = await managerOn(given, { kv_version });
      for (const [name, run] of Object.entries(CALLS)) {
        const error = await failure(run(manager));
        expect(error, name).toMatchObject({
          code: "unavailable",
          outcome: name === "register" && kv_version === 2 ? "unknown" : "not_applied",
        });
        expect(error.message).not.toMatch(/<html|sign in|Blocked/);
      }
    }
    expect(await failure((await managerOn(given, { kv_version: undefined })).getSecret("db"))).toMatchObject({ code: "unavailable" });
  });

  test("T95: an answer without end is not read to the end", async () => {
    let given = 0;
    const server = createServer((_request, response) => {
      response.writeHead(200, JSON_TYPE);
      const chunk = Buffer.alloc(1_048_576, " ");
      const write = (): void => {
        while (!response.destroyed && response.write(chunk)) given += 1;
        given += 1;
      };
      response.on("drain", write);
      write();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const manager = createSecretsManager(vault, {
      address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      token: "t",
      kv_version: 2,
    });
    const error = await failure(manager.getSecret("db"));
    expect(error).toMatchObject({ code: "unavailable" });
    expect(error.message).toContain("TOO_LARGE");
    await manager.close();
    // What is under way in the buffers of the two ends counts, too.
    expect(given).toBeLessThan(96);
  });
});

describe("one status, two meanings: 403", () => {
  for (const product of ["vault", "openbao"] as const) {
    for (const [mount, kv_version] of [
      ["secret", 2],
      ["kv1", 1],
    ] as const) {
      test(`T85: a token that is wrong, expired or revoked is not a lack of permission: ${product}, version ${kv_version}`, async () => {
        const one = await laboratory({ mount }, { product });
        one.mount.write(one.stored("db"), { a: "b" });
        const { auth } = one.emulator;
        const [expired, revoked] = [auth.issue({ ttlSeconds: 60 }), auth.issue()];
        for (const token of [expired, revoked]) expect(await one.manager({ token }).hasSecret("db")).toBe(true);
        const opened = one.manager({ token: revoked });
        await opened.getSecret("db");
        auth.expire(expired);
        auth.revoke(revoked);
        for (const settings of [{ token: "hvs.never-issued" }, { token: expired }, { token: revoked }]) {
          for (const version of [undefined, kv_version]) {
            const error = await failure(one.manager({ ...settings, kv_version: version }).getSecret("db"));
            expect(error).toMatchObject({ code: "unauthenticated", retryable: false, outcome: "not_applied" });
            expect(error.hint).toContain("vault login");
            expect(error.message + error.hint).not.toContain(settings.token);
          }
        }
        expect(await failure(opened.getSecret("db"))).toMatchObject({ code: "unauthenticated" });
        const denied = one.manager({ token: auth.issue({ policy: "deny" }), kv_version });
        for (const [name, run] of Object.entries(CALLS))
          expect(await failure(run(denied)), name).toMatchObject({ code: "permission_denied", retryable: false, outcome: "not_applied" });
      });
    }

    test(`a client that was passed in without a token, or with a bad one: ${product}`, async () => {
      const one = await laboratory({}, { product });
      vi.stubEnv("VAULT_TOKEN", undefined);
      for (const token of ["", "hvs.never-issued"]) {
        const client = nodeVault({ endpoint: one.emulator.url, token });
        for (const kv_version of [undefined, 2] as const) {
          const manager = one.manager({ address: undefined, token: undefined, client, kv_version });
          expect(await failure(manager.registerSecret({ name: "db", values: { a: "b" } }))).toMatchObject({
            code: "unauthenticated",
            outcome: "not_applied",
          });
        }
      }
    });
  }

  test("a server that does not say whether the token is good leaves it at what it said", async () => {
    for (const lookup of [refuses(500, "internal error"), refuses(429, "quota"), { status: 200, body: "<html>" }])
      expect(await failure((await managerOn(refuses(403, "permission denied"), {}, lookup)).getSecret("db"))).toMatchObject({
        code: "permission_denied",
      });
  });

  test("a policy that lets one create and not change", async () => {
    const one = await laboratory();
    const manager = one.manager({ token: one.emulator.auth.issue({ policy: "create_only" }) });
    await manager.registerSecret({ name: "db", values: { a: "b" } });
    expect(await failure(manager.registerSecret({ name: "db", values: { a: "c" } }))).toMatchObject({ code: "permission_denied" });
    expect(await failure(manager.replaceSecret({ name: "db", schema: "arbitrary", values: { a: "c" } }))).toMatchObject({
      code: "permission_denied",
      outcome: "not_applied",
    });
    expect(one.mount.entry(one.stored("db"))?.versions).toEqual([1]);
  });
});

describe("writes against the state of a secret", () => {
  test("taken, changed by somebody else, and gone are three things", async () => {
    const { manager: open, mount, stored } = await laboratory();
    const manager = open();
    const { revision } = await manager.registerSecret({ name: "db", values: { a: "b" } });
    expect(await failure(manager.registerSecret({ name: "db", values: { a: "c" } }))).toMatchObject({
      code: "already_exists",
      retryable: false,
    });
    mount.write(stored("db"), { a: "theirs" });
    const swap = { name: "db", schema: "arbitrary", values: { a: "c" }, expected: revision ?? "" } as const;
    expect(await failure(manager.replaceSecret(swap))).toMatchObject({ code: "conflict", retryable: true, outcome: "not_applied" });
    mount.softDelete(stored("db"));
    expect(await failure(manager.replaceSecret(swap))).toMatchObject({ code: "not_found" });
    expect(await failure(manager.registerSecret({ name: "db", values: { a: "c" } }))).toMatchObject({ code: "recently_deleted" });
    mount.deleteMetadata(stored("db"));
    expect(await failure(manager.replaceSecret(swap))).toMatchObject({ code: "not_found" });
  });

  test("an engine that demands the version of every write gets it", async () => {
    const one = await laboratory();
    const strict = one.emulator.mount("strict", 2, { casRequired: true });
    const manager = one.manager({ mount: "strict" });
    await manager.registerSecret({ name: "db", values: { a: "b" } });
    await manager.updateSecret("db", { values: { a: "c" } });
    expect(strict.entry(one.stored("db"))?.versions).toEqual([1, 2]);
  });

  test("an engine that is being upgraded can be asked again", async () => {
    const one = await laboratory();
    const manager = one.manager();
    await manager.registerSecret({ name: "db", values: { a: "b" } });
    one.mount.upgrading = true;
    for (const run of Object.values(CALLS))
      expect(await failure(run(manager))).toMatchObject({ code: "unavailable", retryable: true, outcome: "not_applied" });
    one.mount.upgrading = false;
    expect(await manager.hasSecret("db")).toBe(true);
  });
});

describe("the engine", () => {
  test("a server that does not say what is mounted: kv_version is the way out", async () => {
    const one = await laboratory();
    one.emulator.preflight = "deny";
    const error = await failure(one.manager().getSecret("db"));
    expect(error).toMatchObject({ code: "permission_denied", retryable: false });
    expect(error.hint).toContain("kv_version");
    const told = one.manager({ kv_version: 2 });
    await told.registerSecret({ name: "db", values: { a: "b" } });
    expect(await told.hasSecret("db")).toBe(true);
  });

  test("a server too old for the question has engines of version 1; one of version 2 says itself that it is none", async () => {
    const one = await laboratory();
    one.emulator.preflight = "missing";
    const old = one.manager({ mount: "kv1" });
    await old.registerSecret({ name: "db", values: { a: "b" } });
    expect(one.emulator.kv("kv1").keys()).toEqual([one.stored("db")]);
    for (const run of Object.values(CALLS)) {
      const error = await failure(run(one.manager()));
      expect(error).toMatchObject({ code: "invalid_settings", outcome: "not_applied" });
      expect(error.hint).toContain("kv_version");
    }
  });

  test("kv_version 1 on an engine of version 2 is told, and nothing is written", async () => {
    const one = await laboratory();
    one.mount.write(one.stored("db"), { a: "b" });
    const wrong = one.manager({ kv_version: 1 });
    for (const [name, run] of Object.entries(CALLS)) {
      const error = await failure(run(wrong));
      expect(error, name).toMatchObject({ code: "invalid_settings", outcome: "not_applied" });
      expect(error.hint).toContain("Set kv_version to 2");
    }
    expect(one.mount.entry(one.stored("db"))?.versions).toEqual([1]);
  });

  test("kv_version 2 on an engine of version 1: what was written beside the mark is no success, and the error says where it is", async () => {
    const one = await laboratory({ mount: "kv1" });
    one.mount.write(one.stored("db"), { a: "b" });
    const wrong = one.manager({ kv_version: 2 });
    const error = await failure(wrong.registerSecret({ name: "db", values: { a: "c" } }));
    expect(error).toMatchObject({ code: "invalid_settings", outcome: "unknown" });
    expect(error.hint).toContain("kv_version to 1");
    expect(one.mount.read(one.stored("db"))?.data).toEqual({ a: "b" });
    // It stands there now, and is no secret.
    for (const run of [CALLS["get"], CALLS["replace"], CALLS["delete"]])
      expect(await failure(run?.(wrong) ?? Promise.resolve())).toMatchObject({ code: "unavailable" });
  });

  test("a mount that is none, that is no KV engine, or that is a folder of one", async () => {
    const one = await laboratory();
    expect(await failure(one.manager({ mount: "absent", kv_version: 2 }).getSecret("db"))).toMatchObject({ code: "invalid_settings" });
    expect(await failure(one.manager({ mount: "absent", kv_version: 1 }).hasSecret("db"))).toMatchObject({ code: "invalid_settings" });
    // The server says the same of a mount that is missing and of one that the token may not see.
    const hidden = await failure(one.manager({ mount: "absent" }).getSecret("db"));
    expect(hidden).toMatchObject({ code: "permission_denied" });
    expect(hidden.hint).toContain("mount");
    const folder = await failure(one.manager({ mount: "secret/team" }).getSecret("db"));
    expect(folder).toMatchObject({ code: "invalid_settings" });
    expect(folder.message).toContain("secret/team");
    const front = await frontOf(one.emulator, ({ path }) =>
      path.startsWith("/v1/sys/internal/") ? answers(200, { data: { path: "pki/", type: "pki", options: null } }) : undefined,
    );
    const other = await failure(one.manager({ address: front.url, mount: "pki" }).getSecret("db"));
    expect(other).toMatchObject({ code: "invalid_settings" });
    expect(other.message).toContain("no KV engine");
  });

  test("an answer about the mount that is none is not taken for one about version 1", async () => {
    const one = await laboratory();
    one.mount.write(one.stored("db"), { a: "b" });
    for (const body of [{ ok: true }, { data: null }, { data: { type: "kv" } }]) {
      const front = await frontOf(one.emulator, ({ path }) => (path.startsWith("/v1/sys/internal/") ? answers(200, body) : undefined));
      expect(await failure(one.manager({ address: front.url }).hasSecret("db"))).toMatchObject({ code: "unavailable" });
    }
  });

  test("a namespace that does not exist is no missing secret", async () => {
    const one = await laboratory();
    for (const kv_version of [undefined, 2] as const)
      expect(await failure(one.manager({ vault_namespace: "nowhere", kv_version }).hasSecret("db"))).toMatchObject({
        code: "invalid_settings",
      });
  });
});

describe("a redirect", () => {
  test("T94: is not followed, to another host, to plain http, or to itself, and no token goes there", async () => {
    const other = await serverFor(() => answers(200, { data: {} }), { tls: await testCertificate() });
    const plain = await serverFor(() => answers(200, { data: {} }));
    for (const settings of [
      { kv_version: 2 },
      { kv_version: undefined },
      { token: undefined, auth_method: "approle", role_id: "r", secret_id: "s" },
    ] as const) {
      const one = await laboratory();
      const manager = one.manager(settings);
      for (const to of [`${other.url}/v1/secret/data/db`, `${plain.url}/v1/secret/data/db`, `${one.emulator.url}/v1/secret/data/db`]) {
        for (const status of [301, 302, 307, 308] as const) {
          one.emulator.server.faults.inject({ kind: "redirect", to, status });
          for (const run of [CALLS["get"], CALLS["register"], CALLS["list"]]) {
            one.emulator.server.resetCounts();
            const error = await failure(run?.(manager) ?? Promise.resolve());
            expect(error).toMatchObject({ code: "unavailable", retryable: false, outcome: "not_applied" });
            expect(error.message).toContain("redirect");
            expect(error.hint).toContain("active node");
            expect(one.emulator.server.count()).toBeLessThanOrEqual(2);
          }
        }
      }
    }
    expect([other.count(), plain.count()]).toEqual([0, 0]);
  });
});

describe("a listing", () => {
  test("T86: of which the third folder fails, or is forbidden, is no list", async () => {
    for (const [mount, kv_version] of [
      ["secret", 2],
      ["kv1", 1],
    ] as const) {
      const one = await laboratory({ mount, kv_version, max_retries: 0 });
      for (const folder of ["a", "b", "c", "d", "e"])
        for (const name of ["x", "y"]) one.mount.write(one.stored(`${folder}/${name}`), { a: "b" });
      const manager = one.manager();
      expect(await Array.fromAsync(manager.listSecrets())).toHaveLength(10);
      one.emulator.server.faults.inject({ kind: "fail_page", page: 3 });
      expect(await failure(Array.fromAsync(manager.listSecrets()))).toMatchObject({ code: "unavailable" });
      expect(await failure(manager.deleteAllSecrets())).toMatchObject({ code: "unavailable" });
      one.emulator.server.faults.heal();
      one.emulator.server.faults.inject({ kind: "deny", name: one.stored("c/") });
      expect(await failure(Array.fromAsync(manager.listSecrets()))).toMatchObject({ code: "permission_denied" });
      one.emulator.server.faults.heal();
      const front = await frontOf(one.emulator, ({ path }) => (/\/c\/?$/.test(path) ? answers(200, { data: { keys: "x" } }) : undefined));
      expect(await failure(Array.fromAsync(one.manager({ address: front.url }).listSecrets()))).toMatchObject({ code: "unavailable" });
    }
  });
});

describe("a listing that has to ask about each name", () => {
  test("T86: of which one may not be asked about, or fails, is no list", async () => {
    const one = await laboratory({ kv_version: 2, soft_delete: true, max_retries: 0 });
    for (let index = 0; index < 40; index += 1) one.mount.write(one.stored(`n${index}`), { a: "b" });
    one.mount.softDelete(one.stored("n7"));
    const manager = one.manager();
    expect(await Array.fromAsync(manager.listSecrets())).toHaveLength(39);
    one.emulator.server.faults.inject({ kind: "deny", name: one.stored("n35") });
    expect(await failure(Array.fromAsync(manager.listSecrets()))).toMatchObject({ code: "permission_denied" });
    one.emulator.server.faults.heal();
    const front = await frontOf(one.emulator, ({ path }) => {
      if (!path.endsWith("/n35")) return undefined;
      return answers(200, { data: { versions: {} } });
    });
    expect(await failure(Array.fromAsync(one.manager({ address: front.url }).listSecrets()))).toMatchObject({ code: "unavailable" });
  });
});

describe("never read as missing", () => {
  const troubles = [
    ["forbidden", { kind: "deny" }],
    ["not signed in", { kind: "unauthenticated" }],
    ["throttled", { kind: "throttle", times: 1_000 }],
    ["broken", { kind: "broken", times: 1_000 }],
    ["silent", { kind: "hang" }],
    ["reset", { kind: "reset_before", times: 1_000 }],
    ["cut off", { kind: "cut_json" }],
    ["a page", { kind: "html", status: 200 }],
  ] as const;
  const checks: readonly ((manager: SecretsManager) => Promise<unknown>)[] = [
    ...Object.values(CALLS),
    (manager) => manager.upsertSecret({ name: "db", values: { a: "b" } }),
    (manager) => manager.renameSecret("db", "other"),
    (manager) => manager.deleteAllSecrets(),
  ];

  async function check(manager: SecretsManager): Promise<void> {
    for (const run of checks) {
      const error = await failure(run(manager));
      expect(["not_found", "already_exists", "conflict", "unknown"]).not.toContain(error.code);
    }
    expect(await Array.fromAsync(manager.getSecrets(["db"]))).toMatchObject([
      { name: "db", error: { code: expect.not.stringMatching("not_found") as unknown } },
    ]);
  }

  for (const [mount, kv_version] of [
    ["secret", 2],
    ["kv1", 1],
  ] as const) {
    for (const [what, fault] of troubles) {
      test(`a secret of version ${kv_version} that is there, when the service is ${what}`, async () => {
        const one = await laboratory({ mount, max_retries: 0, kv_version });
        one.mount.write(one.stored("db"), { a: "there" });
        const manager = one.manager({}, { timeoutMs: fault.kind === "hang" ? 60 : 10_000 });
        await manager.getSecret("db");
        one.emulator.server.faults.inject(fault);
        await check(manager);
        one.emulator.server.faults.heal();
        expect((await manager.getSecret("db")).text["a"]).toBe("there");
        expect(await Array.fromAsync(manager.listSecrets())).toHaveLength(1);
      });
    }

    test(`a secret of version ${kv_version} that is there, when the service is sealed, or away`, async () => {
      const one = await laboratory({ mount, max_retries: 0, kv_version });
      one.mount.write(one.stored("db"), { a: "there" });
      const manager = one.manager();
      await manager.getSecret("db");
      one.emulator.sealed = true;
      await check(manager);
      const error = await failure(one.manager({ kv_version: undefined }).hasSecret("db"));
      expect(error).toMatchObject({ code: "unavailable", retryable: true });
      expect(error.message).toContain("sealed");
      one.emulator.sealed = false;
      await one.emulator.server.disconnect();
      await check(manager);
      await one.emulator.server.reconnect();
      expect((await manager.getSecret("db")).text["a"]).toBe("there");
    });
  }
});

describe("what the SDK throws when it is not on our transport", () => {
  test.each([
    ["ECONNREFUSED", "unavailable", "not_applied"],
    ["ENOTFOUND", "unavailable", "not_applied"],
    ["EAI_AGAIN", "unavailable", "not_applied"],
    ["ECONNRESET", "unavailable", "unknown"],
    ["EPIPE", "unavailable", "unknown"],
    ["ERR_NETWORK", "unavailable", "unknown"],
    ["ECONNABORTED", "timeout", "unknown"],
    ["ETIMEDOUT", "timeout", "unknown"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "unavailable", "not_applied"],
    ["something else", "unknown", "unknown"],
  ])("%s is %s, and the outcome of a write %s", (code, expected, outcome) => {
    const error = Object.assign(new Error("hvs.token"), { name: "AxiosError", code });
    for (const operation of ["create", "replace", "delete", "restore"] satisfies Operation[])
      expect(classifyVaultError(error, { operation })).toMatchObject({ code: expected, outcome });
    for (const operation of ["read", "list", "history", "open"] satisfies Operation[])
      expect(classifyVaultError(error, { operation }).outcome).toBe("not_applied");
    expect(JSON.stringify(classifyVaultError(error, { operation: "read" }))).not.toContain("hvs.token");
  });

  test("what is no error of the SDK at all is unknown, and the table does not fail on it", () => {
    for (const thrown of [undefined, null, "text", 42, {}, new TypeError("x"), { response: null }, { response: { statusCode: "404" } }])
      expect(classifyVaultError(thrown, { operation: "create" })).toMatchObject({ code: "unknown", retryable: false });
  });

  test("an error of our transport says whether a write was on its way", () => {
    for (const [trouble, code] of [
      ["network", "unavailable"],
      ["foreign", "unavailable"],
      ["slow", "timeout"],
      ["redirect", "unavailable"],
      ["certificate", "unavailable"],
    ] as const) {
      for (const sent of [true, false]) {
        const info = classifyVaultError(new TransportError(trouble, "vault.example:8200", { code: "ECONNRESET", sent }), {
          operation: "create",
        });
        // Whoever refuses a certificate looks at nothing else.
        expect(info).toMatchObject({ code, outcome: sent && trouble !== "certificate" ? "unknown" : "not_applied" });
        expect(info.safeMessage).toContain("vault.example:8200");
      }
    }
  });

  test("a client that was passed in takes refusals of a path with sys/health in it for answers; they stay refusals", async () => {
    const one = await laboratory();
    const open = (token: string): SecretsManager =>
      one.manager({ address: undefined, token: undefined, client: nodeVault({ endpoint: one.emulator.url, token }) });
    const manager = open(one.token);
    const name = "sys/health/db";
    expect(await manager.hasSecret(name)).toBe(false);
    await manager.registerSecret({ name, values: { a: "b" } });
    expect(await failure(manager.registerSecret({ name, values: { a: "c" } }))).toMatchObject({ code: "already_exists" });
    expect((await manager.getSecret(name)).text["a"]).toBe("b");
    const reader = open(one.emulator.auth.issue({ policy: "read_only" }));
    expect(await failure(reader.replaceSecret({ name, schema: "arbitrary", values: { a: "c" } }))).toMatchObject({
      code: "permission_denied",
    });
    one.mount.softDelete(one.stored(name));
    expect(await manager.hasSecret(name)).toBe(false);
    expect(await failure(manager.registerSecret({ name, values: { a: "c" } }))).toMatchObject({ code: "recently_deleted" });
    await manager.deleteSecret(name, { immediate: true });
    await one.emulator.server.disconnect();
    expect(await failure(manager.hasSecret(name))).toMatchObject({ code: "unavailable" });
  });

  test("a client that was passed in takes any page for an answer; it is none", async () => {
    const one = await laboratory();
    const client = nodeVault({ endpoint: one.emulator.url, token: one.token });
    const manager = one.manager({ address: undefined, token: undefined, client, kv_version: 2 });
    one.emulator.server.faults.inject({ kind: "html", status: 200 });
    for (const run of Object.values(CALLS)) expect(await failure(run(manager))).toMatchObject({ code: "unavailable" });
  });
});

test("an error names the secret, and carries the name and the status of the service's error, never the error", async () => {
  const manager = await managerOn(refuses(403, "permission denied"));
  const error = await failure(manager.getSecret("warehouse"));
  expect(error.secretName).toBe("warehouse");
  expect(error.cause).toEqual({ name: "Error", status: 403 });
});

test("a driver that was closed sends nothing more", async () => {
  const opened = await openVault();
  onTestFinished(() => opened.dispose?.());
  await opened.driver.close?.();

  opened.emulator.server.resetCounts();
  const error = await opened.driver.read("db", call()).catch((reason: unknown) => reason);
  expect(DriverError.isInstance(error) && error.info.code).toBe("closed");
  expect(opened.emulator.server.count()).toBe(0);
});
