import { array, assert, constantFrom, nat, property, tuple } from "fast-check";
import { describe, expect, test } from "vitest";
import { filterOf, ID_LIMIT, nameOf, serviceName } from "../src/names.ts";
import { annotationsFor, writtenName } from "../src/marker.ts";
import { failureOf, managerOn, startServer } from "./laboratory.ts";

const CHARACTERS = [..."ABXxYz019_.@+=-/"];
const segment = array(constantFrom(...CHARACTERS.filter((character) => character !== "/")), { minLength: 1, maxLength: 120 });
/** Full names: the path of a scope and a portable name, with many of the characters that an escape must tell apart. */
const fullName = tuple(
  constantFrom("coffer/global/", "coffer/namespace/a_x2f/", "coffer/namespace/team/"),
  array(segment, { minLength: 1, maxLength: 3 }),
).map(([prefix, segments]) => prefix + segments.map((characters) => characters.join("")).join("/"));

/** What a listing tells of a stored name. */
function recovered(name: string): string | undefined {
  const { id, hashed } = serviceName(name, "global");
  const annotations = annotationsFor({ operationId: "x", until: 0 }, hashed ? name : undefined);
  return nameOf(id, writtenName(annotations), "global");
}

describe("T60: names", () => {
  test("61, T60: an id is within alphabet and length, and the name comes back", () => {
    assert(
      property(fullName, (name) => {
        expect(serviceName(name, "global").id).toMatch(/^[A-Za-z0-9_-]{1,255}$/);
        expect(recovered(name)).toBe(name);
      }),
    );
  });

  test("two names never share an id", () => {
    assert(
      property(fullName, fullName, (one, other) => {
        expect(serviceName(one, "global").id === serviceName(other, "global").id).toBe(one === other);
      }),
    );
  });

  test("every id below a prefix contains what the filter asks for", () => {
    assert(
      property(fullName, nat(), (name, cut) => {
        const part = filterOf(name.slice(0, cut % (name.length + 1)), "global");
        expect(part).toBeDefined();
        expect(serviceName(name, "global").id).toContain(part);
      }),
    );
  });

  test("ordinary names stay as they are", () => {
    expect(serviceName("team-a_1", "global").id).toBe("team-a_1");
    expect(serviceName("coffer/global/warehouse", "global").id).toBe("coffer_x2fglobal_x2fwarehouse");
  });

  test("an escaped name that looks like a hashed one is hashed as well", () => {
    const long = serviceName(`coffer/global/${"/".repeat(0)}${"a".repeat(300)}`, "global");
    expect(long).toMatchObject({ hashed: true, id: expect.stringMatching(/-h[0-9a-f]{32}$/) });
    expect(long.id).toHaveLength(ID_LIMIT);
    const imitation = serviceName(long.id, "global");
    expect(imitation.hashed).toBe(true);
    expect(imitation.id).not.toBe(long.id);
  });

  test("64: a hashed id whose annotation names something else is nobody's", () => {
    const { id } = serviceName(`coffer/global/${"a".repeat(300)}`, "global");
    expect([nameOf(id, undefined, "global"), nameOf(id, "coffer/global/other", "global")]).toEqual([undefined, undefined]);
  });

  test("with scope none names are the service's own", () => {
    expect(serviceName("Some_x2f-name", "none").id).toBe("Some_x2f-name");
    expect(nameOf("Some_x2f-name", undefined, "none")).toBe("Some_x2f-name");
    for (const name of ["a/b", "a.b", "ü", "a b", "", "x".repeat(256)])
      expect(() => serviceName(name, "none")).toThrow(expect.objectContaining({ info: expect.objectContaining({ code: "invalid_name" }) }));
  });

  test.each(["AND", "OR", "NOT", "-x"])("a prefix that means something in the language of filters is not put into one: %s", (prefix) => {
    expect(filterOf(prefix, "none")).toBe("");
  });
});

test.each(["ü", "cafe\u0301", "＠", "a\nb", "a\rb", "a\0b", "../x", "a//b", "-rf"])(
  "T46, T48, T49, T50: %j is refused before any request",
  async (name) => {
    const server = await startServer();
    const manager = managerOn(server);
    for (const call of [
      () => manager.getSecret(name),
      () => manager.registerSecret({ name, values: { a: "b" } }),
      () => manager.deleteSecret(name),
    ])
      expect(await failureOf(call())).toMatchObject({ code: "invalid_name" });
    expect(server.count()).toBe(0);
    await server.stop();
  },
);

test("63, T59: names that differ in case alone are two secrets", async () => {
  const server = await startServer();
  const manager = managerOn(server);
  await manager.registerSecret({ name: "Api", values: { a: "1" } });
  await manager.registerSecret({ name: "api", values: { a: "2" } });
  expect((await manager.getSecret("Api")).text).toEqual({ a: "1" });
  await manager.close();
  await server.stop();
});
