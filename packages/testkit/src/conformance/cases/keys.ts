import assert from "node:assert/strict";
import { type CaseDefinition, demand, fixtures } from "../definition.ts";

/** Keys of a secret are data. */
export const keyCases: readonly CaseDefinition[] = [
  demand("keys: the names of what every object has are keys like any other", [fixtures], async (lab) => {
    const name = lab.name("objects");
    const values = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf", "toJSON", "then"].map(
      (key) => [key, `value of ${key}`] as const,
    );
    await lab.stored(name, values);
  }),

  demand("keys: a key that was never written is not there, whatever objects inherit", [fixtures], async (lab) => {
    const name = lab.name("plain");
    await lab.made(name, { user: "etl" }, "mysql");
    const answer = await lab.read(name);
    assert.ok(answer?.state === "value");
    for (const key of ["__proto__", "constructor", "toString", "$type", "value"]) {
      assert.equal(key in answer.record.values, false, `the key ${key} was never written`);
    }
  }),

  demand("keys: keys may differ in case alone", [fixtures], async (lab) => {
    await lab.stored(lab.name("twins"), { token: "small", Token: "capital", TOKEN: "large" });
  }),

  demand("keys: keys may differ in Unicode normalisation alone", [fixtures], async (lab) => {
    await lab.stored(lab.name("forms"), { "cl\u00e9": "composed", "cle\u0301": "decomposed" });
  }),

  demand("keys: every character of a new key is kept", [fixtures], async (lab) => {
    await lab.stored(lab.name("characters"), { _a: "1", "a.b": "2", "a-b": "3", a_b: "4", "a.b.c": "5", a1: "6", ["k".repeat(255)]: "7" });
  }),

  demand("keys: a key that the former system reserved is kept, and no schema", [fixtures], async (lab) => {
    await lab.stored(lab.name("former"), { zenml_schema_name: "mysql", user: "etl" });
  }),

  demand("keys: keys that other tools have made are kept", [fixtures], async (lab) => {
    await lab.stored(lab.name("strange"), {
      "with space": "1",
      "a/b": "2",
      ключ: "3",
      "1": "4",
      "-x": "5",
      "a=b": "6",
      'a"b\\c': "7",
      "line\nend": "8",
    });
  }),
];
