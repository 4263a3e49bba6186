import { setTimeout as pause } from "node:timers/promises";
import { createSecretsManager } from "@coffer/core";
import { testCertificate } from "@coffer/emulators/certificates";
import { LoopbackServer } from "@coffer/emulators/loopback";
import { describe, expect, test } from "vitest";
import { aws } from "../src/flavor.ts";
import { call, collect, failure, onEmulator } from "./laboratory.ts";
import { settingsFor } from "./subject.ts";

const values = { user: "etl", password: "correct horse" };

describe("throttling", () => {
  test("T79 up to the limit of attempts it is waited out, and then given up", { timeout: 60_000 }, () =>
    onEmulator(async ({ manager, emulator }) => {
      for (const times of [1, 2]) {
        emulator.server.resetCounts();
        emulator.server.faults.inject({ kind: "throttle", times });
        await manager().registerSecret({ name: `throttled-${times}`, values });
        expect(emulator.server.count("CreateSecret")).toBe(times + 1);
      }
      for (const attempts of [1, 3]) {
        emulator.server.resetCounts();
        emulator.server.faults.inject({ kind: "throttle", times: 1000 });
        const error = await failure(manager({}, { max_attempts: attempts }).registerSecret({ name: "throttled", values }));
        expect(error).toMatchObject({ code: "throttled", retryable: true, outcome: "not_applied" });
        expect(emulator.server.count("CreateSecret")).toBe(attempts);
      }
    }),
  );

  test("T79 Retry-After is honoured", () =>
    onEmulator(async ({ manager, emulator }) => {
      emulator.server.faults.inject({ kind: "throttle", times: 1, retryAfterSeconds: 2 });
      const before = performance.now();
      await manager().registerSecret({ name: "throttled", values });
      expect(performance.now() - before).toBeGreaterThan(1900);
    }));

  test("the deadline ends the waiting, and nothing is sent after it", () =>
    onEmulator(async ({ manager, emulator }) => {
      emulator.server.faults.inject({ kind: "throttle", times: 1000, retryAfterSeconds: 30 });
      const before = performance.now();
      const error = await failure(manager().registerSecret({ name: "throttled", values }, { timeoutMs: 300 }));
      expect(error).toMatchObject({ code: "timeout", outcome: "not_applied" });
      expect(performance.now() - before).toBeLessThan(1000);
      const sent = emulator.server.count();
      await pause(500);
      expect(emulator.server.count()).toBe(sent);
    }));
});

describe("silence", () => {
  test("T80 a server that never answers: over by the deadline, and the host is named", () =>
    onEmulator(async ({ manager, emulator }) => {
      emulator.server.faults.inject({ kind: "hang" });
      const error = await failure(manager().registerSecret({ name: "db", values }, { timeoutMs: 300 }));
      expect(error).toMatchObject({ code: "timeout", outcome: "unknown" });
      expect(error.message).toContain(`127.0.0.1:${emulator.server.port}`);
      expect(await failure(manager().getSecret("db", { timeoutMs: 200 }))).toMatchObject({ code: "timeout", outcome: "not_applied" });
    }));

  test("T80 a driver that is used without a manager keeps its deadline, too", () =>
    onEmulator(async ({ driver, emulator }) => {
      emulator.server.faults.inject({ kind: "hang" });
      const opened = await driver();
      await expect(opened.read("coffer/global/db", call({ deadline: performance.now() + 200 }))).rejects.toMatchObject({
        info: { code: "timeout" },
      });
      await expect(opened.read("coffer/global/db", call({ deadline: performance.now() - 1 }))).rejects.toMatchObject({
        info: { code: "timeout" },
      });
    }));

  test("T81 a byte now and then: the deadline is for the whole answer", () =>
    onEmulator(async ({ manager, emulator }) => {
      emulator.plant("coffer/global/db", JSON.stringify(values));
      emulator.server.faults.inject({ kind: "drip", everyMs: 50 });
      const before = performance.now();
      expect((await failure(manager().getSecret("db", { timeoutMs: 400 }))).code).toBe("timeout");
      expect(performance.now() - before).toBeLessThan(1000);
    }));

  test("credentials that never come end with the deadline, and nothing was sent", () =>
    onEmulator(async ({ manager, emulator }) => {
      const secrets = manager({}, { credentials: () => new Promise(() => {}) });
      expect(await failure(secrets.registerSecret({ name: "db", values }, { timeoutMs: 200 }))).toMatchObject({
        code: "timeout",
        outcome: "not_applied",
      });
      expect(emulator.server.count()).toBe(0);
    }));

  test("T98 giving up ends a call at once", () =>
    onEmulator(async ({ manager, emulator }) => {
      emulator.server.faults.inject({ kind: "hang" });
      const controller = new AbortController();
      const pending = failure(manager().registerSecret({ name: "db", values }, { signal: controller.signal }));
      await pause(100);
      const before = performance.now();
      controller.abort();
      expect(await pending).toMatchObject({ code: "aborted", outcome: "unknown" });
      expect(performance.now() - before).toBeLessThan(500);
    }));
});

describe("answers that are lost", () => {
  test("T82 create: committed, then reset: one version, and not taken for somebody else's", () =>
    onEmulator(async ({ manager, emulator }) => {
      emulator.server.faults.inject({ kind: "reset_after_write", times: 1 });
      const { revision } = await manager().registerSecret({ name: "db", values });
      expect(emulator.server.count("CreateSecret")).toBe(2);
      expect(emulator.secrets.find("coffer/global/db")?.versions.map(({ id }) => id)).toEqual([revision]);
    }));

  test("T82 create, where the service does not recognise the token: looked up by it", () =>
    onEmulator(async ({ manager, emulator }) => {
      emulator.forgetsTokens = true;
      emulator.server.faults.inject({ kind: "reset_after_write", times: 1 });
      const { revision } = await manager().registerSecret({ name: "db", values });
      expect(emulator.secrets.find("coffer/global/db")?.versions.map(({ id }) => id)).toEqual([revision]);
      // And a name that somebody else has taken meanwhile stays theirs.
      emulator.plant("coffer/global/theirs", "{}");
      emulator.server.faults.inject({ kind: "reset_before", times: 1 });
      expect(await failure(manager().registerSecret({ name: "theirs", values }))).toMatchObject({
        code: "already_exists",
        outcome: "not_applied",
      });
    }));

  test("T82 replace, compare-and-swap, delete, restore: each has happened once, and says so", () =>
    onEmulator(async ({ manager, emulator }) => {
      const secrets = manager();
      const { revision } = await secrets.registerSecret({ name: "db", values });
      const lose = (): void => emulator.server.faults.inject({ kind: "reset_after_write", times: 1 });
      lose();
      const replaced = await secrets.replaceSecret({ name: "db", schema: "arbitrary", values: { user: "second" } });
      expect(emulator.secrets.find("coffer/global/db")?.versions.map(({ id }) => id)).toEqual([revision, replaced.revision]);
      lose();
      const swapped = await secrets.replaceSecret({
        name: "db",
        schema: "arbitrary",
        values: { user: "third" },
        expected: replaced.revision ?? "",
      });
      expect((await secrets.getSecret("db")).revision).toBe(swapped.revision);
      lose();
      await secrets.deleteSecret("db");
      lose();
      await secrets.restoreSecret("db");
      lose();
      await secrets.deleteSecret("db", { immediate: true });
      expect(await secrets.hasSecret("db")).toBe(false);
    }));

  test("T82 compare-and-swap: the move of the label is lost, and not taken for a conflict", () =>
    onEmulator(async ({ manager, emulator, driver }) => {
      const { revision } = await manager().registerSecret({ name: "db", values });
      const opened = await driver();
      // The put succeeds, the move loses its answer.
      emulator.losesNext = "UpdateSecretVersionStage";
      const written = await opened.replace(
        "coffer/global/db",
        { values: { user: "second" } },
        { ...call(), expected: revision ?? "", adopt: false },
      );
      expect(emulator.server.count("UpdateSecretVersionStage")).toBe(2);
      expect((await manager().getSecret("db")).revision).toBe(written);
    }));

  test("T82 compare-and-swap: when the first half fails, nothing has changed", () =>
    onEmulator(async ({ manager, emulator }) => {
      const secrets = manager({}, { max_attempts: 1 });
      const { revision } = await secrets.registerSecret({ name: "db", values });
      emulator.server.faults.inject({ kind: "reset_after_write", times: 1 });
      const error = await failure(secrets.replaceSecret({ name: "db", schema: "arbitrary", values: {}, expected: revision ?? "" }));
      expect(error).toMatchObject({ code: "unavailable", outcome: "not_applied" });
      expect((await secrets.getSecret("db")).revision).toBe(revision);
    }));

  test("a lost answer stays unknown when later attempts are throttled", () =>
    onEmulator(async ({ manager, emulator }) => {
      const secrets = manager({}, { max_attempts: 2 });
      emulator.server.faults.inject({ kind: "reset_after_write", times: 1 });
      emulator.throttlesAfterLoss = true;
      expect(await failure(secrets.registerSecret({ name: "db", values }))).toMatchObject({ code: "throttled", outcome: "unknown" });
    }));
});

describe("writers side by side", () => {
  test("T84 two updates from one version: both are kept", () =>
    onEmulator(async ({ manager }) => {
      const [first, second] = [manager(), manager()];
      await first.registerSecret({ name: "db", values: { start: "x" } });
      const update = (index: number) => (index % 2 === 0 ? first : second).updateSecret("db", { values: { [`key_${index}`]: "x" } });
      await Promise.all(Array.from({ length: 8 }, (_, index) => update(index)));
      expect(Object.keys((await first.getSecret("db")).text)).toHaveLength(9);
    }));

  test("T84 a rotation or the console between reading and writing is a conflict", () =>
    onEmulator(async ({ manager, emulator }) => {
      const secrets = manager();
      const { revision } = await secrets.registerSecret({ name: "db", values });
      emulator.plant("coffer/global/db", '{"user":"rotated"}');
      expect(await failure(secrets.updateSecret("db", { values: { a: "b" }, expected: revision ?? "" }))).toMatchObject({
        code: "conflict",
      });
      expect((await secrets.getSecret("db")).text).toEqual({ user: "rotated" });
    }));
});

describe("listings", () => {
  test("T86 page 3 of 5 fails: the listing fails", () =>
    onEmulator(async ({ manager, emulator }) => {
      for (let index = 0; index < 500; index += 1) emulator.plant(`coffer/global/s-${index}`, "{}");
      emulator.server.faults.inject({ kind: "fail_page", page: 3 });
      const named: string[] = [];
      const listing = async (): Promise<void> => {
        for await (const { name } of manager({}, { max_attempts: 1 }).listSecrets()) named.push(name);
      };
      expect(await failure(listing())).toMatchObject({ code: "unavailable" });
      expect(named).toHaveLength(200);
    }));

  test("T87 a page that leads back to an earlier one ends the listing with an error", () =>
    onEmulator(async ({ manager, emulator }) => {
      for (let index = 0; index < 150; index += 1) emulator.plant(`coffer/global/s-${index}`, "{}");
      emulator.server.faults.inject({ kind: "repeat_token" });
      const error = await failure(collect(manager().listSecrets()));
      expect(error.message).toContain("leads back");
      expect(emulator.server.count("ListSecrets")).toBe(2);
    }));

  test("T88 deleting all, one of ten refused: nine are gone, and a second run completes", () =>
    onEmulator(async ({ manager, emulator }) => {
      const secrets = manager();
      for (let index = 0; index < 10; index += 1) await secrets.registerSecret({ name: `s-${index}`, values: {} });
      emulator.deniedNames.add("coffer/global/s-4");
      const error = await failure(secrets.deleteAllSecrets());
      expect(error.code).toBe("permission_denied");
      expect(error.message).toMatch(/\b9\b/);
      expect((await collect(secrets.listSecrets())).map(({ name }) => name)).toEqual(["s-4"]);
      emulator.deniedNames.clear();
      expect(await secrets.deleteAllSecrets()).toEqual({ deleted: 1 });
    }));
});

describe("late reads", () => {
  test("T90 a new secret that the service does not know yet is asked for again", () =>
    onEmulator(async ({ manager, emulator }) => {
      emulator.lateReads = 2;
      const secrets = manager();
      await secrets.registerSecret({ name: "db", values });
      expect((await secrets.getSecret("db")).text).toEqual(values);
      expect(emulator.server.count("GetSecretValue")).toBe(3);
      await secrets.registerSecret({ name: "many", values });
      const [outcome] = await collect(secrets.getSecrets(["many"]));
      expect(outcome !== undefined && "secret" in outcome).toBe(true);
      // What nobody here has made is asked for once.
      emulator.server.resetCounts();
      expect(await secrets.hasSecret("absent")).toBe(false);
      expect(emulator.server.count()).toBe(1);
    }));

  test("a listing may lag behind, and catches up", () =>
    onEmulator(async ({ manager, emulator }) => {
      emulator.listingLagMs = 200;
      const secrets = manager();
      await secrets.registerSecret({ name: "db", values });
      expect(await collect(secrets.listSecrets())).toEqual([]);
      await pause(250);
      expect(await collect(secrets.listSecrets())).toHaveLength(1);
    }));
});

test("T92 a payload of exactly 64 KiB is stored, one byte more is refused before it is sent; bytes count, not characters", () =>
  onEmulator(async ({ manager, driver, emulator }) => {
    const secrets = manager();
    const room = 65_536 - '{"a":""}'.length;
    await secrets.registerSecret({ name: "full", values: { a: "x".repeat(room) } });
    await secrets.registerSecret({ name: "wide", values: { a: "ü".repeat(room / 2) } });
    const sent = emulator.server.count();
    expect((await failure(secrets.registerSecret({ name: "more", values: { a: "x".repeat(room + 1) } }))).code).toBe("too_large");
    const opened = await driver();
    const record = { values: { a: "x".repeat(room + 1) } };
    await expect(opened.create("coffer/global/more", record, { ...call(), onDeleted: "error" })).rejects.toMatchObject({
      info: { code: "too_large" },
    });
    expect(emulator.server.count()).toBe(sent);
  }));

describe("strangers", () => {
  test("T94 a redirect is not followed, and no request reaches the other host", () =>
    onEmulator(async ({ manager, emulator }) => {
      const other = await LoopbackServer.start(() => ({ status: 200, body: "{}" }));
      for (const status of [301, 302, 307, 308] as const) {
        emulator.server.faults.inject({ kind: "redirect", to: `${other.url}/`, status });
        const error = await failure(manager().getSecret("db"));
        expect(error).toMatchObject({ code: "unavailable", retryable: false });
        expect(error.message).toContain("redirect");
      }
      expect(other.count()).toBe(0);
      await other.stop();
    }));

  test("T93 plain http to another machine is refused before anything is sent, unless it is asked for", async () => {
    for (const endpoint of ["http://secrets.example.invalid", "http://127.0.0.1.example.invalid", "http://localhost.example.invalid"]) {
      const keys = { accessKeyId: "AKIACOFFERFAULTSTEST", secretAccessKey: "any" };
      const refused = createSecretsManager(aws, { region: "eu-central-1", endpoint, credentials: keys });
      expect(await failure(refused.getSecret("db"))).toMatchObject({ code: "invalid_settings" });
      const meant = createSecretsManager(aws, { region: "eu-central-1", endpoint, credentials: keys, allow_http: true, max_attempts: 1 });
      expect(await failure(meant.getSecret("db"))).toMatchObject({ code: "unavailable" });
    }
  });

  test("T93 a certificate that nobody vouches for is refused, and nothing has happened", async () => {
    const { key, cert } = await testCertificate();
    await onEmulator(
      async ({ emulator }) => {
        const secrets = createSecretsManager(aws, { ...settingsFor(emulator), max_attempts: 1 });
        const error = await failure(secrets.registerSecret({ name: "db", values }));
        expect(error).toMatchObject({ code: "unavailable", retryable: false, outcome: "not_applied" });
        expect(error.hint).toContain("NODE_EXTRA_CA_CERTS");
        expect(emulator.server.count()).toBe(0);
        await secrets.close();
      },
      { tls: { key, cert } },
    );
  });
});

test("T99 a thousand reads of one secret: credentials are fetched once", { timeout: 60_000 }, () =>
  onEmulator(async ({ manager, emulator }) => {
    let fetched = 0;
    const credentials = async () => {
      fetched += 1;
      return emulator.keys;
    };
    const secrets = manager({}, { credentials });
    await secrets.registerSecret({ name: "db", values });
    for (let round = 0; round < 10; round += 1) await Promise.all(Array.from({ length: 100 }, () => secrets.getSecret("db")));
    expect(fetched).toBe(1);
    const cached = manager({ cache: { ttlMs: 60_000 } }, { credentials });
    emulator.server.resetCounts();
    await Promise.all(Array.from({ length: 1000 }, () => cached.getSecret("db")));
    expect(emulator.server.count("GetSecretValue")).toBe(1);
  }),
);
