import { dirname } from "node:path";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { canaryOf, chanceOf, expectNoLeak, failure, open, snapshotOf, tamper, temporarySettings, using } from "./laboratory.ts";

const CANARY = canaryOf("values");

/** What storage has been seen to change. */
const PIECES = [
  "", " ", "\n", "\r\n", "\r", "\t", "\0", "\ufeff", "é", "e\u0301", "🔑", "👩‍👩‍👧", "\u{10ffff}", "\u2028", "\u2029", "\u202e", "\ue000", "\uffff",
  '"', "\\", "\\u0041", "'", "`", "$", "$&", "${x}", "{{a.b}}", "%41", "+", "&amp;", "0123", "1e5", "0x1F", "1_000", "-0", "null", "~", "NO", "true", "off", "[", "{",
  "---", "#", ":", "@", "@@x", "__proto__", "constructor", "\u001b[0m", "ÄÖÜß", "日本語", "x".repeat(50),
]; // prettier-ignore

function randomValue(below: (limit: number) => number): string {
  const kind = below(100);
  if (kind < 10) return PIECES[below(PIECES.length)] ?? "";
  if (kind < 99) {
    let value = "";
    for (let rest = below(9); rest > 0; rest -= 1) {
      if (below(2) === 0) value += PIECES[below(PIECES.length)];
      // Any code point but half a surrogate.
      else {
        const point = below(0x10f800);
        value += String.fromCodePoint(point < 0xd800 ? point : point + 0x800);
      }
    }
    return value;
  }
  return (PIECES[below(PIECES.length)] ?? "").padEnd(1, "y").repeat(65_536).slice(0, below(65_537)).toWellFormed();
}

const KEYS = ["__proto__", "constructor", "toString", "hasOwnProperty", "value", "a.b", "a-b", "_", "prototype", "then", "toJSON"];

test("T13 and 10,000 random values come back byte for byte, through this manager and another one", async () => {
  const below = chanceOf(12);
  const settings = temporarySettings();
  const written = new Map<string, Map<string, string>>();
  let values = 0;
  let bytes = 0;
  await using(settings, async (manager) => {
    while (values < 10_000) {
      const content = new Map<string, string>();
      for (let key = 0; key < 100; key += 1) content.set(KEYS[key] ?? `k${key}_${below(1_000)}`, randomValue(below));
      const name = `batch/${written.size}`;
      const record = Object.fromEntries([...content].map(([key, value]) => [key, value]));
      // The values once as they are registered, once as they replace others.
      if (written.size % 2 === 0) await manager.registerSecret({ name, values: record });
      else await manager.upsertSecret({ name, values: record });
      written.set(name, content);
      values += content.size;
      for (const value of content.values()) bytes += Buffer.byteLength(value);
    }
    for (const [name, content] of written) expect(new Map(Object.entries((await manager.getSecret(name)).text))).toEqual(content);
  });
  // A lone byte that is lost in a comparison of objects is not lost here.
  await using(settings, async (manager) => {
    for (const [name, content] of written) {
      const { text } = await manager.getSecret(name);
      expect(Object.keys(text).toSorted()).toEqual([...content.keys()].toSorted());
      for (const [key, value] of content) expect(Buffer.from(text[key] ?? "missing").equals(Buffer.from(value))).toBe(true);
    }
  });
  expect(values).toBe(10_000);
  expect(bytes).toBeGreaterThan(2 ** 20);
  expect(({} as Record<string, unknown>)["value"]).toBeUndefined();
});

describe("values", () => {
  test("T15 half a surrogate pair is refused, by key and not by value", async () => {
    const settings = temporarySettings();
    const manager = open(settings);
    const error: unknown = await manager
      .registerSecret({ name: "one", values: { good: "x", torn: `${CANARY}\ud83d` } })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain("torn");
    await expectNoLeak(error, CANARY);
    expect(await manager.hasSecret("one")).toBe(false);
    expect(snapshotOf(dirname(dirname(settings.path)))).toEqual({});
  });

  test("T16 an empty value, no such key, and the keys that an update does not name", async () => {
    const manager = open(temporarySettings());
    await manager.registerSecret({ name: "one", values: { empty: "", other: "kept" } });
    const before = await manager.getSecret("one");
    expect([before.text["empty"], before.text["absent"]]).toEqual(["", undefined]);
    await manager.updateSecret("one", { values: { empty: "full" } });
    expect((await manager.getSecret("one")).text).toEqual({ empty: "full", other: "kept" });
  });

  test("T17 __proto__ and its friends are keys like any other", async () => {
    const manager = open(temporarySettings());
    const values = JSON.parse('{"__proto__":"a","constructor":"b","prototype":"c","toString":"d"}') as Record<string, string>;
    await manager.registerSecret({ name: "one", values });
    await manager.updateSecret("one", { values: JSON.parse('{"__proto__":"e"}') as Record<string, string> });
    const { text } = await manager.getSecret("one");
    expect(new Map(Object.entries(text))).toEqual(
      new Map([
        ["__proto__", "e"],
        ["constructor", "b"],
        ["prototype", "c"],
        ["toString", "d"],
      ]),
    );
    expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });

  test("T20 keys that differ in case alone are two keys", async () => {
    const manager = open(temporarySettings());
    await manager.registerSecret({ name: "one", values: { key: "a", Key: "b" } });
    expect((await manager.getSecret("one")).text).toEqual({ key: "a", Key: "b" });
  });

  test("T92 1 MiB is stored, a byte more is refused and leaves what was there", async () => {
    const settings = temporarySettings();
    const manager = open(settings);
    const overhead = Buffer.byteLength('{"key":""}');
    const largest = "x".repeat(1024 * 1024 - overhead);
    await manager.registerSecret({ name: "one", values: { key: largest } });
    expect((await manager.getSecret("one")).text["key"] === largest).toBe(true);
    const error = await failure(manager.replaceSecret({ name: "one", values: { key: `${largest}x` } }));
    expect(error).toMatchObject({ code: "too_large", outcome: "not_applied" });
    expect((await failure(manager.registerSecret({ name: "two", values: { key: `${largest}x` } }))).code).toBe("too_large");
    expect((await manager.getSecret("one")).revision).toBe("1");
    expect(await manager.hasSecret("two")).toBe(false);
  });
});

describe("names", () => {
  test.each([
    "../x",
    "a/../../b",
    "/etc/x",
    ".",
    "..",
    "",
    "a\0b",
    "a\nb",
    "a\rb",
    "n".repeat(201),
    " x",
    "x ",
    "-rf",
    "--help",
    "a//b",
    "a/",
    "＠",
    "café",
    "e\u0301",
    "a\\b",
    "a:b",
  ])("T46, T49, T50 %j is refused everywhere, and nothing is made", async (name) => {
    const settings = temporarySettings();
    const manager = open(settings);
    for (const call of [
      () => manager.registerSecret({ name, values: { key: CANARY } }),
      () => manager.getSecret(name),
      () => manager.updateSecret(name, { values: { key: CANARY } }),
      () => manager.deleteSecret(name),
    ]) {
      const error = await failure(call);
      expect(error.code).toBe("invalid_name");
      await expectNoLeak(error, CANARY);
    }
    expect(snapshotOf(dirname(dirname(settings.path)))).toEqual({});
  });

  test.each([
    "CON",
    "x.",
    ".ssh/key",
    "a+b@c=d",
    "constructor",
    "__proto__",
    "toString",
    "hasOwnProperty",
    "n".repeat(200),
    "a'b".replace("'", "--"),
  ])("T18, T46, T47 %s: not there before, stored, listed, deleted; no file but the store's", async (name) => {
    const settings = temporarySettings();
    const manager = open(settings);
    expect((await failure(manager.getSecret(name))).code).toBe("not_found");
    await manager.registerSecret({ name, values: { key: CANARY } });
    expect((await manager.getSecret(name)).text["key"]).toBe(CANARY);
    expect((await Array.fromAsync(manager.listSecrets())).map((info) => info.name)).toEqual([name]);
    await manager.deleteSecret(name);
    expect(await manager.hasSecret(name)).toBe(false);
    await manager.close();
    expect(Object.keys(snapshotOf(dirname(settings.path)))).toEqual([".secrets.db.lock", "secrets.db"]);
  });

  test("T59 names that differ in case alone are two secrets", async () => {
    const manager = open(temporarySettings());
    await manager.registerSecret({ name: "Api", values: { key: "upper" } });
    await manager.registerSecret({ name: "api", values: { key: "lower" } });
    expect([(await manager.getSecret("Api")).text["key"], (await manager.getSecret("api")).text["key"]]).toEqual(["upper", "lower"]);
    await manager.deleteSecret("api");
    expect((await Array.fromAsync(manager.listSecrets())).map(({ name }) => name)).toEqual(["Api"]);
  });

  test("T78 after a delete it is not there, and a second delete says so; a revision never comes back", async () => {
    const manager = open(temporarySettings());
    await manager.registerSecret({ name: "one", values: { key: "a" } });
    await manager.updateSecret("one", { values: { key: "b" } });
    await manager.deleteSecret("one");
    expect((await failure(manager.getSecret("one"))).code).toBe("not_found");
    expect((await failure(manager.deleteSecret("one"))).code).toBe("not_found");
    expect(await manager.registerSecret({ name: "one", values: { key: "c" } })).toEqual({ name: "one", revision: "3" });
    expect((await failure(manager.getSecret("one", { revision: "2" }))).code).toBe("not_found");
  });
});

describe("revisions", () => {
  test.each([
    [undefined, 10],
    [1, 1],
    [3, 3],
  ])("with the setting %s the last %i are kept", async (revisions, kept) => {
    const manager = open({ ...temporarySettings(), ...(revisions === undefined ? {} : { revisions }) });
    for (let revision = 1; revision <= 13; revision += 1) await manager.upsertSecret({ name: "one", values: { key: String(revision) } });
    const numbers = (await Array.fromAsync(manager.history("one"))).map(({ revision }) => Number(revision));
    expect(numbers).toEqual(Array.from({ length: kept }, (_, index) => 13 - index));
    for (const number of numbers) expect((await manager.getSecret("one", { revision: String(number) })).text["key"]).toBe(String(number));
    for (const gone of ["0", String(13 - kept), "14", "1e1", "-1", "01", "9007199254740993", "x"]) {
      expect((await failure(manager.getSecret("one", { revision: gone }))).code).toBe("not_found");
    }
  });

  test("fewer from now on: the older ones go with the next write; more: nothing comes back", async () => {
    const settings = temporarySettings();
    await using(settings, async (manager) => {
      for (let revision = 1; revision <= 6; revision += 1) await manager.upsertSecret({ name: "one", values: { key: String(revision) } });
    });
    const lengths: number[] = [];
    for (const revisions of [2, 5, 5]) {
      await using({ ...settings, revisions }, async (manager) => {
        await manager.updateSecret("one", { values: { more: "x" } });
        lengths.push((await Array.fromAsync(manager.history("one"))).length);
      });
    }
    expect(lengths).toEqual([2, 3, 4]);
  });

  test("what is deleted or no longer kept is not in the file any more, not even sealed", async () => {
    const settings = temporarySettings();
    await using({ ...settings, revisions: 1 }, async (manager) => {
      await manager.registerSecret({ name: "one", values: { key: "x".repeat(3_000) } });
    });
    const blob = tamper(settings.path, (database) => database.prepare("SELECT sealed FROM secrets").get()?.["sealed"]) as Uint8Array;
    const pieces = [blob.subarray(0, 40), blob.subarray(-40)];
    const left = (): boolean[] => pieces.map((piece) => readFileSync(settings.path).includes(piece));
    expect(left()).toEqual([true, true]);
    await using({ ...settings, revisions: 1 }, (manager) => manager.replaceSecret({ name: "one", values: { key: "y" } }));
    expect(left()).toEqual([false, false]);
  });
});

test("T21 no value is in any file, and names, schemas and times are, in clear text", async () => {
  const settings = temporarySettings();
  const manager = open(settings);
  await manager.registerSecret({ name: "warehouse", schema: "mysql", values: { user: CANARY, password: CANARY } });
  for (const file of [settings.path, `${settings.path}-wal`, settings.key_file]) expect(readFileSync(file).includes(CANARY)).toBe(false);
  await manager.close();
  const file = readFileSync(settings.path);
  expect([file.includes("coffer/global/warehouse"), file.includes("mysql"), file.includes("password")]).toEqual([true, true, false]);
});
