import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DriverError, type SecretsManager } from "@coffer/core";
import type { LoopbackAnswer, LoopbackServer } from "@coffer/emulators/loopback";
import { describe, expect, onTestFinished, test } from "vitest";
import { sendWithRetries } from "../src/retries.ts";
import type { VaultSettings } from "../src/settings-types.ts";
import { TransportError, type WireRequest } from "@coffer/core/transport";
import { call, failure, frontOf, type Laboratory, laboratory, serverFor } from "./laboratory.ts";

const values = { user: "etl" };
const record = { name: "a", values } as const;
const changed = { name: "a", schema: "arbitrary", values: { user: "changed" } } as const;
const BOTH = [
  [2, "secret"],
  [1, "kv1"],
] as const;

const request: WireRequest = { url: "https://x/", method: "GET", headers: {}, body: undefined, signal: undefined };

/** A server that takes requests and never answers; tells when the next has arrived. */
async function silent(): Promise<{ readonly server: LoopbackServer; arrived(): Promise<void> }> {
  let tell = (): void => {};
  const server = await serverFor(() => {
    tell();
    return new Promise<LoopbackAnswer>(() => {});
  });
  return { server, arrived: () => new Promise<void>((resolve) => (tell = resolve)) };
}

describe("throttling", () => {
  for (const retryAfterSeconds of [0, undefined]) {
    const how = retryAfterSeconds === undefined ? "without Retry-After" : "with Retry-After";
    test.each([1, 2, 3, 4, 5])(`T79: %i times, ${how}: up to max_retries it is waited out`, async (times) => {
      const one = await laboratory({ kv_version: 2 });
      for (const max_retries of [0, 2, 5]) {
        const manager = one.manager({ max_retries });
        one.emulator.server.resetCounts();
        one.emulator.server.faults.inject({ kind: "throttle", times, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) });
        const name = `with-${max_retries}`;
        const ended = await manager.registerSecret({ name, values }).catch((reason: unknown) => reason);
        expect(ended).toMatchObject(
          times <= max_retries ? { revision: "1" } : { code: "throttled", retryable: true, outcome: "not_applied" },
        );
        expect(one.emulator.server.count("POST data")).toBe(Math.min(times, max_retries) + 1);
        expect(one.mount.entry(one.stored(name))?.versions).toEqual(times <= max_retries ? [1] : undefined);
      }
    });
  }

  test("T79: what the service asks to wait is waited, and what is beyond the deadline is not waited for", async () => {
    const one = await laboratory();
    const manager = one.manager();
    await manager.registerSecret(record);
    one.emulator.server.faults.inject({ kind: "throttle", times: 1, retryAfterSeconds: 1 });
    const began = performance.now();
    await manager.getSecret("a");
    expect(performance.now() - began).toBeGreaterThan(950);
    one.emulator.server.resetCounts();
    one.emulator.server.faults.inject({ kind: "throttle", times: 1, retryAfterSeconds: 60 });
    expect(await failure(manager.getSecret("a"))).toMatchObject({ code: "throttled" });
    expect(one.emulator.server.count()).toBe(1);
  });

  test("T79: without Retry-After the waits grow and differ", async () => {
    const runs: number[][] = [];
    for (let run = 0; run < 3; run += 1) {
      const times: number[] = [];
      await sendWithRetries(
        async () => {
          times.push(performance.now());
          return { status: 429, headers: {}, text: "" };
        },
        request,
        { retries: 3, deadline: performance.now() + 10_000 },
      );
      runs.push(times.slice(1).map((time, index) => time - (times[index] ?? 0)));
    }
    for (const [first = 0, , third = 0] of runs) expect(third).toBeGreaterThan(first);
    expect(new Set(runs.map((waits) => waits.map((wait) => Math.round(wait)).join())).size).toBeGreaterThan(1);
  });

  test("a login that is throttled is waited out as well", async () => {
    const one = await laboratory();
    const { roleId: role_id, secretId: secret_id } = one.emulator.auth.approle;
    const manager = one.manager({ token: undefined, role_id, secret_id });
    one.emulator.server.faults.inject({ kind: "throttle", times: 1 });
    await manager.registerSecret(record);
    expect(one.emulator.auth.logins).toHaveLength(1);
  });

  test("a request that was never sent is repeated also when it writes; one that was is not, and none that changes nothing is lost", async () => {
    const attempts = async (method: string, outcome: { readonly sent: boolean } | number): Promise<number> => {
      let count = 0;
      await sendWithRetries(
        async () => {
          count += 1;
          if (typeof outcome === "number") return { status: outcome, headers: { "retry-after": "0" }, text: "" };
          throw new TransportError("network", "x", { code: "ECONNRESET", sent: outcome.sent });
        },
        { ...request, method },
        { retries: 2, deadline: performance.now() + 10_000 },
      ).catch(() => undefined);
      return count;
    };
    for (const method of ["POST", "DELETE"]) {
      expect(await attempts(method, { sent: false })).toBe(3);
      expect(await attempts(method, { sent: true })).toBe(1);
      for (const [status, times] of [
        [429, 3],
        [412, 3],
        [500, 1],
        [503, 1],
        [501, 1],
        [400, 1],
      ] as const)
        expect(await attempts(method, status), `${method} ${status}`).toBe(times);
    }
    expect(await attempts("GET", { sent: true })).toBe(3);
    for (const [status, times] of [
      [500, 3],
      [503, 3],
      [501, 1],
      [404, 1],
      [403, 1],
      [472, 1],
    ] as const)
      expect(await attempts("GET", status), `GET ${status}`).toBe(times);
  });
});

describe("silence", () => {
  test("T80: a service that never answers is over by the deadline, and the host is named", async () => {
    for (const [kv_version, mount] of BOTH) {
      const one = await laboratory({ mount, kv_version });
      const manager = one.manager({}, { timeoutMs: 100 });
      await manager.registerSecret({ name: "there", values }, { timeoutMs: 10_000 });
      one.emulator.server.faults.inject({ kind: "hang" });
      const host = `127.0.0.1:${one.emulator.server.port}`;
      const read = await failure(manager.getSecret("there"));
      expect(read).toMatchObject({ code: "timeout", retryable: true, outcome: "not_applied" });
      expect(read.message).toContain(host);
      const listed = await failure(Array.fromAsync(manager.listSecrets()));
      expect(listed).toMatchObject({ code: "timeout" });
      expect(listed.message).toContain(host);
      // Version 1 has to look first, and gets no further.
      const written = await failure(manager.registerSecret(record));
      expect(written).toMatchObject({ code: "timeout", outcome: kv_version === 2 ? "unknown" : "not_applied" });
      expect(written.message).toContain(host);
    }
  });

  test("T80: a driver that is used without a manager keeps its deadline, too", async () => {
    const one = await laboratory({ kv_version: 2 });
    one.emulator.server.faults.inject({ kind: "hang" });
    for (const deadline of [performance.now() + 100, performance.now() - 1]) {
      const error = await one.driver.read("a", call({ deadline })).catch((reason: unknown) => reason);
      expect(DriverError.isInstance(error) && error.info).toMatchObject({ code: "timeout", outcome: "not_applied" });
    }
  });

  test("T80: a login that hangs ends with the deadline of the call, of which nothing was sent", async () => {
    const one = await laboratory({ kv_version: 2 });
    const { roleId: role_id, secretId: secret_id } = one.emulator.auth.approle;
    one.emulator.server.faults.inject({ kind: "hang" });
    const error = await failure(one.manager({ token: undefined, role_id, secret_id }).registerSecret(record, { timeoutMs: 100 }));
    expect(error).toMatchObject({ code: "timeout", outcome: "not_applied" });
    expect(one.emulator.server.count("POST data")).toBe(0);
  });

  test("T80: a write that was given up while it waited for a token is not sent when the token comes", async () => {
    const given = Promise.withResolvers<string>();
    const one = await laboratory({ kv_version: 2, token: undefined, token_provider: () => given.promise });
    const creating = one.driver.create("a", { values: { a: "b" } }, { ...call({ deadline: performance.now() + 50 }), onDeleted: "error" });
    const error: unknown = await creating.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ info: { code: "timeout", outcome: "not_applied" } });
    given.resolve(one.token);
    expect(await one.driver.read("a", call())).toBeUndefined();
    expect(one.emulator.server.count("POST data")).toBe(0);
  });

  test("T80: a service that hangs while it is asked for its version, and then works, is asked again", async () => {
    const one = await laboratory();
    one.emulator.server.faults.inject({ kind: "hang" });
    const manager = one.manager();
    expect(await failure(manager.hasSecret("a", { timeoutMs: 100 }))).toMatchObject({ code: "timeout" });
    one.emulator.server.faults.heal();
    expect(await manager.hasSecret("a")).toBe(false);
  });

  test("T81: a byte now and then: the deadline is for the whole answer", async () => {
    const one = await laboratory();
    const manager = one.manager();
    await manager.registerSecret(record);
    one.emulator.server.faults.inject({ kind: "drip", everyMs: 50 });
    expect(await failure(manager.getSecret("a", { timeoutMs: 300 }))).toMatchObject({ code: "timeout", outcome: "not_applied" });
    expect(await failure(manager.replaceSecret(changed, { timeoutMs: 300 }))).toMatchObject({ code: "timeout", outcome: "not_applied" });
  });

  test("T98: an abort ends a call that is under way, of every kind, and nothing is sent after it", async () => {
    const { server, arrived } = await silent();
    const one = await laboratory({ kv_version: 2 });
    const manager = one.manager({ address: server.url });
    const calls: readonly ((signal: AbortSignal) => Promise<unknown>)[] = [
      (signal) => manager.getSecret("a", { signal }),
      (signal) => manager.registerSecret(record, { signal }),
      (signal) => manager.deleteSecret("a", { signal }),
      (signal) => Array.fromAsync(manager.listSecrets({ signal })),
    ];
    for (const run of calls) {
      const controller = new AbortController();
      const there = arrived();
      const pending = failure(run(controller.signal));
      await there;
      server.resetCounts();
      controller.abort();
      expect(await pending).toMatchObject({ code: "aborted" });
      expect(server.count()).toBe(0);
    }
  });

  test("T98: an abort and a deadline end the connection as well: the server need not go on", { timeout: 10_000 }, async () => {
    const one = await laboratory({ kv_version: 2 });
    for (const how of ["aborted", "timeout"] as const) {
      const there = Promise.withResolvers<void>();
      const gone = Promise.withResolvers<void>();
      const server = createServer((_request, response) => {
        response.on("close", gone.resolve);
        there.resolve();
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      onTestFinished(() => void server.close());
      const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const controller = new AbortController();
      const options = how === "aborted" ? { signal: controller.signal } : { timeoutMs: 200 };
      const pending = failure(one.manager({ address }).getSecret("a", options));
      await there.promise;
      controller.abort();
      expect(await pending).toMatchObject({ code: how });
      await gone.promise;
    }
  });

  test("T98: an abort ends the wait between two attempts", async () => {
    const { promise: refused, resolve } = Promise.withResolvers<void>();
    const server = await serverFor(() => {
      resolve();
      return { status: 429, headers: { "retry-after": "25", "content-type": "application/json" }, body: '{"errors":["quota"]}' };
    });
    const one = await laboratory({ kv_version: 2 });
    const controller = new AbortController();
    const pending = failure(one.manager({ address: server.url }).getSecret("a", { signal: controller.signal }));
    await refused;
    controller.abort();
    expect(await pending).toMatchObject({ code: "aborted" });
    expect(server.count()).toBe(1);
  });

  test("T98: an abort ends a login, and the listing of folders", async () => {
    const one = await laboratory({ kv_version: 2 });
    const { server, arrived } = await silent();
    const { roleId: role_id, secretId: secret_id } = one.emulator.auth.approle;
    const controller = new AbortController();
    const there = arrived();
    const login = failure(
      one.manager({ address: server.url, token: undefined, role_id, secret_id }).registerSecret(record, { signal: controller.signal }),
    );
    await there;
    controller.abort();
    expect(await login).toMatchObject({ code: "aborted" });

    for (const folder of ["a", "b", "c"]) one.mount.write(one.stored(`${folder}/x`), values);
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    const front = await frontOf(one.emulator, ({ path }) => {
      if (!path.endsWith("/b/")) return undefined;
      resolve();
      return new Promise(() => {});
    });
    const second = new AbortController();
    const listing = failure(Array.fromAsync(one.manager({ address: front.url }).listSecrets({ signal: second.signal })));
    await asked;
    second.abort();
    expect(await listing).toMatchObject({ code: "aborted" });
  });
});

/** Every write, made ready for, with what has to be there afterwards. */
const WRITES: Readonly<
  Record<string, { readonly act: (manager: SecretsManager) => Promise<unknown>; readonly versions: readonly number[] | undefined }>
> = {
  create: { act: (manager) => manager.registerSecret({ name: "new", values }), versions: [1] },
  replace: { act: (manager) => manager.replaceSecret(changed), versions: [1, 2] },
  update: { act: (manager) => manager.updateSecret("a", { values: { more: "b" } }), versions: [1, 2] },
  upsert: { act: (manager) => manager.upsertSecret({ name: "a", values: { user: "upserted" } }), versions: [1, 2] },
  delete: { act: (manager) => manager.deleteSecret("a"), versions: undefined },
};

/** What is stored after a write: of the new secret, or of the one that was there. */
function versionsOf(one: Laboratory, write: string): readonly number[] | undefined {
  return one.mount.entry(one.stored(write === "create" ? "new" : "a"))?.versions;
}

describe("answers that are lost", () => {
  for (const [kv_version, mount] of BOTH) {
    for (const [name, { act, versions }] of Object.entries(WRITES)) {
      // Version 1 has no versions: what stands there stands there once.
      const wanted = kv_version === 1 ? versions?.slice(0, 1) : versions;

      test(`T82, T83: ${name} in version ${kv_version}: carried out, then reset: a success, once`, async () => {
        const one = await laboratory({ mount, kv_version });
        const manager = one.manager();
        await manager.registerSecret(record);
        one.emulator.server.faults.inject({ kind: "reset_after_write", times: 1 });
        await act(manager);
        expect(one.emulator.server.faults.take("reset_after_write")).toBeUndefined();
        expect(versionsOf(one, name)).toEqual(wanted);
      });

      test(`${name} in version ${kv_version}: reset before it was looked at: done once all the same`, async () => {
        const one = await laboratory({ mount, kv_version });
        await one.manager().registerSecret(record);
        const front = await frontOf(one.emulator, async ({ method }, pass) =>
          method !== "GET" && front.faults.get("reset_after_write")?.times === 1 ? { status: 204, wrote: true } : pass(),
        );
        front.faults.inject({ kind: "reset_after_write", times: 1 });
        await act(one.manager({ address: front.url }));
        expect(front.faults.get("reset_after_write")?.times).toBe(0);
        expect(versionsOf(one, name)).toEqual(wanted);
      });

      test(`${name} in version ${kv_version}: where nobody can tell what became of it, the error says so`, async () => {
        for (const arrives of [true, false]) {
          const one = await laboratory({ mount, kv_version, max_retries: 0 });
          await one.manager().registerSecret(record);
          let lost = 0;
          const front = await frontOf(one.emulator, async ({ method }, pass) => {
            if (method === "GET") return lost === 0 ? pass() : { status: 503 };
            lost += 1;
            return { ...(arrives ? await pass() : { status: 204 }), wrote: true };
          });
          front.faults.inject({ kind: "reset_after_write", times: 1_000 });
          const error = await failure(act(one.manager({ address: front.url })));
          expect(error).toMatchObject({ code: "unavailable", outcome: "unknown" });
          expect(error.message).toContain("may have happened");
          expect(lost).toBe(1);
        }
      });

      test(`${name} in version ${kv_version}: lost again and again is tried twice, and not called a success`, async () => {
        const one = await laboratory({ mount, kv_version });
        await one.manager().registerSecret(record);
        let lost = 0;
        const front = await frontOf(one.emulator, ({ method }) => {
          if (method === "GET") return undefined;
          lost += 1;
          return { status: 204, wrote: true };
        });
        front.faults.inject({ kind: "reset_after_write", times: 1_000 });
        expect(await failure(act(one.manager({ address: front.url })))).toMatchObject({ code: "unavailable", outcome: "unknown" });
        expect(lost).toBe(2);
        expect(versionsOf(one, name)).toEqual(name === "create" ? undefined : [1]);
      });
    }
  }

  test("T82, T83: restore, and a soft delete: carried out, then reset: a success, once", async () => {
    const one = await laboratory({ kv_version: 2, soft_delete: true });
    const manager = one.manager();
    await manager.registerSecret(record);
    for (const act of [() => manager.deleteSecret("a"), () => manager.restoreSecret("a")]) {
      one.emulator.server.faults.inject({ kind: "reset_after_write", times: 1 });
      await act();
      expect(one.emulator.server.faults.take("reset_after_write")).toBeUndefined();
    }
    expect(one.mount.entry(one.stored("a"))?.versions).toEqual([1]);
    expect({ ...(await manager.getSecret("a")).text }).toEqual(values);
  });

  test("T83: with a marker: both writes are lost, and both have happened once", async () => {
    const one = await laboratory({ kv_version: 2, custom_metadata: true });
    one.emulator.server.faults.inject({ kind: "reset_after_write", times: 2 });
    await one.manager().registerSecret(record);
    expect(one.emulator.server.faults.take("reset_after_write")).toBeUndefined();
    expect(one.mount.entry(one.stored("a"))?.versions).toEqual([1]);
    expect(one.mount.customMetadata(one.stored("a"))).toEqual({ "managed-by": "coffer" });
  });

  test("T83: a lost write is told from that of a rival who has written since, and of one who was faster", async () => {
    for (const faster of [false, true]) {
      const one = await laboratory({ kv_version: 2 });
      const name = one.stored("a");
      const rival = (): void => void one.mount.write(name, { user: "rival" });
      const front = await frontOf(one.emulator, async ({ method }, pass) => {
        if (method === "GET") return undefined;
        const answer = faster ? undefined : await pass();
        rival();
        return { ...(answer ?? { status: 204 }), wrote: true };
      });
      front.faults.inject({ kind: "reset_after_write", times: 1 });
      const manager = one.manager({ address: front.url });
      const ended = await manager.registerSecret(record).catch((reason: unknown) => reason);
      expect(ended).toMatchObject(faster ? { code: "already_exists", outcome: "not_applied" } : { revision: "1" });
      expect(one.mount.read(name)?.data).toEqual({ user: "rival" });
    }
  });

  test("T83: a lost delete does not take what a rival has written since", async () => {
    for (const soft_delete of [false, true]) {
      const one = await laboratory({ kv_version: 2, soft_delete });
      const name = one.stored("a");
      one.mount.write(name, { user: "old" });
      const front = await frontOf(one.emulator, async ({ method }, pass) => {
        if (method === "GET") return undefined;
        const answer = await pass();
        one.mount.write(name, { user: "rival" });
        return { ...answer, wrote: true };
      });
      front.faults.inject({ kind: "reset_after_write", times: 1 });
      const manager = one.manager({ address: front.url });
      expect(await failure(manager.deleteSecret("a"))).toMatchObject({ code: "unavailable", outcome: "unknown" });
      expect(one.mount.read(name)?.data).toEqual({ user: "rival" });
    }
  });

  test("connections that the service has closed meanwhile are not taken for lost writes", async () => {
    const one = await laboratory({ kv_version: 2 });
    const manager = one.manager();
    await manager.registerSecret(record);
    for (const user of ["b", "c"]) {
      await one.emulator.server.disconnect();
      await one.emulator.server.reconnect();
      await manager.replaceSecret({ ...changed, values: { user } });
    }
    expect(one.mount.entry(one.stored("a"))?.versions).toEqual([1, 2, 3]);
  });
});

describe("several at once", () => {
  test("T84: of two updates from one version one is a conflict, and never are keys of both there", async () => {
    const one = await laboratory({ kv_version: 2 });
    const [first, second] = [one.manager(), one.manager()];
    const { revision } = await first.registerSecret(record);
    const ended = await Promise.allSettled([
      first.updateSecret("a", { values: { b: "1" }, expected: revision ?? "" }),
      second.updateSecret("a", { values: { c: "1" }, expected: revision ?? "" }),
    ]);
    expect(ended.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(ended.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "conflict", outcome: "not_applied" } });
    const winner = ended[0]?.status === "fulfilled" ? { b: "1" } : { c: "1" };
    expect(one.mount.read(one.stored("a"))).toMatchObject({ data: { ...values, ...winner }, metadata: { version: 2 } });
    expect(Object.keys(one.mount.read(one.stored("a"))?.data ?? {})).toHaveLength(2);
  });

  test("T84: without an expected version each is made on top of the other", async () => {
    const one = await laboratory({ kv_version: 2 });
    const manager = one.manager();
    await manager.registerSecret(record);
    await Promise.all(["b", "c", "d"].map((key) => one.manager().updateSecret("a", { values: { [key]: "1" } })));
    expect({ ...(await manager.getSecret("a")).text }).toEqual({ ...values, b: "1", c: "1", d: "1" });
    expect(one.mount.entry(one.stored("a"))?.versions).toEqual([1, 2, 3, 4]);
  });

  test("T84: version 1 has no versions to expect, and says so before any request", async () => {
    const one = await laboratory({ mount: "kv1", kv_version: 1 });
    const manager = one.manager();
    await manager.registerSecret(record);
    one.emulator.server.resetCounts();
    expect(await failure(manager.replaceSecret({ ...changed, expected: "1" }))).toMatchObject({ code: "unsupported" });
    expect(one.emulator.server.count()).toBe(0);
  });

  test("T99: a thousand reads of one name sign in once, and ask once what is mounted", async () => {
    const one = await laboratory();
    one.mount.write(one.stored("a"), values);
    const { roleId: role_id, secretId: secret_id } = one.emulator.auth.approle;
    const manager = one.manager({ token: undefined, role_id, secret_id });
    one.emulator.server.resetCounts();
    await Promise.all(Array.from({ length: 1_000 }, () => manager.getSecret("a")));
    for (let count = 0; count < 10; count += 1) await manager.getSecret("a");
    expect(one.emulator.auth.logins).toHaveLength(1);
    expect(one.emulator.server.count("GET mounts")).toBe(1);
    expect(one.emulator.server.count("GET lookup-self")).toBe(0);
  });
});

describe("T85: who one is, and what one may", () => {
  interface Asked {
    readonly code: string;
    readonly requests: Readonly<Record<string, number>>;
  }

  async function asked(one: Laboratory, settings: VaultSettings, before?: () => void): Promise<Asked> {
    const manager = one.manager({ kv_version: 2, ...settings });
    if (before !== undefined) await manager.hasSecret("a");
    before?.();
    one.emulator.server.resetCounts();
    const error = await failure(manager.getSecret("a"));
    const shown = `${error.message} ${error.hint ?? ""} ${JSON.stringify(error)}`;
    const tokens = [settings.token, one.token, ...one.emulator.auth.logins.map((login) => login.token)];
    expect(tokens.filter((token) => token !== undefined && shown.includes(token))).toEqual([]);
    expect(error.hint).toMatch(error.code === "unauthenticated" ? /vault login|credentials/ : /capabilities/);
    return { code: error.code, requests: Object.fromEntries(one.emulator.server.requests) };
  }

  test("T85: a token: revoked is asked about once, and not tried again; not allowed is something else", async () => {
    const one = await laboratory();
    const { auth } = one.emulator;
    const token = auth.issue();
    // The newer words of Vault tell it themselves.
    expect(await asked(one, { token }, () => auth.revoke(token))).toEqual({ code: "unauthenticated", requests: { "GET data": 1 } });
    const denied = auth.issue({ policy: "deny" });
    expect(await asked(one, { token: denied })).toEqual({ code: "permission_denied", requests: { "GET data": 1, "GET lookup-self": 1 } });
    const bao = await laboratory({}, { product: "openbao" });
    const other = bao.emulator.auth.issue();
    expect(await asked(bao, { token: other }, () => bao.emulator.auth.revoke(other))).toEqual({
      code: "unauthenticated",
      requests: { "GET data": 1, "GET lookup-self": 1 },
    });
  });

  test("T85: a login: a token that is no longer taken is replaced once, and a login that is refused is not tried again", async () => {
    for (const product of ["vault", "openbao"] as const) {
      const one = await laboratory({}, { product });
      const { auth, server } = one.emulator;
      const { roleId: role_id, secretId: secret_id } = auth.approle;
      const login = { token: undefined, role_id, secret_id };
      const manager = one.manager({ kv_version: 2, ...login });
      await manager.registerSecret(record);
      auth.revoke(auth.logins.at(-1)?.token ?? "");
      await manager.replaceSecret(changed);
      expect(auth.logins).toHaveLength(2);
      expect(one.mount.entry(one.stored("a"))?.versions).toEqual([1, 2]);
      const refused = await asked(one, login, () => server.faults.inject({ kind: "unauthenticated" }));
      expect(refused.code).toBe("unauthenticated");
      expect(refused.requests["GET data"]).toBe(1);
      expect(refused.requests["POST login"]).toBe(1);
    }
  });
});

describe("deleted and not deleted", () => {
  test("T88: one of ten that cannot be deleted is told, and the next time completes it", async () => {
    for (const [kv_version, mount] of BOTH) {
      const one = await laboratory({ mount, kv_version });
      const manager = one.manager();
      for (let index = 0; index < 10; index += 1) one.mount.write(one.stored(`n${index}`), values);
      one.emulator.server.faults.inject({ kind: "deny", name: one.stored("n4") });
      expect(await failure(manager.deleteAllSecrets())).toMatchObject({
        code: "permission_denied",
        secretName: "n4",
        message: expect.stringMatching(/^9 secrets were deleted, 1 is left/) as unknown,
      });
      expect(one.mount.keys()).toEqual([one.stored("n4")]);
      one.emulator.server.faults.heal();
      expect(await manager.deleteAllSecrets()).toEqual({ deleted: 1 });
    }
  });

  test("T89: a name that another tool has deleted softly is reserved, and each way out works", async () => {
    const later = { user: "later" };
    const one = await laboratory({ soft_delete: true });
    const manager = one.manager();
    for (const wayOut of [
      async () => {
        await manager.restoreSecret("a");
        expect({ ...(await manager.getSecret("a")).text }).toEqual(values);
        await manager.replaceSecret({ name: "a", schema: "arbitrary", values: later });
      },
      () => manager.registerSecret({ name: "a", values: later }, { onDeleted: "restore" }),
      async () => {
        await manager.deleteSecret("a", { immediate: true });
        await manager.registerSecret({ name: "a", values: later });
      },
    ]) {
      await manager.registerSecret(record);
      one.mount.softDelete(one.stored("a"));
      expect(await manager.hasSecret("a")).toBe(false);
      expect(await failure(manager.deleteSecret("a"))).toMatchObject({ code: "not_found" });
      expect(await failure(manager.registerSecret({ name: "a", values: later }))).toMatchObject({
        code: "recently_deleted",
        outcome: "not_applied",
        hint: expect.stringMatching(/Restore.*onDeleted.*immediate/) as unknown,
      });
      await wayOut();
      expect({ ...(await manager.getSecret("a")).text }).toEqual(later);
      await manager.deleteSecret("a", { immediate: true });
      expect(one.mount.keys()).toEqual([]);
    }
  });

  test("T91: a version that was deleted or destroyed is not there, wherever it is asked for", async () => {
    const one = await laboratory();
    const manager = one.manager();
    for (const take of [() => one.mount.softDelete(one.stored("a")), () => one.mount.destroy(one.stored("a"), [1])]) {
      await manager.registerSecret(record);
      take();
      expect(await manager.hasSecret("a")).toBe(false);
      for (const run of [
        () => manager.getSecret("a"),
        () => manager.updateSecret("a", { values: { b: "c" } }),
        () => manager.replaceSecret(changed),
        () => Array.fromAsync(manager.history("a")),
        () => manager.renameSecret("a", "b"),
      ])
        expect(await failure(run())).toMatchObject({ code: "not_found" });
      expect(await Array.fromAsync(manager.getSecrets(["a"]))).toMatchObject([{ name: "a", error: { code: "not_found" } }]);
      await manager.deleteSecret("a", { immediate: true });
    }
  });

  test("T91: an older version that was destroyed cannot be rolled back to, and the newest stays", async () => {
    const one = await laboratory();
    const manager = one.manager();
    const { revision } = await manager.registerSecret(record);
    await manager.replaceSecret(changed);
    one.mount.destroy(one.stored("a"), [1]);
    expect((await Array.fromAsync(manager.history("a"))).map((each) => each.revision)).toEqual(["2"]);
    expect(await failure(manager.rollbackSecret("a", revision ?? ""))).toMatchObject({ code: "not_found" });
    expect((await manager.getSecret("a")).text["user"]).toBe("changed");
  });
});

describe("reads after writes", () => {
  test("T90: a standby that is behind says so, and is asked again, with the index of the last write", async () => {
    for (const [kv_version, mount] of BOTH) {
      const one = await laboratory({ mount, kv_version });
      const indexes: unknown[] = [];
      const front = await frontOf(one.emulator, async ({ method, headers }, pass) => {
        if (method === "GET") indexes.push(headers["x-vault-index"]);
        const answer = await pass();
        return method === "GET" ? answer : { ...answer, headers: { ...answer.headers, "x-vault-index": "index-of-the-write" } };
      });
      const manager = one.manager({ address: front.url, max_retries: 2 });
      await manager.registerSecret(record);
      indexes.length = 0;
      one.emulator.behind = 2;
      expect({ ...(await manager.getSecret("a")).text }).toEqual(values);
      expect(indexes).toEqual(["index-of-the-write", "index-of-the-write", "index-of-the-write"]);
      one.emulator.behind = 1_000;
      one.emulator.server.resetCounts();
      expect(await failure(manager.getSecret("a"))).toMatchObject({ code: "unavailable", retryable: true });
      expect(await failure(Array.fromAsync(manager.listSecrets()))).toMatchObject({ code: "unavailable" });
      expect(one.emulator.server.count()).toBe(6);
    }
  });

  test("T90: a read that came too late changes nothing that was written since", async () => {
    const one = await laboratory({ kv_version: 2 });
    const manager = one.manager();
    await manager.registerSecret(record);
    await manager.replaceSecret(changed);
    one.emulator.staleReads = 2;
    await manager.updateSecret("a", { values: { more: "b" } });
    expect(one.emulator.staleReads).toBe(0);
    expect(one.mount.read(one.stored("a"))).toMatchObject({ data: { user: "changed", more: "b" }, metadata: { version: 3 } });
  });
});

describe("limits", () => {
  test("T92: a secret as large as it may be is stored, one byte more is refused before it is sent", async () => {
    const frame = JSON.stringify({ text: "" }).length;
    for (const [kv_version, mount] of BOTH) {
      const one = await laboratory({ mount, kv_version });
      const limit = one.driver.capabilities.maxValueBytes ?? 0;
      expect(limit).toBeGreaterThan(1_000_000);
      const manager = one.manager();
      const largest = "é".repeat((limit - frame) / 2) + "v".repeat((limit - frame) % 2);
      await manager.registerSecret({ name: "at", values: { text: largest } });
      expect((await manager.getSecret("at")).text["text"]).toBe(largest);
      one.emulator.server.resetCounts();
      for (const over of [`${largest}v`, "v".repeat(limit + 1 - frame)])
        for (const run of [
          () => manager.registerSecret({ name: "over", values: { text: over } }),
          () => manager.replaceSecret({ name: "at", schema: "arbitrary", values: { text: over } }),
        ]) {
          const error = await failure(run());
          expect(error).toMatchObject({ code: "too_large", outcome: "not_applied" });
          expect(error.message).toContain(String(limit));
        }
      expect(one.emulator.server.count()).toBe(0);
    }
  });

  test("T92: a storage that takes less says so, and nothing was written", async () => {
    const one = await laboratory({ kv_version: 2 });
    const front = await frontOf(one.emulator, ({ method, body }) =>
      method !== "GET" && body.length > 512 * 1024
        ? { status: 413, headers: { "content-type": "application/json" }, body: '{"errors":["request too large"]}' }
        : undefined,
    );
    const error = await failure(one.manager({ address: front.url }).registerSecret({ name: "a", values: { text: "v".repeat(600_000) } }));
    expect(error).toMatchObject({ code: "too_large", outcome: "not_applied" });
    expect(one.mount.keys()).toEqual([]);
  });
});

describe("T97: no connection", () => {
  test.each([
    ["refused", { address: "http://127.0.0.1:9" }],
    ["no such host", { address: "https://no-such-host.invalid" }],
    ["IPv6 only", { address: "http://[::1]:9" }],
  ])("T97: %s: one line, nothing has happened, and the host is named", async (_what, settings) => {
    const one = await laboratory({ kv_version: 2 });
    const error = await failure(one.manager(settings).registerSecret(record));
    expect(error).toMatchObject({ code: "unavailable", retryable: true, outcome: "not_applied" });
    expect(error.message).toContain(new URL(settings.address).host);
    expect(error.message).not.toContain("\n");
  });

  test("T97: reset again and again: a read is tried max_retries times more, and no storm", async () => {
    const one = await laboratory({ kv_version: 2 });
    for (const max_retries of [0, 3]) {
      const manager = one.manager({ max_retries });
      one.emulator.server.resetCounts();
      one.emulator.server.faults.inject({ kind: "reset_before", times: 1_000 });
      expect(await failure(manager.getSecret("a"))).toMatchObject({ code: "unavailable", outcome: "not_applied" });
      expect(one.emulator.server.count()).toBe(max_retries + 1);
    }
  });

  test("a server that comes back is used again, by the same manager", async () => {
    const one = await laboratory();
    const manager = one.manager();
    await one.emulator.server.disconnect();
    expect(await failure(manager.getSecret("a"))).toMatchObject({ code: "unavailable" });
    await one.emulator.server.reconnect();
    await manager.registerSecret(record);
    one.emulator.sealed = true;
    expect(await failure(manager.registerSecret({ name: "b", values }))).toMatchObject({ code: "unavailable", outcome: "not_applied" });
    one.emulator.sealed = false;
    expect(await manager.hasSecret("b")).toBe(false);
  });
});
