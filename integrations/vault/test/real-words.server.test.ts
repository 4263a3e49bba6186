// What the server says to a request, and whether the emulator says the same. The emulator is what the other tests run on, so it has to be right.
import { VaultEmulator } from "@coffer/emulators/vault/server";
import { createSecretsManager, type SecretsManager } from "@coffer/core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { vault } from "../src/flavor.ts";
import type { VaultSettings } from "../src/settings-types.ts";
import { type RealServer, startRealServer } from "./real-server.ts";
import { tokenFor } from "./real-subject.ts";

let server: RealServer;
let emulator: VaultEmulator;
let notRun: string | undefined;
beforeAll(async () => {
  const started = await startRealServer();
  if ("notRun" in started) ({ notRun } = started);
  else {
    server = started;
    await server.tell("POST", "sys/mounts/kv1", { body: { type: "kv", options: { version: "1" } } });
    emulator = await VaultEmulator.start({ product: "openbao" });
  }
}, 400_000);
afterAll(async () => {
  await server?.stop();
  await emulator?.stop();
});
beforeEach((context) => {
  if (notRun !== undefined) context.skip(notRun);
});

const open: SecretsManager[] = [];
afterEach(async () => {
  for (const manager of open.splice(0)) await manager.close();
});

/** A request: a method and a path, and what it is sent with. A token is the root token unless it is told. */
type Line = readonly [request: string, body?: unknown, more?: { readonly token?: string; readonly namespace?: string }];

/** Each is sent in the order of the lines, to a name of its own. */
const CONVERSATIONS: Readonly<Record<string, readonly Line[]>> = {
  "no token": [["GET secret/data/NAME", undefined, { token: "" }]],
  "a bad token": [["GET secret/data/NAME", undefined, { token: "hvs.nobody" }]],
  "a bad token that looks at itself": [["GET auth/token/lookup-self", undefined, { token: "hvs.nobody" }]],
  "no token asks what is mounted": [["GET sys/internal/ui/mounts/secret", undefined, { token: "" }]],
  "what is mounted where nothing is": [["GET sys/internal/ui/mounts/nothing"]],
  "an absent secret": [["GET secret/data/NAME"], ["GET secret/metadata/NAME"], ["GET kv1/NAME"]],
  "an absent folder": [["GET secret/metadata/NAME/?list=true"], ["GET kv1/NAME/?list=true"]],
  "what is absent is deleted": [["DELETE secret/data/NAME"], ["DELETE secret/metadata/NAME"], ["DELETE kv1/NAME"]],
  "a version that is not there": [["POST secret/data/NAME", { data: { a: "1" } }], ["GET secret/data/NAME?version=7"]],
  "another version than expected": [
    ["POST secret/data/NAME", { options: { cas: 0 }, data: { a: "1" } }],
    ["POST secret/data/NAME", { options: { cas: 0 }, data: { a: "2" } }],
    ["POST secret/data/NAME", { options: { cas: 7 }, data: { a: "2" } }],
    ["POST secret/data/NAME", { options: { cas: "one" }, data: { a: "2" } }],
  ],
  "a deleted version": [
    ["POST secret/data/NAME", { data: { a: "1" } }],
    ["DELETE secret/data/NAME"],
    ["GET secret/data/NAME"],
    ["POST secret/data/NAME", { options: { cas: 0 }, data: { a: "2" } }],
    ["POST secret/undelete/NAME", { versions: [1] }],
    ["GET secret/data/NAME"],
  ],
  "a destroyed version": [
    ["POST secret/data/NAME", { data: { a: "1" } }],
    ["PUT secret/destroy/NAME", { versions: [1] }],
    ["GET secret/data/NAME"],
    ["POST secret/data/NAME", { options: { cas: 0 }, data: { a: "2" } }],
  ],
  "metadata alone": [
    ["POST secret/metadata/NAME", { custom_metadata: { a: "b" } }],
    ["GET secret/data/NAME"],
    ["POST secret/data/NAME", { options: { cas: 0 }, data: { a: "1" } }],
  ],
  "custom metadata that is refused": [
    ["POST secret/metadata/NAME", { custom_metadata: { a: "" } }],
    ["POST secret/metadata/NAME", { custom_metadata: { a: "x\ny" } }],
    ["POST secret/metadata/NAME", { custom_metadata: { a: "x".repeat(513) } }],
    ["POST secret/metadata/NAME", { custom_metadata: { ["k".repeat(129)]: "x" } }],
  ],
  "an empty map": [["POST secret/data/NAME", { data: {} }], ["GET secret/data/NAME"], ["POST kv1/NAME", {}]],
  "no data": [["POST secret/data/NAME", {}]],
  "versions that nobody has told": [["POST secret/undelete/NAME", {}]],
  "segments that are dots, version 2": [["POST secret/data/NAME/%2e%2e/b", { data: { a: "1" } }], ["GET secret/data/NAME/%2e%2e/b"]],
  "segments that are dots, version 1": [["POST kv1/NAME/%2e%2e/b", { a: "1" }], ["GET kv1/NAME/%2e%2e/b"]],
  "two dots in a segment, version 2": [
    ["POST secret/data/NAME..b", { data: { a: "1" } }],
    ["GET secret/data/NAME..b"],
    ["GET secret/data/..NAME"],
    ["DELETE secret/metadata/NAME..b"],
  ],
  "two dots in a segment, version 1": [["POST kv1/NAME..b", { a: "1" }], ["GET kv1/NAME..b"], ["DELETE kv1/NAME..b"]],
  "a path that ends in a slash": [
    ["POST secret/data/NAME/", { data: { a: "1" } }],
    ["POST kv1/NAME/", { a: "1" }],
  ],
  "a control character": [["GET secret/data/NAME%0Ab"], ["POST kv1/NAME%0Ab", { a: "1" }]],
  "a path that is encoded wrongly": [["GET secret/data/NAME%zz"]],
  "a mount that is not there": [
    ["GET nothing/data/NAME"],
    ["POST nothing/data/NAME", { data: { a: "1" } }],
    ["GET nothing/metadata/?list=true"],
  ],
  "version 2 taken for version 1": [["GET secret/NAME"], ["POST secret/NAME", { a: "1" }]],
  "version 1 taken for version 2": [["GET kv1/data/NAME"]],
  "the area of an engine": [["GET secret/metadata"]],
  "an operation that there is not": [["GET secret/data/NAME/?list=true"], ["DELETE secret/config"]],
  "a namespace that is not there": [["GET secret/data/NAME", undefined, { namespace: "nowhere" }]],
  "a namespace that is not there, as what is mounted": [["GET sys/internal/ui/mounts/secret", undefined, { namespace: "nowhere" }]],
  "something else than JSON": [["POST secret/data/NAME", "{"]],
  "a list where an object belongs": [["POST secret/data/NAME", "[]"]],
  "too many texts": [["POST secret/data/NAME", { data: Object.fromEntries(Array.from({ length: 1_200 }, (_, at) => [`k${at}`, "v"])) }]],
  "a token that cannot be renewed": [["POST auth/token/renew-self", {}]],
  "a wrapping token that is none": [["POST sys/wrapping/unwrap", undefined, { token: "hvs.nobody" }]],
};

/** Where the emulator does not speak as the server does, with what the server says. */
const EMULATOR_GAPS: Readonly<Record<string, string>> = {};

interface Said {
  readonly status: number;
  readonly errors: unknown;
  readonly warnings: unknown;
  readonly data: unknown;
}

async function saidBy(url: string, rootToken: string, [line, body, more = {}]: Line, name: string): Promise<Said> {
  const [method = "", path = ""] = line.replaceAll("NAME", name).split(" ");
  const { token = rootToken, namespace } = more;
  const answer = await fetch(`${url}/v1/${path}`, {
    method,
    headers: {
      ...(token === "" ? {} : { "x-vault-token": token }),
      ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }),
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  const { errors, warnings, data } = (text.startsWith("{") ? JSON.parse(text) : {}) as Partial<Said>;
  return { status: answer.status, errors, warnings, data: withoutTimes(data) };
}

/** Times and what a server counts for itself are not the same twice. That they are there is. */
function withoutTimes(data: unknown): unknown {
  const TIMES = /(?:_time|^deletion_time)$/;
  return JSON.parse(
    JSON.stringify(data ?? null, (key, value: unknown) =>
      TIMES.test(key) && typeof value === "string" && value !== "" ? "a time" : value,
    ),
  );
}

describe("the emulator says what OpenBao says", () => {
  for (const [title, lines] of Object.entries(CONVERSATIONS)) {
    // oxlint-disable-next-line vitest/valid-title -- the conversations are data
    test(title, async (context) => {
      if (Object.hasOwn(EMULATOR_GAPS, title)) context.skip(EMULATOR_GAPS[title]);
      const name = `name-${crypto.randomUUID()}`;
      for (const line of lines) {
        const real = await saidBy(server.url, server.rootToken, line, name);
        expect(await saidBy(emulator.url, emulator.auth.rootToken, line, name), line[0]).toEqual(real);
      }
    });
  }
});

function managerOn(settings: VaultSettings, scope: "none" | "global" = "global"): SecretsManager {
  const manager = createSecretsManager(vault, { address: server.url, token: server.rootToken, max_retries: 0, ...settings }, { scope });
  open.push(manager);
  return manager;
}

describe("what the flavor makes of it", () => {
  const name = (): string => `name-${crypto.randomUUID()}`;

  test("a token that the server does not know, and one that may do nothing", async () => {
    for (const kv_version of [undefined, 2] as const)
      await expect(managerOn({ token: "hvs.nobody", kv_version }).getSecret("a")).rejects.toMatchObject({ code: "unauthenticated" });
    const token = await tokenFor(server, { policies: ["default"] });
    for (const kv_version of [undefined, 2] as const)
      await expect(managerOn({ token, kv_version }).getSecret("a")).rejects.toMatchObject({ code: "permission_denied" });
  });

  test("a mount, an engine and a version that are not there are never an absent secret", async () => {
    await server.tell("POST", "sys/mounts/transit", { body: { type: "transit" } });
    await expect(managerOn({ mount: "nothing" }).getSecret("a")).rejects.toMatchObject({ code: "permission_denied" });
    const wrong: readonly VaultSettings[] = [
      { mount: "nothing", kv_version: 2 },
      { mount: "nothing", kv_version: 1 },
      { mount: "transit" },
      { mount: "transit", kv_version: 2 },
      { mount: "secret", kv_version: 1 },
      { vault_namespace: "nowhere" },
      { vault_namespace: "nowhere", kv_version: 2 },
    ];
    for (const settings of wrong) {
      await expect(managerOn(settings).getSecret("a"), JSON.stringify(settings)).rejects.toMatchObject({ code: "invalid_settings" });
      await expect(Array.fromAsync(managerOn(settings).listSecrets())).rejects.toMatchObject({ code: "invalid_settings" });
      await expect(managerOn(settings).registerSecret({ name: "a", values: { a: "1" } })).rejects.toMatchObject({
        code: "invalid_settings",
        outcome: "not_applied",
      });
    }
  });

  test("a secret with more texts than the server takes is too large", async () => {
    const values = Object.fromEntries(Array.from({ length: 1_200 }, (_, at) => [`k${at}`, "v"]));
    for (const mount of ["secret", "kv1"])
      await expect(managerOn({ mount }).registerSecret({ name: name(), values })).rejects.toMatchObject({
        code: "too_large",
        outcome: "not_applied",
      });
  });

  test("what `bao kv delete` has deleted is neither there nor free", async () => {
    const one = name();
    await server.tell("POST", `secret/data/${one}`, { body: { data: { user: "etl" } } });
    await server.tell("DELETE", `secret/data/${one}`);
    const manager = managerOn({ soft_delete: true }, "none");
    expect(await manager.hasSecret(one)).toBe(false);
    await expect(manager.registerSecret({ name: one, values: { user: "new" } })).rejects.toMatchObject({ code: "recently_deleted" });
    await manager.restoreSecret(one);
    expect((await manager.getSecret(one)).text).toEqual({ user: "etl" });
  });

  test("numbers, nested objects and the like, written by other hands, are text", async () => {
    const one = name();
    const body = '{"port":5432,"ratio":0.5,"id":9007199254740993,"on":true,"none":null,"list":[1,"a"],"nested":{"a":{"b":1}}}';
    await server.tell("POST", `secret/data/${one}`, { body: `{"data":${body}}` });
    await server.tell("POST", `kv1/${one}`, { body });
    for (const mount of ["secret", "kv1"]) {
      const { text } = await managerOn({ mount }, "none").getSecret(one);
      expect({ ...text }, mount).toEqual({
        port: "5432",
        ratio: "0.5",
        id: "9007199254740993",
        on: "true",
        list: '[1,"a"]',
        nested: '{"a":{"b":1}}',
      });
    }
  });

  test("a replacement keeps what others have written into the custom metadata", async () => {
    const one = name();
    await server.tell("POST", `secret/metadata/${one}`, { body: { custom_metadata: { owner: "data team" } } });
    await server.tell("POST", `secret/data/${one}`, { body: { data: { user: "etl" } } });
    const manager = managerOn({ custom_metadata: true }, "none");
    await expect(manager.replaceSecret({ name: one, values: { user: "new" } })).rejects.toMatchObject({
      code: "conflict",
      retryable: false,
    });
    await manager.replaceSecret({ name: one, values: { user: "new" } }, { adopt: true });
    const { data } = await server.tell("GET", `secret/metadata/${one}`);
    expect((data as { readonly custom_metadata: unknown }).custom_metadata).toEqual({ owner: "data team", "managed-by": "coffer" });
  });
});
