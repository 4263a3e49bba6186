import assert from "node:assert/strict";
import { type CaseDefinition, declares, demand, fixtures, marks, needsPlant, writes } from "../definition.ts";
import { type Lab, recordOf } from "../lab.ts";

const scope = "none";
const marksAtomically = declares("marker", (value) => value === "atomic", "the driver declares no marker in the same call");

/** What other tools have stored, beside and within the scope. */
export const foreignCases: readonly CaseDefinition[] = [
  demand("foreign: keys and values of another tool can be read and listed, and count as unmanaged", [needsPlant("values")], async (lab) => {
    const name = foreignName(lab);
    await lab.plant("values", name, { user: "other", port: "5432" });
    await lab.expectContent(name, recordOf({ user: "other", port: "5432" }), { scope });
    await lab.settle("listing", async () => {
      const listed = (await lab.list(name, { scope })).find((info) => info.name === name);
      assert.ok(listed !== undefined, "a secret of another tool is listed");
      assert.notEqual(listed.managed, true, "a secret of another tool that is listed as managed");
    });
    const answer = await lab.read(name, { scope });
    assert.notEqual(answer?.managed, true, "a secret of another tool that reads as managed");
  }),

  demand("foreign: a bare text is one key value", [needsPlant("text")], async (lab) => {
    for (const [index, text] of ["just a password", "[1,2]", "{cut", '"quoted"', "", "line\n"].entries()) {
      // Not every service can hold an empty secret; the others must answer it as it is.
      if (text === "") continue;
      const name = foreignName(lab, `-${index}`);
      await lab.plant("text", name, text);
      await lab.expectContent(name, recordOf({ value: text }), { scope });
    }
  }),

  demand("foreign: a JSON object is read key by key", [needsPlant("text")], async (lab) => {
    const name = foreignName(lab);
    await lab.plant(
      "text",
      name,
      '{"user":"other","port":5432,"id":12345678901234567890,"tls":true,"none":null,"nested":{"a":[1]},"__proto__":"data"}',
    );
    const expected: (readonly [string, string])[] = [
      ["user", "other"],
      ["port", "5432"],
      ["id", "12345678901234567890"],
      ["tls", "true"],
      ["nested", '{"a":[1]}'],
      ["__proto__", "data"],
    ];
    await lab.expectContent(name, recordOf(expected), { scope });
  }),

  demand("foreign: bytes that are no text are one key value in base64, and say so", [needsPlant("bytes")], async (lab) => {
    const name = foreignName(lab);
    const bytes = Uint8Array.of(0xff, 0x00, 0xfe, 0x80, 0x41);
    await lab.plant("bytes", name, bytes);
    await lab.expectContent(name, recordOf({ value: Buffer.from(bytes).toString("base64") }), { scope });
    const answer = await lab.read(name, { scope });
    assert.equal(answer?.state === "value" ? answer.encoding : undefined, "base64");
  }),

  demand(
    "foreign: an unmarked secret is only replaced with adopt, and is marked then",
    [writes, marks, needsPlant("values")],
    async (lab) => {
      const name = foreignName(lab);
      await lab.plant("values", name, { user: "other" });
      await lab.expectContent(name, recordOf({ user: "other" }), { scope });
      const { code, retryable } = await lab.failure("replace", lab.replace(name, recordOf({ user: "ours" }), { scope }));
      assert.deepEqual({ code, retryable }, { code: "conflict", retryable: false }, "that a secret is not ours does not pass by itself");
      await lab.expectContent(name, recordOf({ user: "other" }), { scope });
      await lab.replace(name, recordOf({ user: "ours" }), { scope, adopt: true });
      await lab.expectContent(name, recordOf({ user: "ours" }), { scope });
      await lab.replace(name, recordOf({ user: "again" }), { scope });
      await lab.expectContent(name, recordOf({ user: "again" }), { scope });
    },
  ),

  demand("foreign: what lies beside the scope is not listed in it", [fixtures, needsPlant("values")], async (lab) => {
    await lab.plant("values", foreignName(lab), { user: "other" });
    await lab.stored(lab.name("ours"), { user: "etl" });
    await lab.expectNames([lab.name("ours")]);
  }),

  demand("foreign: an unmarked secret within the scope can be read, and is not called ours", [needsPlant("within")], async (lab) => {
    const name = lab.name("intruder");
    await lab.plant("within", name, { user: "other" });
    await lab.expectContent(name, recordOf({ user: "other" }));
    assert.notEqual((await lab.read(name))?.managed, true, "a secret of another tool that reads as managed");
    await lab.settle("listing", async () => {
      for (const info of await lab.list()) assert.notEqual(info.managed, true, "a secret of another tool that is listed as managed");
    });
  }),

  demand(
    "foreign: an unmarked secret within the scope is not replaced by accident",
    [writes, marksAtomically, needsPlant("within")],
    async (lab) => {
      const name = lab.name("intruder");
      await lab.plant("within", name, { user: "other" });
      await lab.expectContent(name, recordOf({ user: "other" }));
      await lab.expectCode("conflict", "replace", lab.replace(name, recordOf({ user: "ours" })));
      await lab.expectContent(name, recordOf({ user: "other" }));
    },
  ),

  demand("foreign: a name that another tool has taken is refused with already_exists", [writes, needsPlant("values")], async (lab) => {
    const name = foreignName(lab);
    await lab.plant("values", name, { user: "other" });
    await lab.expectContent(name, recordOf({ user: "other" }), { scope });
    await lab.expectCode("already_exists", "create", lab.create(name, recordOf({ user: "ours" }), { scope }));
    await lab.expectContent(name, recordOf({ user: "other" }), { scope });
  }),

  demand("empty: a secret without a value is there, and says that it is empty", [needsPlant("empty")], async (lab) => {
    const name = foreignName(lab);
    await lab.plant("empty", name);
    await lab.settle("readAfterWrite", async () => {
      assert.equal((await lab.read(name, { scope }))?.state, "empty");
    });
    await lab.settle("listing", async () => {
      const listed = (await lab.list(name, { scope })).find((info) => info.name === name);
      assert.ok(
        listed === undefined || listed.state === undefined || listed.state === "empty",
        "the state of an empty secret in the listing",
      );
    });
  }),

  demand("disabled: a secret that was disabled is an error of its own, never missing", [fixtures, needsPlant("disable")], async (lab) => {
    const name = lab.name("disabled");
    await lab.stored(name, { user: "etl" });
    await lab.plant("disable", name);
    await lab.settle("readAfterWrite", () => lab.expectCode("disabled", "read", lab.read(name)));
  }),
];

/** A name as another tool would choose it: nothing in it needs an escape anywhere. */
function foreignName(lab: Lab, suffix = ""): string {
  return `foreign-${lab.id}${suffix}`;
}
