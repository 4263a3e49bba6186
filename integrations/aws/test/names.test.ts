import { defineSecretSchema, isPortableName } from "@coffer/core";
import { assert, constantFrom, nat, pre, property, string, tuple } from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { markedName, markerTags } from "../src/marker.ts";
import { decodeName, encodeName, encodePrefix, isShortened } from "../src/names.ts";
import { isOurs, isRevision, newRevision, schemaOf } from "../src/revisions.ts";
import { collect, failure, onEmulator } from "./laboratory.ts";

const SERVICE_NAME = /^[A-Za-z0-9/_+=.@-]{1,512}$/;
const portable = string({ unit: constantFrom(..."abcXYZ019_.@+=-/=-=-"), minLength: 1, maxLength: 200 }).filter((name) =>
  isPortableName(name),
);
// Where names have to be shortened: many escapes behind a long namespace.
const scope = constantFrom(
  "coffer/global/",
  "coffer/namespace/team-a/",
  `coffer/namespace/${"=".repeat(150)}/`,
  `coffer/namespace/${"n".repeat(199)}=/`,
);
const fullName = tuple(scope, portable).map(([path, name]) => path + name);
const manyNames = { numRuns: 2000 };

describe("names", () => {
  test("T60 every name becomes a name of the service, and comes back, through the marker where it had to be shortened", () => {
    assert(
      property(fullName, (name) => {
        const stored = encodeName(name);
        expect(stored).toMatch(SERVICE_NAME);
        expect(decodeName(stored, markedName(markerTags(name, stored)))).toBe(name);
        for (const { Key, Value } of markerTags(name, stored)) expect(`${Key}=${Value}`.length).toBeLessThanOrEqual(128 + 256);
      }),
      manyNames,
    );
  });

  test("T60 two names never become one", () => {
    assert(
      property(fullName, fullName, (one, other) => {
        pre(one !== other);
        expect(encodeName(one)).not.toBe(encodeName(other));
      }),
      manyNames,
    );
    // Near misses of each other, which chance would not find.
    const near = ["a-AbC123", "a=2dAbC123", "a=3d2dAbC123", "a=", "a=3d", "a=3D", "a=h", `a=h${"0".repeat(32)}`, "a", "A"];
    expect(new Set(near.map((name) => encodeName(name))).size).toBe(near.length);
  });

  test("what a prefix is searched by finds every name that starts with it", () => {
    assert(
      property(fullName, nat(), (name, cut) => {
        const prefix = name.slice(0, 1 + (cut % name.length));
        expect(encodeName(name).startsWith(encodePrefix(prefix))).toBe(true);
      }),
      manyNames,
    );
  });

  test("a name of the service that none of ours becomes is no name", () => {
    for (const foreign of ["a=zz", "a=", "a=2db", "a=61", `a=h${"0".repeat(32)}`, "a-AbC123"])
      expect(decodeName(foreign, undefined)).toBeUndefined();
    expect(decodeName(`a=h${"0".repeat(32)}`, "another")).toBeUndefined();
  });

  test("ordinary names stay as they are", () => {
    for (const name of ["coffer/global/warehouse", "coffer/namespace/team-a/db_1/etl@prod.x+y"]) expect(encodeName(name)).toBe(name);
  });

  test("a shortened name works from its registration to its end", () =>
    onEmulator(async ({ manager, emulator }) => {
      const namespace = `${"=".repeat(150)}x`;
      const secrets = manager({ scope: "namespace", namespace });
      const names = ["y=".repeat(90), `${"y=".repeat(89)}z=`, "short"];
      for (const name of names) await secrets.registerSecret({ name, values: { name } });
      expect(isShortened(String(emulator.received[0]?.input["Name"]))).toBe(true);
      for (const name of names) expect((await secrets.getSecret(name)).text).toEqual({ name });
      expect((await collect(secrets.listSecrets())).map(({ name }) => name).toSorted()).toEqual(names.toSorted());
      expect((await collect(secrets.listSecrets({ prefix: "y=y=" }))).map(({ name }) => name)).toHaveLength(2);
      expect(await secrets.deleteAllSecrets({ immediate: true })).toEqual({ deleted: 3 });
    }));
});

describe("names that are refused", () => {
  test("59, T49, T50: what AWS cannot hold is refused before any request, in every scope", () =>
    onEmulator(async ({ manager, emulator }) => {
      for (const scope of ["global", "none"] as const) {
        const secrets = manager({ scope });
        for (const name of ["ümlaut", "a\nb", "a\rb", "＠home", "e\u0301", "\u00e9", "a b", "x".repeat(513), ""]) {
          expect((await failure(secrets.getSecret(name))).code).toBe("invalid_name");
          expect((await failure(secrets.registerSecret({ name, values: {} }))).code).toBe("invalid_name");
          expect((await failure(secrets.deleteSecret(name))).code).toBe("invalid_name");
        }
      }
      expect(emulator.server.count()).toBe(0);
    }));

  test("T59 names that differ in case are two secrets", () =>
    onEmulator(async ({ manager }) => {
      const secrets = manager();
      await secrets.registerSecret({ name: "Api", values: { of: "Api" } });
      await secrets.registerSecret({ name: "api", values: { of: "api" } });
      expect((await secrets.getSecret("Api")).text).toEqual({ of: "Api" });
    }));

  test("in scope none a secret can be asked for by its ARN, and a new one has none yet", () =>
    onEmulator(async ({ manager, emulator }) => {
      const { arn } = emulator.plant("shared/db", '{"user":"other"}');
      const secrets = manager({ scope: "none" });
      expect((await secrets.getSecret(arn)).text).toEqual({ user: "other" });
      const [outcome] = await collect(secrets.getSecrets([arn]));
      expect(outcome !== undefined && "secret" in outcome && outcome.secret.text).toEqual({ user: "other" });
      expect((await failure(secrets.registerSecret({ name: arn, values: {} }))).code).toBe("invalid_name");
    }));
});

describe("revisions", () => {
  test("the id of a version tells who wrote it, and the type of its schema", () => {
    const operationId = crypto.randomUUID();
    for (const schema of [undefined, "mysql", "a", "a".repeat(24), "a".repeat(25), "basic_auth"]) {
      const revision = newRevision(operationId, schema);
      expect(isRevision(revision)).toBe(true);
      expect(isOurs(revision)).toBe(true);
      expect(schemaOf(revision)).toBe(schema === undefined ? null : schema.length > 24 ? undefined : schema);
    }
    for (const foreign of [operationId, "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE", "terraform-20180101000000000000000001"]) {
      expect(isOurs(foreign)).toBe(false);
      expect(schemaOf(foreign)).toBeUndefined();
    }
  });

  test("a schema with a long type is read, and not told by listings", () =>
    onEmulator(async ({ manager }) => {
      const schema = defineSecretSchema({ type: "a_type_that_is_longer_than_most", fields: z.object({ user: z.string() }) });
      const secrets = manager();
      await secrets.registerSecret({ name: "long", schema, values: { user: "etl" } });
      expect((await secrets.getSecret("long", schema)).content.user).toBe("etl");
      expect((await collect(secrets.listSecrets()))[0]).toMatchObject({ name: "long", schema: null });
    }));
});
