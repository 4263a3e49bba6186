import { expect, test } from "vitest";
import { z } from "zod";
import { createSecretsManager, defineFlavor, DriverError, type SecretRecord, SecretsError, type SecretsManagerDriver } from "../index.ts";
import { mysql } from "../schemas.ts";

// The smallest driver that keeps its promises, so that the manager's own tests need nothing but core.
function mapFlavor(
  secrets = new Map<string, { record: SecretRecord; revision: number }>(),
  change: (driver: SecretsManagerDriver) => Partial<SecretsManagerDriver> = () => ({}),
) {
  return defineFlavor({
    name: "map",
    settings: z.strictObject({}),
    open: async () => {
      const driver = mapDriver(secrets);
      return { ...driver, ...change(driver) };
    },
  });
}

// Every create happens, and none is answered.
function losingAnswers(secrets: Map<string, { record: SecretRecord; revision: number }>) {
  return mapFlavor(secrets, (driver) => ({
    create: async (name, record, options) => {
      await driver.create(name, record, options);
      throw new DriverError("unavailable", undefined, { outcome: "unknown" });
    },
  }));
}

function mapDriver(secrets: Map<string, { record: SecretRecord; revision: number }>): SecretsManagerDriver {
  return {
    capabilities: {
      writable: true,
      atomicCreate: true,
      compareAndSwap: "atomic",
      revisions: false,
      restore: false,
      marker: "atomic",
      listMetadata: true,
      listing: "strong",
      readAfterWrite: "strong",
      maxValueBytes: null,
      caseSensitive: true,
      batchSize: 1,
      maxInFlight: 4,
    },
    read: async (name) => {
      const found = secrets.get(name);
      return found && { state: "value", record: found.record, revision: String(found.revision), managed: true };
    },
    create: async (name, record) => {
      if (secrets.has(name)) throw new Error("taken");
      secrets.set(name, { record, revision: 1 });
      return "1";
    },
    replace: async (name, record, { expected }) => {
      const found = secrets.get(name);
      if (found === undefined) throw new Error("missing");
      if (expected !== undefined && expected !== String(found.revision)) throw new Error("changed");
      secrets.set(name, { record, revision: found.revision + 1 });
      return String(found.revision + 1);
    },
    delete: async (name) => {
      if (!secrets.delete(name)) throw new Error("missing");
    },
    list: async function* ({ prefix }) {
      for (const [name, { record }] of secrets) if (name.startsWith(prefix)) yield { name, schema: record.schema ?? null, managed: true };
    },
    classify: (error) => {
      const text = error instanceof Error ? error.message : "";
      const code = text === "taken" ? "already_exists" : text === "missing" ? "not_found" : text === "changed" ? "conflict" : "unknown";
      return { code, retryable: code === "conflict", outcome: "not_applied" };
    },
  };
}

test("a typed secret is registered, read, updated, listed and deleted", async () => {
  await using manager = createSecretsManager(mapFlavor(), {});
  await manager.registerSecret({
    name: "db",
    schema: mysql,
    values: { user: "etl", password: "s3cret-pw", ssl_verify_server_cert: "yes" },
  });
  const secret = await manager.getSecret("db", mysql);
  expect(secret.content.ssl_verify_server_cert).toBe(true);
  expect(secret.content.user).toBe("etl");
  expect(String(secret)).toBe("[secret db: 3 keys]");
  await manager.updateSecret("db", { values: { user: "other" }, removeKeys: ["ssl_verify_server_cert"] });
  expect({ ...(await manager.getSecret("db")).content }).toEqual({ user: "other", password: "s3cret-pw", ssl_verify_server_cert: false });
  expect(await Array.fromAsync(manager.listSecrets())).toMatchObject([{ name: "db", schema: "mysql" }]);
  await manager.deleteSecret("db");
  await expect(manager.getSecret("db")).rejects.toMatchObject({ code: "not_found", operation: "getSecret", secretName: "db" });
});

test("everything that is wrong with the values is reported at once, without a value", async () => {
  await using manager = createSecretsManager(mapFlavor(), {});
  const canary = "canary-7f3a9d";
  const failure = await manager
    // @ts-expect-error: what the compiler would refuse is the test
    .registerSecret({ name: "db", schema: "mysql", values: { usr: canary, ssl_verify_server_cert: canary } })
    .catch((error: unknown) => error);
  expect(SecretsError.isInstance(failure) && failure.code).toBe("schema_violation");
  expect(failure).toMatchObject({ keys: ["usr", "ssl_verify_server_cert"] });
  expect(String(failure)).toContain("ssl_verify_server_cert: expected true or false");
  expect(String(failure)).not.toContain("canary");
});

test("twenty updates of different keys at once all count (T69)", async () => {
  await using manager = createSecretsManager(mapFlavor(), {});
  await manager.registerSecret({ name: "shared", values: { start: "1" } });
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => manager.updateSecret("shared", { values: { [`key_${index}`]: String(index) } })),
  );
  expect((await manager.getSecret("shared")).keys()).toHaveLength(21);
});

test("what is known of a secret is forgotten after a write that failed, too", async () => {
  const secrets = new Map<string, { record: SecretRecord; revision: number }>();
  const manager = createSecretsManager(losingAnswers(secrets), {}, { cache: { ttlMs: 60_000, notFoundTtlMs: 60_000 } });
  await expect(manager.getSecret("db")).rejects.toMatchObject({ code: "not_found" });
  await expect(manager.registerSecret({ name: "db", values: { a: "1" } })).rejects.toMatchObject({ outcome: "unknown" });
  expect((await manager.getSecret("db")).get("a")).toBe("1");
});

test("a fresh read is what the cache knows from then on", async () => {
  const secrets = new Map<string, { record: SecretRecord; revision: number }>();
  const [here, elsewhere] = [
    createSecretsManager(mapFlavor(secrets), {}, { cache: { ttlMs: 60_000 } }),
    createSecretsManager(mapFlavor(secrets), {}),
  ];
  await here.registerSecret({ name: "db", values: { a: "1" } });
  await here.getSecret("db");
  await elsewhere.updateSecret("db", { values: { a: "2" } });
  expect((await here.getSecret("db")).get("a")).toBe("1");
  expect((await here.getSecret("db", { fresh: true })).get("a")).toBe("2");
  expect((await here.getSecret("db")).get("a")).toBe("2");
});

test("a service that is too slow is answered for by what was read, up to its age", async () => {
  const secrets = new Map<string, { record: SecretRecord; revision: number }>();
  let slow = false;
  const flavor = mapFlavor(secrets, (driver) => ({
    read: async (name, options) => (slow ? new Promise<never>(() => {}) : driver.read(name, options)),
  }));
  const manager = createSecretsManager(flavor, {}, { cache: { ttlMs: 1, staleIfErrorMs: 60_000 }, timeoutMs: 40 });
  await manager.registerSecret({ name: "db", values: { a: "1" } });
  await manager.getSecret("db");
  slow = true;
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect((await manager.getSecret("db")).get("a")).toBe("1");
});

test("a conflict that no other writer has made is told at once, not repeated until the time is over", async () => {
  let attempts = 0;
  const flavor = mapFlavor(new Map(), () => ({
    replace: async () => {
      attempts += 1;
      return Promise.reject(new DriverError("conflict"));
    },
  }));
  const manager = createSecretsManager(flavor, {});
  await manager.registerSecret({ name: "db", values: { a: "1" } });
  await expect(manager.updateSecret("db", { values: { a: "2" } })).rejects.toMatchObject({ code: "conflict", operation: "updateSecret" });
  expect(attempts).toBeLessThan(10);
});

test("a service that neither finds a name nor gives it away ends an upsert, and its error says upsertSecret", async () => {
  let attempts = 0;
  const flavor = mapFlavor(new Map(), () => ({
    create: async () => {
      attempts += 1;
      return Promise.reject(new DriverError("already_exists"));
    },
  }));
  const failure = createSecretsManager(flavor, {}).upsertSecret({ name: "db", schema: "arbitrary", values: { a: "1" } });
  await expect(failure).rejects.toMatchObject({ code: "already_exists", operation: "upsertSecret" });
  expect(attempts).toBeLessThan(20);
});

test("a copy says what stays behind: older revisions, and that a value was bytes", async () => {
  const bytes = mapFlavor(new Map(), (driver) => ({
    capabilities: { ...driver.capabilities, revisions: true },
    read: async () => ({ state: "value", record: { values: { value: "/wA=" } }, encoding: "base64", managed: false }),
  }));
  const manager = createSecretsManager(bytes, {});
  expect((await manager.copySecret("from", "to")).lost).toEqual([
    "older revisions, if any",
    "the bytes, which are stored as their base64 text",
  ]);
  await expect(manager.rollbackSecret("from", "1")).rejects.toMatchObject({ code: "unsupported" });
});
