import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createSecretsManager, type SecretsManager } from "@coffer/core";
import { testCertificate } from "@coffer/emulators/certificates";
import type { GcpServer, GcpServerOptions } from "@coffer/emulators/gcp/server";
import { ServiceError } from "@coffer/emulators/gcp/service-error";
import { waitAfter } from "../src/calls.ts";
import { CallFailure } from "../src/errors.ts";
import { gcp } from "../src/flavor.ts";
import type { GcpSettings } from "../src/settings-types.ts";
import { collect, failureOf, grpcSettingsFor, sdkProtos, settingsFor, startServer } from "./laboratory.ts";

interface Stage {
  readonly server: GcpServer;
  readonly manager: SecretsManager;
}

async function stage(options: GcpServerOptions = {}, more: GcpSettings = {}, transport: "rest" | "grpc" = "rest"): Promise<Stage> {
  const server = await startServer(transport === "grpc" ? { ...options, protos: sdkProtos() } : options);
  const settings = (transport === "grpc" ? grpcSettingsFor : settingsFor)(server, more);
  const manager = createSecretsManager(gcp, settings, { timeoutMs: 15_000 });
  onTestFinished(async () => {
    await manager.close();
    await server.stop();
  });
  return { server, manager };
}

const values = { password: "one" };
const secret = (server: GcpServer, name: string) =>
  server.state.getSecret(`projects/${server.project}/secrets/coffer_x2fglobal_x2f${name}`).entry;

describe("T79: throttling", () => {
  test.each([1, 2, 3])("%i times is waited out, and then the call succeeds", async (times) => {
    const { server, manager } = await stage();
    server.faults.inject({ kind: "throttle", times });
    await manager.registerSecret({ name: "a", values });
    expect(server.count("CreateSecret")).toBe(times + 1);
    expect(secret(server, "a").versions).toHaveLength(1);
  });

  test("without end is given up after five attempts, and can be tried again", async () => {
    const { server, manager } = await stage();
    server.faults.inject({ kind: "throttle", times: 1_000 });
    expect(await failureOf(manager.getSecret("a"))).toMatchObject({ code: "throttled", retryable: true });
    expect(server.count()).toBe(5);
  });

  test("is waited for as long as Retry-After asks, and not at all when the call has no time for it", async () => {
    const { server, manager } = await stage();
    await manager.registerSecret({ name: "a", values });
    server.faults.inject({ kind: "throttle", times: 1, retryAfterSeconds: 1 });
    const before = performance.now();
    await manager.getSecret("a");
    expect(performance.now() - before).toBeGreaterThanOrEqual(1_000);
    server.faults.inject({ kind: "throttle", times: 1, retryAfterSeconds: 60 });
    server.resetCounts();
    expect(await failureOf(manager.getSecret("a", { timeoutMs: 2_000 }))).toMatchObject({ code: "throttled" });
    expect(server.count()).toBe(1);
  });

  test("the waits grow, depend on chance, and are at least as long as the service asks", () => {
    onTestFinished(() => void vi.restoreAllMocks());
    const waits = (chance: number, error?: unknown): number[] => {
      vi.spyOn(Math, "random").mockReturnValue(chance);
      return [0, 1, 2].map((attempt) => waitAfter(error, attempt));
    };
    expect(waits(0.5)).toEqual([200, 400, 800]);
    expect(waits(0.1)).not.toEqual(waits(0.9));
    const asked = new CallFailure(new Error("x"), { sent: true, retryAfterMs: 700 }, false);
    expect(waits(0.5, asked)).toEqual([700, 700, 800]);
  });

  test("max_retries is how often", async () => {
    const { server, manager } = await stage({}, { max_retries: 0 });
    server.faults.inject({ kind: "throttle", times: 1 });
    expect(await failureOf(manager.getSecret("a"))).toMatchObject({ code: "throttled" });
  });
});

test("T80: a service that takes requests and never answers is given up in time, and the host is named", async () => {
  const { server, manager } = await stage();
  await manager.hasSecret("a");
  server.faults.inject({ kind: "hang" });
  const error = await failureOf(manager.getSecret("a", { timeoutMs: 300 }));
  expect(error).toMatchObject({ code: "timeout" });
  expect(error.message).toContain(`No answer came from 127.0.0.1:${server.rest.port}.`);
});

test("T81: an answer that drips is given up by the whole time of the call", async () => {
  const { server, manager } = await stage();
  await manager.registerSecret({ name: "a", values });
  server.faults.inject({ kind: "drip", everyMs: 50 });
  expect(await failureOf(manager.getSecret("a", { timeoutMs: 300 }))).toMatchObject({ code: "timeout" });
});

describe.each(["rest", "grpc"] as const)("lost answers over %s", (transport) => {
  test("T82, T83: a register succeeds, with one version, whichever of its two answers is lost", async () => {
    const { server, manager } = await stage({}, {}, transport);
    server.faults.inject({ kind: "reset_after_write", times: 1 });
    expect(await manager.registerSecret({ name: "first", values })).toMatchObject({ revision: "1" });
    expect(secret(server, "first").versions).toHaveLength(1);
    server.faults.inject({ kind: "reset_after_write", times: 2 });
    expect(await manager.registerSecret({ name: "both", values })).toMatchObject({ revision: "1" });
    expect(secret(server, "both").versions).toHaveLength(1);
  });

  test("T83: a replace finds its version and writes no second one", async () => {
    const { server, manager } = await stage({}, {}, transport);
    await manager.registerSecret({ name: "a", values });
    server.faults.inject({ kind: "reset_after_write", times: 1 });
    expect(await manager.replaceSecret({ name: "a", schema: "arbitrary", values: { password: "two" } })).toMatchObject({ revision: "2" });
    expect(secret(server, "a").versions).toHaveLength(2);
  });

  test("a replace that cannot find its version says that it may have happened", async () => {
    const { server, manager } = await stage({}, { max_retries: 0 }, transport);
    await manager.registerSecret({ name: "a", values });
    server.state.readLate(1);
    server.faults.inject({ kind: "reset_after_write", times: 1 });
    const error = await failureOf(manager.replaceSecret({ name: "a", schema: "arbitrary", values: { password: "two" } }));
    expect(error).toMatchObject({ code: "unavailable", outcome: "unknown" });
    expect(error.message).toMatch(/may have happened/);
  });

  test("a delete that is sent again and finds nothing has done it", async () => {
    const { server, manager } = await stage({}, {}, transport);
    await manager.registerSecret({ name: "a", values });
    server.faults.inject({ kind: "reset_after_write", times: 1 });
    await manager.deleteSecret("a");
    expect(await manager.hasSecret("a")).toBe(false);
  });
});

describe("a register that was interrupted", () => {
  const shell = (server: GcpServer, until: number): void => {
    const trace = `8b0c2f5e-0000-4000-8000-000000000000 ${new Date(until).toISOString()}`;
    const annotations = { "managed-by": "coffer", "coffer-register": trace };
    server.state.createSecret(`projects/${server.project}`, "coffer_x2fglobal_x2fa", { replication: { automatic: {} }, annotations });
  };

  test("and may still be under way is a conflict that passes", async () => {
    const { server, manager } = await stage();
    shell(server, Date.now() + 30_000);
    expect(await failureOf(manager.registerSecret({ name: "a", values }))).toMatchObject({ code: "conflict", retryable: true });
    expect(secret(server, "a").versions).toHaveLength(0);
  });

  test("and is long over is completed, by exactly one of many", async () => {
    const { server, manager } = await stage();
    shell(server, Date.now() - 120_000);
    const attempts = Array.from({ length: 6 }, () => manager.registerSecret({ name: "a", values }));
    const ended = await Promise.allSettled(attempts);
    expect(ended.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const lost = ended.flatMap((attempt) => (attempt.status === "rejected" ? [(attempt.reason as { code: string }).code] : []));
    expect(lost.filter((code) => code !== "conflict" && code !== "already_exists")).toEqual([]);
    expect(secret(server, "a").versions).toHaveLength(1);
  });

  test("reads as a secret without a value, and can be given one by a replace", async () => {
    const { server, manager } = await stage();
    shell(server, Date.now());
    expect(await manager.hasSecret("a")).toBe(true);
    await manager.replaceSecret({ name: "a", values });
    expect((await manager.getSecret("a")).text).toEqual(values);
  });

  test("because the value was refused leaves nothing", async () => {
    const { server, manager } = await stage();
    // Whoever may make secrets and not write versions.
    const state = server.state as unknown as { addSecretVersion: () => never };
    state.addSecretVersion = () => {
      throw new ServiceError("PERMISSION_DENIED", "Permission denied.");
    };
    expect(await failureOf(manager.registerSecret({ name: "a", values }))).toMatchObject({
      code: "permission_denied",
      outcome: "not_applied",
    });
    expect(await manager.hasSecret("a")).toBe(false);
  });

  test("by its caller goes on to its end", async () => {
    const { server, manager } = await stage();
    await manager.hasSecret("warm");
    server.rest.latencyMs = 50;
    const controller = new AbortController();
    const call = failureOf(manager.registerSecret({ name: "a", values }, { signal: controller.signal }));
    setTimeout(() => controller.abort(), 30);
    expect(await call).toMatchObject({ code: "aborted", outcome: "unknown" });
    await expect.poll(() => secret(server, "a").versions.length).toBe(1);
  });
});

describe("T84: compare and swap", () => {
  test("of two updates of one revision one is a conflict", async () => {
    const { server, manager } = await stage();
    await manager.registerSecret({ name: "a", values });
    await manager.replaceSecret({ name: "a", schema: "arbitrary", values: { password: "two" }, expected: "1" });
    const late = manager.replaceSecret({ name: "a", schema: "arbitrary", values: { password: "three" }, expected: "1" });
    expect(await failureOf(late)).toMatchObject({ code: "conflict", retryable: true });
    expect(secret(server, "a").versions).toHaveLength(2);
  });

  test("what a writer in the moment between wrote is put back on top", async () => {
    const { server, manager } = await stage();
    await manager.registerSecret({ name: "a", values });
    const original = server.state.addSecretVersion.bind(server.state);
    let between = true;
    server.state.addSecretVersion = (...rest) => {
      if (between) original(rest[0], Buffer.from('{"password":"theirs"}'), undefined);
      between = false;
      return original(...rest);
    };
    const swap = manager.replaceSecret({ name: "a", schema: "arbitrary", values: { password: "ours" }, expected: "1" });
    expect(await failureOf(swap)).toMatchObject({ code: "conflict", retryable: true });
    expect((await manager.getSecret("a")).text).toEqual({ password: "theirs" });
    expect(secret(server, "a").versions.map(({ payload }) => String(payload))).toEqual([
      '{"password":"one"}',
      '{"password":"theirs"}',
      '{"password":"ours"}',
      '{"password":"theirs"}',
    ]);
  });

  test("updates of different keys at the same time are all kept", async () => {
    const { manager } = await stage();
    await manager.registerSecret({ name: "a", values: { start: "x" } });
    await Promise.all(["b", "c", "d"].map((key) => manager.updateSecret("a", { values: { [key]: "x" } })));
    expect(Object.keys((await manager.getSecret("a")).text)).toEqual(["b", "c", "d", "start"]);
  });

  test("a writer that was interrupted holds up others until its time is over, and one that was refused nobody", async () => {
    const { server, manager } = await stage();
    await manager.registerSecret({ name: "a", values });
    const entry = secret(server, "a");
    const again = () => manager.replaceSecret({ name: "a", schema: "arbitrary", values: { password: "two" }, expected: "1" });
    entry.annotations["coffer-swap"] = `1 somebody ${new Date(Date.now() + 5_000).toISOString()}`;
    expect(await failureOf(again())).toMatchObject({ code: "conflict", retryable: true });
    entry.annotations["coffer-swap"] = `1 somebody ${new Date(Date.now() - 60_000).toISOString()}`;
    const original = server.state.addSecretVersion.bind(server.state);
    server.state.addSecretVersion = () => {
      throw new ServiceError("PERMISSION_DENIED", "Permission denied.");
    };
    expect(await failureOf(again())).toMatchObject({ code: "permission_denied" });
    expect(entry.annotations).not.toHaveProperty("coffer-swap");
    server.state.addSecretVersion = original;
    expect(await again()).toMatchObject({ revision: "2" });
  });

  test.each(["0", "-1", "latest", "1e3", "x"])("the revision %s is nobody's", async (expected) => {
    const { manager } = await stage();
    await manager.registerSecret({ name: "a", values });
    expect(await failureOf(manager.replaceSecret({ name: "a", schema: "arbitrary", values, expected }))).toMatchObject({
      code: "conflict",
    });
    await expect(manager.getSecret("a", { revision: expected })).rejects.toMatchObject({ code: "not_found" });
  });
});

test("T85: no credential, a refused one and a missing permission are three codes, with what to do", async () => {
  const { server, manager } = await stage();
  server.faults.inject({ kind: "unauthenticated" });
  expect(await failureOf(manager.getSecret("a"))).toMatchObject({
    code: "unauthenticated",
    hint: expect.stringMatching(/log in|credentials/i),
  });
  expect(server.count()).toBeLessThanOrEqual(2);
  server.faults.heal();
  server.faults.inject({ kind: "deny" });
  expect(await failureOf(manager.getSecret("a"))).toMatchObject({ code: "permission_denied" });
});

describe("listings", () => {
  async function many(): Promise<Stage> {
    const made = await stage({ pageLimit: 3 });
    for (let index = 0; index < 12; index += 1) await made.manager.registerSecret({ name: `item-${index}`, values });
    return made;
  }

  test("T86: a page that fails fails the listing", async () => {
    const { server, manager } = await many();
    server.faults.inject({ kind: "fail_page", page: 3 });
    await expect(collect(manager.listSecrets())).rejects.toMatchObject({ code: "unavailable" });
  });

  test("T87: a page that comes again stops the listing", async () => {
    const { server, manager } = await many();
    server.faults.inject({ kind: "repeat_token" });
    await expect(collect(manager.listSecrets())).rejects.toMatchObject({ message: expect.stringContaining("there before") });
  });

  test("T88: of a delete-all that is refused in part the rest is done, and a second one completes it", async () => {
    const { server, manager } = await many();
    server.faults.inject({ kind: "deny", name: "coffer_x2fglobal_x2fitem-4" });
    await expect(manager.deleteAllSecrets()).rejects.toMatchObject({ code: "permission_denied" });
    expect((await collect(manager.listSecrets())).map(({ name }) => name)).toEqual(["item-4"]);
    server.faults.heal();
    expect(await manager.deleteAllSecrets()).toEqual({ deleted: 1 });
  });
});

test("T89: a deleted name is free at once", async () => {
  const { manager } = await stage();
  await manager.registerSecret({ name: "a", values });
  await manager.deleteSecret("a");
  expect(await manager.registerSecret({ name: "a", values: { password: "two" } })).toMatchObject({ revision: "1" });
  expect((await manager.getSecret("a")).text).toEqual({ password: "two" });
});

test("T90: what this program has written it reads, however late the service shows it", async () => {
  const { server, manager } = await stage();
  await manager.registerSecret({ name: "a", values });
  server.state.readLate(1);
  expect((await manager.getSecret("a")).text).toEqual(values);
  await manager.replaceSecret({ name: "a", schema: "arbitrary", values: { password: "two" } });
  server.state.readLate(1);
  expect((await manager.getSecret("a")).text).toEqual({ password: "two" });
});

test("T92: a value at the limit is stored, one byte more is refused before it is sent", async () => {
  const { server, manager } = await stage();
  const fill = (more: number) => ({ text: "v".repeat(65_536 - '{"text":""}'.length + more) });
  await manager.registerSecret({ name: "a", values: fill(0) });
  server.resetCounts();
  expect(await failureOf(manager.registerSecret({ name: "b", values: fill(1) }))).toMatchObject({ code: "too_large" });
  expect(server.count()).toBe(0);
});

describe("T93: TLS", () => {
  test("a certificate that nobody vouches for is refused before anything is sent", async () => {
    const { server, manager } = await stage({ tls: await testCertificate() });
    expect(await failureOf(manager.registerSecret({ name: "a", values }))).toMatchObject({ code: "unavailable", outcome: "not_applied" });
    expect(server.count()).toBe(0);
  });

  test("plain http to another machine needs an explicit word", async () => {
    const settings = { project: "test-project", anonymous: true, endpoint: "http://secrets.internal:8080" };
    expect(await failureOf(createSecretsManager(gcp, settings).hasSecret("a"))).toMatchObject({ code: "invalid_settings" });
  });
});

test.each([301, 302, 307, 308] as const)("T94: a redirect (%i) is refused, and nothing reaches the other host", async (status) => {
  let reached = 0;
  const other = createServer((_request, response) => {
    reached += 1;
    response.end("{}");
  });
  await new Promise<void>((resolve) => void other.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void other.close());
  const { server, manager } = await stage({}, { max_retries: 0 });
  server.faults.inject({ kind: "redirect", to: `http://127.0.0.1:${(other.address() as AddressInfo).port}/`, status });
  for (const call of [() => manager.getSecret("a"), () => manager.registerSecret({ name: "a", values })])
    expect(await failureOf(call())).toMatchObject({ code: "unavailable" });
  expect(reached).toBe(0);
});

test.each([
  ["HTML with status 200", { kind: "html", status: 200 }],
  ["HTML with status 502", { kind: "html", status: 502 }],
  ["JSON that is cut", { kind: "cut_json" }],
  ["ten megabytes of something", { kind: "huge", bytes: 10_000_000 }],
] as const)("T95: %s is a clean error, and never a missing secret", async (_what, fault) => {
  const { server, manager } = await stage({}, { max_retries: 0 });
  server.faults.inject(fault);
  for (const call of [() => manager.getSecret("a"), () => manager.hasSecret("a"), () => collect(manager.listSecrets())])
    expect(await failureOf(call())).toMatchObject({ code: "unavailable" });
  expect(await failureOf(manager.registerSecret({ name: "a", values }))).toMatchObject({ code: "unavailable", outcome: "unknown" });
});

test("T95: a page of HTML with status 404 is no missing secret", async () => {
  const front = createServer(
    (_request, response) => void response.writeHead(404, { "content-type": "text/html" }).end("<h1>Not Found</h1>"),
  );
  await new Promise<void>((resolve) => void front.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void front.close());
  const endpoint = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
  const manager = createSecretsManager(gcp, { project: "test-project", anonymous: true, endpoint, max_retries: 0 });
  expect(await failureOf(manager.hasSecret("a"))).toMatchObject({ code: "unavailable" });
});

test.each([
  ["rest", /127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\)\.$/],
  ["grpc", /cannot be used right now\.$/],
] as const)("T97: a refused connection over %s is one line, after a few attempts", async (transport, message) => {
  const { server, manager } = await stage({}, { max_retries: 1 }, transport);
  await server.disconnect();
  const error = await failureOf(manager.registerSecret({ name: "a", values }));
  expect(error).toMatchObject({ code: "unavailable", outcome: "not_applied" });
  expect(error.message).not.toContain("\n");
  expect(error.message).toMatch(message);
});

test("T96: a clock that is 20 minutes slow does no harm; the error of one that is 20 minutes fast names the clock", async () => {
  const { server } = await stage();
  const onServer = async (skewMs: number): Promise<boolean | Error> => {
    server.skewMs = skewMs;
    const manager = createSecretsManager(gcp, settingsFor(server));
    onTestFinished(() => manager.close());
    return manager.hasSecret("a").catch((reason: unknown) => reason as Error);
  };
  expect(await onServer(20 * 60_000)).toBe(false);
  expect(await onServer(-20 * 60_000)).toMatchObject({ code: "unauthenticated", hint: expect.stringContaining("clock") });
});

test("T97: IPv6 only, and a connection that breaks, are unavailable", async () => {
  const there = { project: "test-project", anonymous: true, endpoint: "http://[::1]:9", max_retries: 0 };
  const error = await failureOf(createSecretsManager(gcp, there).hasSecret("a"));
  expect(error).toMatchObject({ code: "unavailable" });
  expect(error.message).not.toContain("\n");
  const { server, manager } = await stage({}, { max_retries: 1 });
  server.faults.inject({ kind: "reset_before", times: 1_000 });
  expect(await failureOf(manager.hasSecret("a"))).toMatchObject({ code: "unavailable" });
  expect(server.count()).toBe(2);
});

test("T97: a host that does not exist is unavailable", async () => {
  const settings = { project: "test-project", anonymous: true, endpoint: "https://no-such-host.invalid", max_retries: 0 };
  expect(await failureOf(createSecretsManager(gcp, settings).hasSecret("a"))).toMatchObject({ code: "unavailable" });
});

test("after close nothing is sent", async () => {
  const { server, manager } = await stage();
  await manager.hasSecret("a");
  await manager.close();
  server.resetCounts();
  expect(await failureOf(manager.hasSecret("a"))).toMatchObject({ code: "closed" });
  expect(server.count()).toBe(0);
});
