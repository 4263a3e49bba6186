import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { SecretsError } from "../errors/secrets-error.ts";
import { Secret } from "../secret/secret.ts";
import { textValues } from "../secret/values.ts";
import { SecretCache } from "./cache.ts";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

const secret = (text: string) =>
  new Secret(
    {
      name: "db",
      schema: { type: "arbitrary", installed: true, package: null },
      revision: null,
      createdAt: null,
      updatedAt: null,
      managed: null,
      encoding: null,
    },
    textValues([["a", text]]),
  );

test("a thousand reads at once are one request, and the answer is kept for its time", async () => {
  const cache = new SecretCache({ ttlMs: 50 });
  let requests = 0;
  const read = async () => {
    requests += 1;
    await delay(5);
    return secret("1");
  };
  await Promise.all(Array.from({ length: 1000 }, async () => cache.get("db", undefined, read)));
  expect(requests).toBe(1);
  await cache.get("db", undefined, read);
  expect(requests).toBe(1);
  await delay(60);
  await cache.get("db", undefined, read);
  expect(requests).toBe(2);
});

test("not there is remembered only for its own time", async () => {
  let requests = 0;
  const read = async () => {
    requests += 1;
    return undefined;
  };
  const off = new SecretCache({ ttlMs: 1000 });
  await off.get("db", undefined, read);
  await off.get("db", undefined, read);
  expect(requests).toBe(2);
  const on = new SecretCache({ ttlMs: 1000, notFoundTtlMs: 1000 });
  await on.get("db", undefined, read);
  await on.get("db", undefined, read);
  expect(requests).toBe(3);
});

test("when the service is down, what was read is served up to the maximum age and not beyond; a refusal is never papered over", async () => {
  const cache = new SecretCache({ ttlMs: 1, staleIfErrorMs: 120 });
  await cache.get("db", undefined, async () => secret("old"));
  await delay(5);
  const down = async () => Promise.reject(new SecretsError("unavailable", "down"));
  expect((await cache.get("db", undefined, down))?.text["a"]).toBe("old");
  await expect(cache.get("db", undefined, async () => Promise.reject(new SecretsError("permission_denied", "no")))).rejects.toMatchObject({
    code: "permission_denied",
  });
  await delay(130);
  await expect(cache.get("db", undefined, down)).rejects.toMatchObject({ code: "unavailable" });
});

test("a read that began before a write is not kept after it", async () => {
  const cache = new SecretCache({ ttlMs: 1000 });
  const before = cache.get("db", undefined, async () => {
    await delay(20);
    return secret("old");
  });
  cache.forget("db");
  await before;
  expect((await cache.get("db", undefined, async () => secret("new")))?.text["a"]).toBe("new");
});

test("a read that began before a write is not kept after it, also when another has begun since", async () => {
  const cache = new SecretCache({ ttlMs: 1000 });
  const answers: ((text: string) => void)[] = [];
  const read = async () => new Promise<Secret<unknown>>((resolve) => answers.push((text) => resolve(secret(text))));
  const old = cache.get("db", undefined, read);
  cache.forget("db");
  const renewed = cache.get("db", undefined, read);
  answers[1]?.("new");
  await renewed;
  answers[0]?.("old");
  expect((await old)?.text["a"]).toBe("old");
  expect(cache.fresh("db", undefined)?.text["a"]).toBe("new");
});

test("what the service was asked for in any case is what is known from then on, and no earlier read answers for it", async () => {
  const cache = new SecretCache({ ttlMs: 1000 });
  let late = (_secret: Secret<unknown>): void => {};
  const earlier = cache.get("db", undefined, async () => new Promise<Secret<unknown>>((resolve) => (late = resolve)));
  expect((await cache.get("db", undefined, async () => secret("now"), { ask: true }))?.text["a"]).toBe("now");
  late(secret("before"));
  await earlier;
  expect(cache.fresh("db", undefined)?.text["a"]).toBe("now");
});

test("what is too old to be handed out is not kept", async () => {
  const cache = new SecretCache({ ttlMs: 5 });
  const collected = new FinalizationRegistry<string>((name) => gone.add(name));
  const gone = new Set<string>();
  for (let index = 0; index < 50; index += 1) {
    await cache.get(`db-${index}`, undefined, async () => {
      const read = secret("1");
      collected.register(read, `db-${index}`);
      return read;
    });
  }
  await delay(10);
  await cache.get("other", undefined, async () => secret("2"));
  for (let attempt = 0; attempt < 50 && gone.size < 40; attempt += 1) {
    gc();
    await delay(5);
  }
  expect(gone.size).toBeGreaterThanOrEqual(40);
});

test("when nobody waits for a read any more its signal aborts, and the next caller gets one of his own", async () => {
  const cache = new SecretCache({ ttlMs: 1000 });
  const signals: AbortSignal[] = [];
  const hang = async (signal: AbortSignal) => {
    signals.push(signal);
    return new Promise<never>(() => {});
  };
  const giveUp = async (answer: () => Promise<unknown>) => {
    void answer();
    return Promise.reject(new SecretsError("aborted", "given up"));
  };
  const both = await Promise.allSettled([
    cache.get("db", undefined, hang, { wait: giveUp }),
    cache.get("db", undefined, hang, { wait: giveUp }),
  ]);
  expect([both.map(({ status }) => status), signals.map(({ aborted }) => aborted)]).toEqual([["rejected", "rejected"], [true]]);
  expect((await cache.get("db", undefined, async () => secret("1")))?.text["a"]).toBe("1");
});
