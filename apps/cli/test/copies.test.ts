// Copies and renames from every flavor to every flavor, through the library: what must be the same everywhere is the same on both sides.
import { type SecretsManager, textValues } from "@coffer/core";
import { mysql } from "@coffer/core/schemas";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { EveryFlavor, FLAVORS } from "./support/flavors.ts";
import { Home } from "./support/home.ts";
import { SERVICES } from "./support/services.ts";

const home = new Home(afterAll);
let every: EveryFlavor;
beforeAll(async () => {
  every = await EveryFlavor.start(home.path);
  for (const [name, value] of Object.entries(every.env)) vi.stubEnv(name, value);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await every.stop();
});

const PAIRS = FLAVORS.flatMap((from) => FLAVORS.map((to) => ({ from, to })));
const TARGETS = FLAVORS.map((to) => ({ to }));
const REVISIONS = "older revisions, if any";
const BYTES = "the bytes, which are stored as their base64 text";

// What one side or the other could change: text that looks like something else, line ends, and what a service or JSON has to escape.
const VALUES: Readonly<Record<string, string>> = {
  empty: "",
  blank: " \t ",
  lines: "-----BEGIN X-----\r\nÄ\n\n",
  composed: "\u00e9",
  decomposed: "e\u0301",
  scripts: "密码 كلمة 🗝️\u202e\u2028",
  control: "a\u0000b\u001b[31m\u007f",
  mark: "\ufefftext",
  json: '{"$type":"mysql","a":[1]}',
  quoted: '"text" \\n \\u0041 $& `x`',
  number: "007",
  long_number: "12345678901234567890",
  exponent: "1e5",
  boolean: "NO",
  nothing: "null",
  reference: "{{other.key}} @file @@x",
  long: "x".repeat(8_192),
};
const KEYS: readonly string[] = ["_", "A.b-c", "a", "A", "__proto__", "constructor", "toString", "value", "type", "zenml_schema_name"];
const NAMES: readonly string[] = ["plain", "team/a.b_c-d@x+y=z", "UPPER/ends-like-AbC123", "__proto__", `n${"o".repeat(199)}`];

const textOf = async (manager: SecretsManager, name: string): Promise<Record<string, string>> =>
  // Spread into an ordinary object, `__proto__` would be none of its keys.
  Object.fromEntries(Object.entries((await manager.getSecret(name)).text).map(([key, value]) => [`key ${key}`, value]));

const prefixed = (entries: readonly (readonly [string, string])[]): Record<string, string> =>
  Object.fromEntries(entries.map(([key, value]) => [`key ${key}`, value]));

const untyped = Object.entries(VALUES);
const awkward = KEYS.map((key) => [key, "mysql"] as const);

describe.each(PAIRS)("from $from to $to", ({ from, to }) => {
  let source: SecretsManager;
  let target: SecretsManager;
  let lost: readonly string[];
  beforeAll(async () => {
    source = await every.open(from, { scope: "namespace", namespace: `from-${from}-to-${to}` });
    target = await every.open(to, { scope: "namespace", namespace: `to-${to}-from-${from}` });
    lost = (await source.capabilities()).revisions ? [REVISIONS] : [];
  });

  test("any values, keys and names arrive as they are", async () => {
    for (const [index, name] of NAMES.entries()) {
      const entries = index % 2 === 0 ? untyped : awkward;
      await source.registerSecret({ name, values: textValues(entries) });
      expect(await source.copySecret(name, name, { manager: target })).toMatchObject({ name, lost });
      expect(await textOf(target, name), name).toEqual(prefixed(entries));
      expect((await target.getSecret(name)).schema.type, name).toBe("arbitrary");
      expect(await textOf(source, name), name).toEqual(prefixed(entries));
    }
  });

  test("a typed secret keeps its schema and the text that it was written with; older revisions stay behind, and the report says so", async () => {
    await source.registerSecret({ name: "typed", schema: mysql, values: { user: "first" } });
    await source.replaceSecret({ name: "typed", schema: mysql, values: { user: "etl", password: "p\n", ssl_verify_server_cert: "yes" } });
    const report = await source.copySecret("typed", "copied", { manager: target });
    expect(report).toEqual({ name: "copied", revision: expect.any(String), lost });
    const copied = await target.getSecret("copied", mysql);
    expect(copied.schema.type).toBe("mysql");
    expect(copied.content.ssl_verify_server_cert).toBe(true);
    expect({ ...copied.text }).toEqual({ user: "etl", password: "p\n", ssl_verify_server_cert: "yes" });
    expect(await Array.fromAsync(target.history("copied"))).toMatchObject([{ revision: report.revision, current: true }]);
  });

  test("a rename over there keeps values and schema, frees nothing else, and says what it loses", async () => {
    await source.registerSecret({ name: "moved", schema: "mysql", values: { user: "etl", password: "p" } });
    await source.copySecret("moved", "moved", { manager: target });
    const kept = (await target.capabilities()).revisions ? [REVISIONS] : [];
    expect(await target.renameSecret("moved", "new/name=1")).toMatchObject({ name: "new/name=1", lost: kept });
    const renamed = await target.getSecret("new/name=1");
    expect(renamed.schema.type).toBe("mysql");
    expect({ ...renamed.text }).toEqual({ user: "etl", password: "p" });
    expect(await target.hasSecret("moved")).toBe(false);
    expect(await source.hasSecret("moved")).toBe(true);
  });

  test("a name that is taken is left alone, unless it is to be replaced", async () => {
    await source.registerSecret({ name: "taken", schema: "mysql", values: { user: "new" } });
    await target.registerSecret({ name: "occupied", values: { other: "old" } });
    const refused = source.copySecret("taken", "occupied", { manager: target });
    await expect(refused).rejects.toMatchObject({ code: "already_exists", flavor: to });
    expect(await textOf(target, "occupied")).toEqual(prefixed([["other", "old"]]));
    await source.copySecret("taken", "occupied", { manager: target, overwrite: true });
    expect(await textOf(target, "occupied")).toEqual(prefixed([["user", "new"]]));
    expect((await target.getSecret("occupied")).schema.type).toBe("mysql");
  });
});

describe.each(TARGETS)("what another tool has written, copied to $to", ({ to }) => {
  const SOURCES = FLAVORS.filter((flavor) => flavor !== "local");
  const target = (): Promise<SecretsManager> => every.open(to, { scope: "namespace", namespace: `foreign-to-${to}` });

  test.each(SOURCES)("from %s: keys that no new secret may have, numbers and nested objects arrive as they were read", async (from) => {
    const name = `foreign-to-${to.replaceAll("_", "-")}`;
    every.plant(
      from,
      name,
      '{"with space":"1","ключ":"2","$dollar":"3","port":3306,"id":12345678901234567890,"nested":{"a":[1,2]},"none":null}',
    );
    const [source, here] = [await every.open(from, { scope: "none" }), await target()];
    await source.copySecret(name, `of-${from}`, { manager: here });
    expect(await textOf(here, `of-${from}`)).toEqual(await textOf(source, name));
    expect(await textOf(here, `of-${from}`)).toMatchObject({
      "key ключ": "2",
      // The engine of Vault itself keeps numbers as doubles.
      "key id": from === "vault" ? "12345678901234567000" : "12345678901234567890",
      "key nested": '{"a":[1,2]}',
    });
  });

  const storesBytes = ["memory", ...SERVICES.filter((service) => service.storesBytes).map(({ flavor }) => flavor)];
  test.each(storesBytes)("from %s: bytes become their base64 text, and the report says so", async (from) => {
    const name = `bytes-to-${to.replaceAll("_", "-")}`;
    every.plant(from, name, Uint8Array.of(0xff, 0x00, 0xfe));
    const [source, here] = [await every.open(from, { scope: "none" }), await target()];
    const { lost } = await source.copySecret(name, `bytes-of-${from}`, { manager: here });
    expect(lost).toContain(BYTES);
    expect(await textOf(here, `bytes-of-${from}`)).toEqual(prefixed([["value", "/wD+"]]));
  });
});

test.each(TARGETS)("a copy that $to cannot hold is refused, and leaves nothing behind", async ({ to }) => {
  const source = await every.open("local", { scope: "namespace", namespace: `large-${to}` });
  const target = await every.open(to, { scope: "namespace", namespace: "large" });
  const { maxValueBytes, caseSensitive } = await target.capabilities();
  const limit = maxValueBytes ?? Number.POSITIVE_INFINITY;
  const tooLarge = [1, 30_000, 70_000].filter((bytes) => bytes > limit);
  for (const bytes of tooLarge) {
    await source.upsertSecret({ name: "large", values: { k: "x".repeat(bytes) } });
    await expect(source.copySecret("large", "large", { manager: target })).rejects.toMatchObject({
      code: "too_large",
      outcome: "not_applied",
    });
  }
  expect(await target.hasSecret("large")).toBe(false);

  // Where the service ignores case, the twin of a secret is a name that is taken.
  for (const name of ["Twin", "twin"]) await source.registerSecret({ name, values: { name } });
  await source.copySecret("Twin", "Twin", { manager: target });
  const twin = await source.copySecret("twin", "twin", { manager: target }).then(
    () => "copied",
    ({ code }: { readonly code: string }) => code,
  );
  expect(twin).toBe(caseSensitive ? "copied" : "already_exists");
  expect(await textOf(target, "Twin")).toEqual(prefixed([["name", "Twin"]]));
});
