import { createSecretsManager, type SecretsManager, type SecretsManagerOptions } from "@coffer/core";
import { testCertificate } from "@coffer/emulators/certificates";
import { LoopbackServer } from "@coffer/emulators/loopback";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { azure } from "../src/index.ts";
import { sendWithRetries } from "../src/retries.ts";
import type { AzureSettings } from "../src/settings-types.ts";
import { TransportError, type WireRequest } from "@coffer/core/transport";
import { type OpenedAzure, openAzure } from "./subject.ts";

let one: OpenedAzure;
let manager: SecretsManager;
const managers: SecretsManager[] = [];
function managerWith(settings: Partial<AzureSettings> = {}, options: SecretsManagerOptions = {}): SecretsManager {
  const made = createSecretsManager(azure, { ...one.settings, ...settings }, { scope: "namespace", namespace: "team", ...options });
  managers.push(made);
  return made;
}
beforeEach(async () => {
  one = await openAzure();
  manager = managerWith();
});
afterEach(async () => {
  for (const each of managers.splice(0)) await each.close();
  await one.driver.close?.();
  await one.dispose?.();
});
const inject = (fault: Parameters<typeof one.emulator.server.faults.inject>[0]): void => one.emulator.server.faults.inject(fault);
const values = { user: "etl" };

describe("trouble of the service", () => {
  test.each([1, 2, 3])("T79: throttled %i times, then it works, and waits as long as it is told", async (times) => {
    inject({ kind: "throttle", times, retryAfterSeconds: 0 });
    await manager.registerSecret({ name: "a", values });
    expect((await Array.fromAsync(manager.history("a"))).length).toBe(1);
  });

  test.each([4, 5])("T79: throttled %i times is throttled, after four attempts", async (times) => {
    await manager.registerSecret({ name: "a", values });
    one.emulator.server.resetCounts();
    inject({ kind: "throttle", times });
    await expect(manager.getSecret("a")).rejects.toMatchObject({ code: "throttled", retryable: true });
    expect(one.emulator.server.count("GET /secrets/{name}")).toBe(4);
  });

  test("T79: what the service asks to wait is waited, and what is beyond the deadline is not waited for", async () => {
    await manager.registerSecret({ name: "a", values });
    inject({ kind: "throttle", times: 1, retryAfterSeconds: 1 });
    const began = performance.now();
    await manager.getSecret("a");
    expect(performance.now() - began).toBeGreaterThan(950);
    inject({ kind: "throttle", times: 1, retryAfterSeconds: 60 });
    const again = performance.now();
    await expect(manager.getSecret("a")).rejects.toMatchObject({ code: "throttled" });
    expect(performance.now() - again).toBeLessThan(1_000);
  });

  test("T79: without Retry-After the waits grow and differ", async () => {
    const request: WireRequest = {
      url: "https://x/",
      method: "GET",
      headers: {},
      body: undefined,
      signal: undefined,
      plain: false,
      agent: undefined,
    };
    const runs: number[][] = [];
    for (let run = 0; run < 3; run += 1) {
      const times: number[] = [];
      await sendWithRetries(
        async () => {
          times.push(performance.now());
          return { status: 503, headers: {}, text: "" };
        },
        request,
        performance.now() + 10_000,
      );
      runs.push(times.slice(1).map((time, index) => time - (times[index] ?? 0)));
    }
    for (const [first = 0, , third = 0] of runs) expect(third).toBeGreaterThan(first);
    expect(new Set(runs.map((waits) => waits.map((wait) => Math.round(wait)).join())).size).toBeGreaterThan(1);
  });

  test("T80, T81: silence and dripping end at the deadline, and the host is named", async () => {
    await manager.registerSecret({ name: "a", values });
    for (const fault of [{ kind: "hang" }, { kind: "drip", everyMs: 100 }] as const) {
      one.emulator.server.faults.heal();
      inject(fault);
      const began = performance.now();
      const message = expect.stringContaining(`127.0.0.1:${one.emulator.server.port} did not answer in time.`);
      await expect(manager.getSecret("a", { timeoutMs: 400 })).rejects.toMatchObject({ code: "timeout", message });
      expect(performance.now() - began).toBeLessThan(800);
    }
  });

  test("T98: an abort ends a slow call at once, also on the second page of a listing", async () => {
    for (let index = 0; index < 30; index += 1) one.emulator.vault.set(`coffer-x2fnamespace-x2fteam-x2fn${index}`, { value: "{}" });
    const controller = new AbortController();
    const pages = manager.listSecretPages({ signal: controller.signal });
    await pages.next();
    inject({ kind: "hang" });
    const second = pages.next();
    setTimeout(() => controller.abort(), 50);
    const began = performance.now();
    await expect(second).rejects.toMatchObject({ code: "aborted" });
    expect(performance.now() - began).toBeLessThan(500);
  });

  test("T82, T83: committed, then reset: it succeeds, there is one version, and it is not called taken", async () => {
    inject({ kind: "reset_after_write", times: 1 });
    const { revision } = await manager.registerSecret({ name: "a", values });
    expect((await Array.fromAsync(manager.history("a"))).map((each) => each.revision)).toEqual([revision]);
    inject({ kind: "reset_after_write", times: 1 });
    const replaced = await manager.replaceSecret({ name: "a", schema: "arbitrary", values: { user: "b" } });
    expect((await Array.fromAsync(manager.history("a"))).map((each) => each.revision)).toEqual([replaced.revision, revision]);
    inject({ kind: "reset_after_write", times: 1 });
    await manager.deleteSecret("a");
    expect(await manager.hasSecret("a")).toBe(false);
    inject({ kind: "reset_after_write", times: 1 });
    await manager.deleteSecret("a", { immediate: true });
    await manager.registerSecret({ name: "a", values });
    expect((await Array.fromAsync(manager.history("a"))).length).toBe(1);
  });

  test("reset before it was looked at, or a failing service: written once all the same", async () => {
    await manager.hasSecret("a");
    for (const fault of [
      { kind: "reset_before", times: 1 },
      { kind: "broken", times: 1 },
    ] as const) {
      inject(fault);
      await manager.upsertSecret({ name: "a", values: { of: fault.kind } });
    }
    expect((await Array.fromAsync(manager.history("a"))).length).toBe(2);
  });

  test("where nobody can tell what became of a write, the error says so", async () => {
    await manager.registerSecret({ name: "a", values });
    one.emulator.server.latencyMs = 60;
    inject({ kind: "reset_after_write", times: 1 });
    const write = manager.replaceSecret({ name: "a", schema: "arbitrary", values: { user: "b" } });
    // As soon as the answer is lost, nothing can be asked any more.
    while (one.emulator.server.count("PUT /secrets/{name}") < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 62));
    await one.emulator.server.disconnect();
    await expect(write).rejects.toMatchObject({ code: "unavailable", outcome: "unknown" });
    await one.emulator.server.reconnect();
  });

  test("T84: of two updates from one version the second is a conflict", async () => {
    const { revision } = await manager.registerSecret({ name: "a", values });
    await manager.updateSecret("a", { values: { b: "1" }, expected: revision ?? "" });
    await expect(manager.updateSecret("a", { values: { c: "1" }, expected: revision ?? "" })).rejects.toMatchObject({ code: "conflict" });
    expect({ ...(await manager.getSecret("a")).text }).toEqual({ user: "etl", b: "1" });
  });

  test("T85: a token that was revoked, no permission and no credential are three things, and none asks again and again", async () => {
    await manager.registerSecret({ name: "a", values });
    const codes: Record<string, number> = {};
    for (const fault of [{ kind: "unauthenticated" }, { kind: "deny" }] as const) {
      one.emulator.server.faults.heal();
      inject(fault);
      one.emulator.server.resetCounts();
      const error = await manager.getSecret("a").catch((reason: unknown) => reason as { readonly code: string });
      codes["code" in error ? error.code : "none"] = one.emulator.server.count();
    }
    expect(codes).toEqual({ unauthenticated: 2, permission_denied: 1 });
  });

  test("T86, T87: a page that fails, and pages that go in circles, are errors", async () => {
    for (let index = 0; index < 130; index += 1) one.emulator.vault.set(`coffer-x2fnamespace-x2fteam-x2fn${index}`, { value: "{}" });
    inject({ kind: "fail_page", page: 3 });
    await expect(Array.fromAsync(manager.listSecrets())).rejects.toMatchObject({ code: "unavailable" });
    one.emulator.server.faults.heal();
    inject({ kind: "repeat_token" });
    one.emulator.server.resetCounts();
    await expect(Array.fromAsync(manager.listSecrets())).rejects.toMatchObject({ code: "unavailable" });
    expect(one.emulator.server.count()).toBe(3);
  });

  test("T88: one of ten that cannot be deleted is told, and the next time completes it", async () => {
    for (let index = 0; index < 10; index += 1) await manager.registerSecret({ name: `n${index}`, values });
    inject({ kind: "deny", name: "coffer-x2fnamespace-x2fteam-x2fn4" });
    await expect(manager.deleteAllSecrets()).rejects.toMatchObject({
      code: "permission_denied",
      secretName: "n4",
      message: expect.stringMatching(/^9 secrets were deleted, 1 is left/) as unknown,
    });
    one.emulator.server.faults.heal();
    expect(await manager.deleteAllSecrets()).toEqual({ deleted: 1 });
  });

  test("T89: a deleted name says until when it is reserved, and the ways out work", async () => {
    const later = { user: "later" };
    for (const wayOut of [
      async () => {
        await manager.restoreSecret("a");
        await manager.replaceSecret({ name: "a", schema: "arbitrary", values: later });
      },
      () => manager.registerSecret({ name: "a", values: later }, { onDeleted: "restore" }),
      async () => {
        await manager.deleteSecret("a", { immediate: true });
        await manager.registerSecret({ name: "a", values: later });
      },
    ]) {
      await manager.registerSecret({ name: "a", values });
      await manager.deleteSecret("a");
      const until = new Date(one.emulator.vault.getDeleted("coffer-x2fnamespace-x2fteam-x2fa").purgeAt * 1000).toISOString();
      await expect(manager.registerSecret({ name: "a", values: later })).rejects.toMatchObject({
        code: "recently_deleted",
        message: expect.stringContaining(until) as unknown,
        hint: expect.stringMatching(/restore.*onDeleted.*immediate/i) as unknown,
      });
      await wayOut();
      expect({ ...(await manager.getSecret("a")).text }).toEqual(later);
      await manager.deleteSecret("a", { immediate: true });
    }
  });

  test("69: deletions, purges and recoveries that take their time are waited for", async () => {
    one.emulator.vault.settlingMs = 300;
    await manager.registerSecret({ name: "a", values });
    await manager.deleteSecret("a");
    await manager.restoreSecret("a");
    expect({ ...(await manager.getSecret("a")).text }).toEqual(values);
    await manager.deleteSecret("a", { immediate: true });
    await manager.registerSecret({ name: "a", values: { user: "new" } });
    await manager.deleteSecret("a");
    await manager.registerSecret({ name: "a", values: { user: "newer" } }, { onDeleted: "restore" });
    expect({ ...(await manager.getSecret("a")).text }).toEqual({ user: "newer" });
  });

  test("without the right to purge, an immediate delete says that the secret can still be recovered", async () => {
    one.emulator.vault.purgeProtection = true;
    await manager.registerSecret({ name: "a", values });
    await expect(manager.deleteSecret("a", { immediate: true })).rejects.toMatchObject({ code: "permission_denied", outcome: "unknown" });
    await manager.restoreSecret("a");
  });

  test("T92: 25,600 bytes are stored, one more is refused before it is sent", async () => {
    const frame = JSON.stringify({ text: "" }).length;
    await manager.registerSecret({ name: "at", values: { text: "é".repeat((25_600 - frame) / 2) } });
    one.emulator.server.resetCounts();
    await expect(manager.registerSecret({ name: "over", values: { text: "v".repeat(25_601 - frame) } })).rejects.toMatchObject({
      code: "too_large",
    });
    expect(one.emulator.server.count()).toBe(0);
  });

  test("T93: a certificate that is not trusted is refused whatever the environment says, and so is plain http", async () => {
    const before = process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      const untrusting = managerWith({ ca_file: undefined });
      await expect(untrusting.getSecret("a")).rejects.toMatchObject({
        code: "unavailable",
        retryable: false,
        hint: expect.stringContaining("ca_file") as unknown,
      });
      expect(one.emulator.server.count()).toBe(0);
    } finally {
      if (before === undefined) delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
      else process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = before;
    }
    await expect(managerWith({ vault_url: "http://127.0.0.1:1" }).getSecret("a")).rejects.toMatchObject({ code: "invalid_settings" });
  });

  test("T94: a redirect is not followed, to another host, to plain http, or to itself", async () => {
    await manager.registerSecret({ name: "a", values });
    const certificate = await testCertificate();
    const other = await LoopbackServer.start(() => ({ status: 200, headers: { "content-type": "application/json" }, body: "{}" }), {
      tls: certificate,
    });
    const plain = await LoopbackServer.start(() => ({ status: 200, body: "{}" }));
    for (const to of [`${other.url}/secrets/a`, `${plain.url}/secrets/a`, `${one.emulator.url}/secrets/a`]) {
      for (const status of [301, 302, 307, 308] as const) {
        inject({ kind: "redirect", to, status });
        await expect(manager.getSecret("a")).rejects.toMatchObject({ code: "unavailable" });
      }
    }
    expect([other.count(), plain.count()]).toEqual([0, 0]);
    await Promise.all([other.stop(), plain.stop()]);
  });

  test("T94: a listing that leads to another host is not followed", async () => {
    const certificate = await testCertificate();
    const other = await LoopbackServer.start(() => ({ status: 200 }), { tls: certificate });
    const liar = await LoopbackServer.start(
      (request) =>
        request.headers["authorization"] === undefined
          ? { status: 401, headers: { "www-authenticate": 'Bearer authorization="https://l/t", resource="https://vault.azure.net"' } }
          : {
              status: 200,
              headers: { "content-type": "application/json" },
              body: JSON.stringify({ value: [], nextLink: `${other.url}/secrets` }),
            },
      { tls: certificate },
    );
    const { fileOf } = await import("./subject.ts");
    const misled = managerWith({ vault_url: liar.url, ca_file: fileOf("liar.pem", certificate.ca) });
    await expect(Array.fromAsync(misled.listSecrets())).rejects.toMatchObject({ outcome: "not_applied" });
    expect(other.count()).toBe(0);
    await Promise.all([other.stop(), liar.stop()]);
  });

  test("T95: a large answer, HTML, cut JSON and another type are errors, never a secret and never missing", async () => {
    await manager.registerSecret({ name: "a", values });
    for (const fault of [
      { kind: "huge", bytes: 10_000_000 },
      { kind: "html", status: 200 },
      { kind: "html", status: 502 },
      { kind: "cut_json" },
    ] as const) {
      one.emulator.server.faults.heal();
      inject(fault);
      for (const call of [() => manager.getSecret("a"), () => Array.fromAsync(manager.listSecrets())])
        await expect(call(), fault.kind).rejects.toMatchObject({ code: "unavailable" });
    }
  });

  test("T97: no such host, refused and reset are one line each", async () => {
    for (const [settings, act] of [
      [{ vault_url: "https://no-such-vault.invalid" }, undefined],
      [{}, () => one.emulator.server.disconnect()],
    ] as const) {
      await act?.();
      const error = await managerWith(settings)
        .getSecret("a")
        .catch((reason: unknown) => reason as Error);
      expect(error).toMatchObject({ code: "unavailable", retryable: true });
      expect("message" in error && error.message.split("\n").length).toBe(1);
    }
    await one.emulator.server.reconnect();
    inject({ kind: "reset_before", times: 1_000 });
    one.emulator.server.resetCounts();
    await expect(managerWith().getSecret("a")).rejects.toMatchObject({ code: "unavailable" });
    expect(one.emulator.server.count()).toBe(4);
  });

  test("a request that was never sent is repeated also when it writes; one that was is not", async () => {
    const attempts = async (method: string, sent: boolean): Promise<number> => {
      let count = 0;
      const request: WireRequest = {
        url: "https://x/secrets/a",
        method,
        headers: {},
        body: undefined,
        signal: undefined,
        plain: false,
        agent: undefined,
      };
      await sendWithRetries(
        () => {
          count += 1;
          throw new TransportError("network", "x", { code: "ECONNRESET", sent });
        },
        request,
        performance.now() + 10_000,
      ).catch(() => undefined);
      return count;
    };
    expect([
      await attempts("PUT", false),
      await attempts("PUT", true),
      await attempts("DELETE", true),
      await attempts("GET", true),
    ]).toEqual([4, 1, 1, 4]);
  });
});
