import { format, inspect } from "node:util";
import { serialize } from "node:v8";
import { expect, test } from "vitest";
import { Secret } from "./secret.ts";
import { textValues } from "./values.ts";

const CANARY = "canary-3f9a1c7e";
const facts = {
  name: "warehouse",
  schema: { type: "arbitrary", installed: true, package: null },
  revision: "1",
  createdAt: null,
  updatedAt: null,
  managed: true,
  encoding: null,
};
const make = () =>
  new Secret(
    facts,
    textValues([
      ["password", CANARY],
      ["user", "etl"],
      ["host", "h"],
    ]),
  );
const SHOWN = "[secret warehouse: 3 keys]";

test.each<[string, (secret: Secret) => string]>([
  ["template", (secret) => `${secret}`],
  ["join", (secret) => [secret, secret].join(" ")],
  ["JSON", (secret) => JSON.stringify({ secret })],
  ["inspect", (secret) => inspect(secret)],
  ["inspect with everything", (secret) => inspect({ deep: [secret] }, { depth: 12, showHidden: true, getters: true })],
  ["inspect without custom", (secret) => inspect(secret, { customInspect: false, depth: 12, showHidden: true, getters: false })],
  ["format", (secret) => format("%s %o %O %j %d", secret, secret, secret, secret, secret)],
  ["spread", (secret) => JSON.stringify({ ...secret })],
  ["assign", (secret) => inspect(Object.assign({}, secret))],
  ["structured clone", (secret) => inspect(structuredClone(secret), { depth: 12, showHidden: true })],
  ["v8 serialize", (secret) => serialize(secret).toString("latin1")],
  ["entries", (secret) => inspect([Object.entries(secret), Object.getOwnPropertyNames(secret)])],
  ["error cause", (secret) => inspect(new Error("x", { cause: secret }))],
  ["error property", (secret) => inspect(Object.assign(new Error("x"), { secret }))],
])("T26: a secret shows no value in %s", (_where, show) => {
  const shown = show(make());
  expect(shown).not.toContain(CANARY);
  expect(shown).not.toContain("etl");
});

test("a secret prints as its name and the number of its keys", () => {
  expect([`${make()}`, JSON.parse(JSON.stringify(make())), inspect(make())]).toEqual([SHOWN, SHOWN, SHOWN]);
});

test("checklist 33 34: the content has all keys and nothing else, frozen and without a prototype", () => {
  const { content } = make();
  expect({ ...content }).toEqual({ password: CANARY, user: "etl", host: "h" });
  expect(Object.getPrototypeOf(content)).toBeNull();
  expect(Object.isFrozen(content)).toBe(true);
});

test("a key that is not there is an error that lists the keys, not the values", () => {
  expect(() => make().get("pasword")).toThrow(expect.objectContaining({ code: "invalid_key", hint: "It has password, user, host." }));
});

test("T18: keys of Object.prototype are no keys", () => {
  expect("constructor" in make().content).toBe(false);
  expect(() => make().get("toString")).toThrow(expect.objectContaining({ code: "invalid_key" }));
});
