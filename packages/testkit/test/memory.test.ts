import { createRegistry, createSecretsManager, openSecretsManager, SecretsError } from "@coffer/core";
import { mysql } from "@coffer/core/schemas";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { createMemoryService, memory, memoryIntegration, type MemoryService, MemoryServiceError } from "../src/index.ts";

async function names(listing: AsyncIterable<{ readonly name: string }>): Promise<string[]> {
  const all: string[] = [];
  for await (const { name } of listing) all.push(name);
  return all;
}

/** The error of a call that must fail. */
async function failure(call: Promise<unknown>): Promise<SecretsError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!SecretsError.isInstance(error)) throw new TypeError("The call was to fail with a SecretsError.");
  return error;
}

describe("the memory flavor", () => {
  test("keeps typed secrets for as long as its manager lives", async () => {
    const manager = createSecretsManager(memory, {});
    await manager.registerSecret({ name: "warehouse", schema: mysql, values: { user: "etl", password: "pw" } });
    expect((await manager.getSecret("warehouse", mysql)).content).toMatchObject({ user: "etl", ssl_verify_server_cert: false });
    expect(await names(manager.listSecrets())).toEqual(["warehouse"]);
    expect(await createSecretsManager(memory, {}).hasSecret("warehouse")).toBe(false);
  });

  test("is shared by managers that name the same service", async () => {
    const service = createMemoryService();
    const [first, second] = [createSecretsManager(memory, { service }), createSecretsManager(memory, { service })];
    await first.registerSecret({ name: "shared", values: { token: "x" } });
    expect((await second.getSecret("shared")).text["token"]).toBe("x");
    await first.close();
    expect(await second.hasSecret("shared")).toBe(true);
  });

  test("is opened by its name from a registry that knows it", async () => {
    const registry = createRegistry();
    await expect(openSecretsManager({ flavor: "memory" }, { registry })).rejects.toMatchObject({ code: "unknown_flavor" });
    registry.add(memoryIntegration);
    const manager = await openSecretsManager({ flavor: "memory" }, { registry });
    await manager.registerSecret({ name: "a", values: {} });
    expect(await manager.hasSecret("a")).toBe(true);
  });

  test("refuses settings that it does not know", async () => {
    const mistaken = { service: {} as MemoryService };
    expect((await failure(createSecretsManager(memory, mistaken).hasSecret("a"))).code).toBe("invalid_settings");
    const unknown = { servce: createMemoryService() } as object;
    expect(await failure(createSecretsManager(memory, unknown).hasSecret("a"))).toMatchObject({
      code: "invalid_settings",
      keys: ["servce"],
    });
  });

  test("lives on this machine, as far as stacks are concerned", () => {
    expect(memory.locality({})).toBe("local");
  });
});

describe("a memory service", () => {
  test("does without what is switched off", async () => {
    const service = createMemoryService({ revisions: false, restore: false, maxValueBytes: 64 });
    const manager = createSecretsManager(memory, { service });
    expect(await manager.capabilities()).toMatchObject({ revisions: false, restore: false, maxValueBytes: 64, writable: true });
    await manager.registerSecret({ name: "a", values: { token: "x" } });
    expect((await failure(manager.restoreSecret("a"))).code).toBe("unsupported");
    expect((await failure(manager.registerSecret({ name: "b", values: { token: "x".repeat(64) } }))).code).toBe("too_large");
  });

  test("opens for reading alone beside a driver that writes", async () => {
    const service = createMemoryService();
    await createSecretsManager(memory, { service }).registerSecret({ name: "a", values: { token: "x" } });
    const reader = service.open({ writable: false });
    expect(reader.capabilities.writable).toBe(false);
  });

  test("counts requests: what the manager refuses by itself is none", async () => {
    const service = createMemoryService();
    const manager = createSecretsManager(memory, { service });
    await failure(manager.getSecret("not a name"));
    expect(service.requests).toBe(0);
    await manager.hasSecret("a");
    expect(service.requests).toBe(1);
  });

  test("holds what other tools have left in it", async () => {
    const service = createMemoryService();
    service.plant("theirs", { values: { user: "other" } });
    service.plant("text", { text: "just a password" });
    service.plant("bytes", { bytes: Uint8Array.of(0xff, 0xfe) });
    service.plant("half-written", { empty: true });
    const manager = createSecretsManager(memory, { service }, { scope: "none" });
    expect((await manager.getSecret("theirs")).text["user"]).toBe("other");
    expect((await manager.getSecret("text")).text["value"]).toBe("just a password");
    expect((await manager.getSecret("bytes")).text["value"]).toBe("//4=");
    expect(await manager.hasSecret("half-written")).toBe(true);
    service.disable("theirs");
    expect((await failure(manager.getSecret("theirs"))).code).toBe("disabled");
    expect(() => service.disable("absent")).toThrow(RangeError);
  });
});

describe("a fault", () => {
  async function prepared(): Promise<{ readonly service: MemoryService; readonly manager: ReturnType<typeof createSecretsManager> }> {
    const service = createMemoryService();
    const manager = createSecretsManager(memory, { service }, { timeoutMs: 100 });
    for (const name of ["a", "b"]) await manager.registerSecret({ name, values: { token: name } });
    return { service, manager };
  }

  test.each([
    ["deny", "permission_denied"],
    ["unauthenticated", "unauthenticated"],
    ["unreachable", "unavailable"],
    ["throttle", "throttled"],
    ["hang", "timeout"],
    ["garble", "unknown"],
  ] as const)("%s makes reads fail with %s until the service is healed", async (kind, code) => {
    const { service, manager } = await prepared();
    service.inject({ kind });
    expect((await failure(manager.getSecret("a"))).code).toBe(code);
    service.heal();
    expect((await manager.getSecret("a")).text["token"]).toBe("a");
  });

  test("deny with a name concerns that secret alone, also in a bulk read", async () => {
    const { service, manager } = await prepared();
    service.inject({ kind: "deny", name: "coffer/global/a" });
    expect((await failure(manager.getSecret("a"))).code).toBe("permission_denied");
    const answers: Record<string, string> = {};
    for await (const outcome of manager.getSecrets(["a", "b"])) answers[outcome.name] = "error" in outcome ? outcome.error.code : "read";
    expect(answers).toEqual({ a: "permission_denied", b: "read" });
  });

  test("throttle ends by itself after so many requests", async () => {
    const { service, manager } = await prepared();
    service.inject({ kind: "throttle", times: 2 });
    for (let times = 0; times < 2; times += 1) expect((await failure(manager.hasSecret("a"))).retryable).toBe(true);
    expect(await manager.hasSecret("a")).toBe(true);
  });

  test("fail_page leaves the pages before it", async () => {
    const { service, manager } = await prepared();
    for (let index = 0; index < 120; index += 1) await manager.registerSecret({ name: `many-${index}`, values: {} });
    service.inject({ kind: "fail_page", page: 2 });
    let told = 0;
    const listing = (async () => {
      for await (const _info of manager.listSecrets()) told += 1;
    })();
    expect((await failure(listing)).code).toBe("unavailable");
    expect(told).toBe(100);
  });

  test("lose_answer carries the next write out, once, and says nothing", async () => {
    const { service, manager } = await prepared();
    service.inject({ kind: "lose_answer" });
    expect(await failure(manager.replaceSecret({ name: "a", values: { token: "new" } }))).toMatchObject({
      code: "unavailable",
      outcome: "unknown",
    });
    expect((await manager.getSecret("a")).text["token"]).toBe("new");
    await manager.replaceSecret({ name: "a", values: { token: "newer" } });
  });

  test("echo repeats what was sent in the service's own words, which the manager masks", async () => {
    const { service, manager } = await prepared();
    service.inject({ kind: "echo" });
    const error = await failure(manager.registerSecret({ name: "new", values: { token: "a-value-to-be-seen" } }));
    expect(error.code).toBe("invalid_request");
    expect(inspect(error, { depth: 12, showHidden: true })).not.toContain("a-value-to-be-seen");
    const raw = error.unsafeRaw();
    expect(raw).toBeInstanceOf(MemoryServiceError);
    expect((raw as MemoryServiceError).message).toContain("a-value-to-be-seen");
    expect((raw as MemoryServiceError).message).toContain(service.credential);
  });
});
