import { createSecretsManager, isPortableName } from "@coffer/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { azure } from "../src/index.ts";
import { isAskedFor, listedName, readMarker, writeMarker } from "../src/marker.ts";
import { nameFromService, serviceName } from "../src/names.ts";
import { openAzure } from "./subject.ts";

const CHARACTERS = "abcxXYZ019_.@+=-/h";
const name = fc
  .oneof(
    fc.string({ unit: fc.constantFrom(...CHARACTERS), minLength: 1, maxLength: 200 }),
    // What an escaped and what a hashed name looks like.
    fc
      .tuple(
        fc.string({ unit: fc.constantFrom("a", "-"), minLength: 40, maxLength: 40 }),
        fc.string({ unit: fc.constantFrom(..."0123456789abcdefAF"), minLength: 32, maxLength: 32 }),
      )
      .map(([head, tail]) => `${head}-h${tail}`),
    fc.string({ unit: fc.constantFrom("-x2f", "-x2d", "-X2f", "a", "/"), minLength: 1, maxLength: 20 }),
  )
  .filter(isPortableName);
const scope = fc.constantFrom("coffer/global/", "coffer/namespace/team-a/", `coffer/namespace/${"n".repeat(200)}/`, "");

describe("names", () => {
  test("67, T60: every name becomes one of the vault, and comes back from it or from its tags", () => {
    fc.assert(
      fc.property(scope, name, (prefix, own) => {
        const full = prefix + own;
        const inVault = serviceName(full, "global");
        expect(inVault).toMatch(/^[0-9A-Za-z-]{1,127}$/);
        const tags = writeMarker(full, { values: {} }, { operationId: "id", before: undefined });
        for (const value of Object.values(tags)) expect(value.length).toBeLessThanOrEqual(256);
        expect(listedName(inVault, "global", readMarker(tags))).toBe(full);
        expect([full, undefined]).toContain(nameFromService(inVault));
      }),
      { numRuns: 2_000 },
    );
  });

  test("T60: two names that differ in more than case never meet in the vault, whatever case it keeps", () => {
    fc.assert(
      fc.property(scope, name, name, (prefix, one, other) => {
        fc.pre(one.toLowerCase() !== other.toLowerCase());
        expect(serviceName(prefix + one, "global").toLowerCase()).not.toBe(serviceName(prefix + other, "global").toLowerCase());
      }),
      { numRuns: 5_000 },
    );
  });

  test("T60: case twins meet in the vault also where the name is a hash, and the marker tells them apart", () => {
    fc.assert(
      fc.property(scope, name, (prefix, own) => {
        const [one, twin] = [prefix + own, prefix + own.toUpperCase()];
        fc.pre(one !== twin && serviceName(one, "global").length === serviceName(twin, "global").length);
        expect(serviceName(one, "global").toLowerCase()).toBe(serviceName(twin, "global").toLowerCase());
        const marker = readMarker(writeMarker(one, { values: {} }, { operationId: "id", before: undefined }));
        expect([isAskedFor(one, "global", marker), isAskedFor(twin, "global", marker)]).toEqual([true, false]);
      }),
    );
  });

  test("ordinary names stay as they are; T60: a_b and a-b are two", () => {
    expect(serviceName("warehouse-2", "global")).toBe("warehouse-2");
    expect(serviceName("coffer/global/warehouse", "global")).toBe("coffer-x2fglobal-x2fwarehouse");
    expect(serviceName("a_b", "global")).toBe("a-x5fb");
    expect(serviceName("a-b", "global")).toBe("a-b");
    expect(serviceName("a-xb", "global")).toBe("a-x2dxb");
  });

  test("T46, T48, T49, T50: what no name can be is refused before any request", async () => {
    const { settings, emulator, driver, dispose } = await openAzure();
    const manager = createSecretsManager(azure, settings);
    const own = createSecretsManager(azure, settings, { scope: "none" });
    const refused = [
      "../x",
      "a/../../b",
      "/etc/x",
      ".",
      "..",
      "",
      "a\0b",
      "a\nb",
      "a\rb",
      "x y",
      "-rf",
      "--help",
      "é",
      "e\u0301",
      "＠",
      "a?b",
      "a%2e%2e",
      "a#b",
      "a;b",
      "n".repeat(201),
    ];
    for (const each of refused) {
      await expect(manager.registerSecret({ name: each, values: { a: "b" } }), each).rejects.toMatchObject({ code: "invalid_name" });
      await expect(manager.getSecret(each), each).rejects.toMatchObject({ code: "invalid_name" });
    }
    for (const each of ["a_b", "a/b", "a.b", "versions?x", "é", "n".repeat(128), "a/versions"])
      await expect(own.getSecret(each), each).rejects.toMatchObject({ code: "invalid_name" });
    expect(emulator.server.count()).toBe(0);
    await driver.close?.();
    await dispose?.();
  });

  test("T59: a case twin is refused also below a path that is hashed, and in scope none", async () => {
    const { settings, dispose } = await openAzure();
    for (const options of [{ scope: "namespace", namespace: "n".repeat(150) }, { scope: "none" }] as const) {
      const manager = createSecretsManager(azure, settings, options);
      await manager.registerSecret({ name: "Api", values: { a: "first" } });
      await expect(manager.registerSecret({ name: "api", values: { a: "second" } })).rejects.toMatchObject({ code: "already_exists" });
      await expect(manager.getSecret("api")).rejects.toMatchObject({ code: "not_found" });
      await expect(manager.deleteSecret("api")).rejects.toMatchObject({ code: "not_found" });
      await expect(manager.renameSecret("Api", "api")).rejects.toMatchObject({ code: "already_exists" });
      expect((await manager.getSecret("Api")).text["a"]).toBe("first");
      await manager.deleteSecret("Api");
      await expect(manager.restoreSecret("api")).rejects.toMatchObject({ code: "not_found" });
      await manager.restoreSecret("Api");
      await manager.deleteSecret("Api", { immediate: true });
      await manager.close();
    }
    await dispose?.();
  });
});
