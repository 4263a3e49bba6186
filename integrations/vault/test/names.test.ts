import { createSecretsManager, isPortableName } from "@coffer/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { vault } from "../src/index.ts";
import { encodePath, secretName, secretPath } from "../src/names.ts";
import { openVault } from "./subject.ts";

const name = fc
  .oneof(
    fc.string({ unit: fc.constantFrom(..."abcxXYZ019_.@+=-/"), minLength: 1, maxLength: 200 }),
    // What the two escapes of version 1 are made of.
    fc.string({ unit: fc.constantFrom("..", ".", "=2e", "=3d", "=", "2e", "3d", "a", "/"), minLength: 1, maxLength: 20 }),
  )
  .filter(isPortableName);
const scope = fc.constantFrom("coffer/global/", "coffer/namespace/team-a/", "");

describe("names", () => {
  test("T60: with version 2 a name is its own path; T48: in the URL every segment stays one", () => {
    fc.assert(
      fc.property(scope, name, (prefix, own) => {
        const full = prefix + own;
        expect(secretPath(full, "global", 2)).toBe(full);
        expect(secretName(full, "global", 2)).toBe(full);
        const url = new URL(`http://127.0.0.1/v1/secret/data/${encodePath(full)}`);
        expect(decodeURIComponent(url.pathname)).toBe(`/v1/secret/data/${full}`);
        expect(url.search + url.hash).toBe("");
      }),
      { numRuns: 2_000 },
    );
  });

  test("T60: with version 1 every name becomes a path without two dots in a row, and comes back from it", () => {
    fc.assert(
      fc.property(scope, name, (prefix, own) => {
        const path = secretPath(prefix + own, "global", 1);
        expect(path).not.toContain("..");
        expect(path).toMatch(/^[A-Za-z0-9_.@+=/-]+$/);
        expect(secretName(path, "global", 1)).toBe(prefix + own);
      }),
      { numRuns: 5_000 },
    );
  });

  test("T60: two names never meet in version 1, and a path that no name becomes is nobody's", () => {
    fc.assert(
      fc.property(name, name, (one, other) => {
        fc.pre(one !== other);
        expect(secretPath(one, "global", 1)).not.toBe(secretPath(other, "global", 1));
      }),
      { numRuns: 5_000 },
    );
    expect(secretName("a=2eb", "global", 1)).toBeUndefined();
    expect(secretPath("warehouse.2=x", "global", 1)).toBe("warehouse.2=x");
    for (const version of [1, 2] as const) expect(secretPath("a..b/=2e", "none", version)).toBe("a..b/=2e");
  });

  test("T46, T48, T49, T50: what no name can be is refused before any request, in scope none too", async () => {
    const { settings, emulator, driver, dispose } = await openVault({ kv_version: 2 });
    const own = createSecretsManager(vault, settings);
    const theirs = createSecretsManager(vault, settings, { scope: "none" });
    const never = ["", ".", "..", "a/../b", "../../sys/mounts", "a//b", "/a", "a/", "a\0b", "a\nb", "a\rb", "\ud800"];
    const notPortable = ["a?list=true", "a#b", "a;b", "a%2e%2e%2fb", "naïve", "ﬁ", "a b", "-rf", "＠", "x".repeat(201)];
    for (const refused of [...never, ...notPortable]) {
      const managers = never.includes(refused) ? [own, theirs] : [own];
      for (const manager of managers)
        for (const call of [() => manager.getSecret(refused), () => manager.registerSecret({ name: refused, values: { a: "b" } })])
          await expect(call(), JSON.stringify(refused)).rejects.toMatchObject({ code: "invalid_name" });
    }
    expect(emulator.server.count()).toBe(0);
    await driver.close?.();
    await dispose?.();
  });

  test("T48: in scope none what looks like the syntax of a URL is data: one segment, below the mount", async () => {
    const { settings, emulator, driver, dispose } = await openVault({ kv_version: 2 });
    const manager = createSecretsManager(vault, settings, { scope: "none" });
    const names = ["a?list=true", "a%2e%2e%2fb", "a#b", "a;b", "a b", "ünïcode", "sys/health/x", "&#x2F;x", "100%"];
    for (const each of names) {
      await manager.registerSecret({ name: each, values: { of: each } });
      expect((await manager.getSecret(each)).text["of"]).toBe(each);
    }
    expect(emulator.kv().keys().toSorted()).toEqual(names.toSorted());
    for (const { path } of emulator.seen) expect(path).toMatch(/^\/v1\/secret\/data\/[^?#;]+$/);
    expect((await Array.fromAsync(manager.listSecrets())).map((info) => info.name).toSorted()).toEqual(names.toSorted());
    await manager.close();
    await driver.close?.();
    await dispose?.();
  });

  test("T59: names that differ in case alone are two secrets", async () => {
    const { settings, driver, dispose } = await openVault();
    const manager = createSecretsManager(vault, settings);
    await manager.registerSecret({ name: "Api", values: { a: "first" } });
    await manager.registerSecret({ name: "api", values: { a: "second" } });
    expect((await manager.getSecret("Api")).text["a"]).toBe("first");
    await manager.close();
    await driver.close?.();
    await dispose?.();
  });
});
