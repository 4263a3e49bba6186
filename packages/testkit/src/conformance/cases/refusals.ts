import assert from "node:assert/strict";
import type { SecretSchema } from "@coffer/core";
import { mysql } from "@coffer/core/schemas";
import {
  bringsSecond,
  type CaseDefinition,
  comparesAndSwaps,
  deletesSoftly,
  demand,
  keepsRevisions,
  lacks,
  limitsPayloads,
  marks,
  writes,
} from "../definition.ts";
import { collect } from "../lab.ts";
import { everyMethod, managerOn, readingMethods, refusedUnasked, secretsError, writingMethods } from "../manager-lab.ts";

const DECLARED = "the driver declares it, and it is demanded instead";
const REFUSED_NAMES = [
  "",
  ".",
  "..",
  "../x",
  "a/../b",
  "/a",
  "a/",
  "a//b",
  "-x",
  "a/-x",
  "a b",
  "a\nb",
  "a\u0000b",
  "ä",
  "a%2fb",
  "a?b",
  "a#b",
  "a:b",
  "a\\b",
  "\u202ea",
  "x".repeat(201),
];
const REFUSED_KEYS = ["", "$type", "1a", "a b", "a/b", "-a", "ключ", "a\nb"];

/** What the manager refuses before any request. */
export const refusalCases: readonly CaseDefinition[] = [
  demand("refused: every write, where the driver cannot write", [lacks(writes, DECLARED)], async (lab) => {
    const { manager, traffic } = managerOn(lab);
    await refusedUnasked("unsupported", traffic, {
      ...writingMethods(manager, "name"),
      restoreSecret: () => manager.restoreSecret("name"),
      rollbackSecret: () => manager.rollbackSecret("name", "1"),
    });
  }),

  demand("refused: every write, where the manager is read-only", [writes], async (lab) => {
    const { manager, traffic } = managerOn(lab, { readonly: true });
    await refusedUnasked("unsupported", traffic, {
      ...writingMethods(manager, "name"),
      restoreSecret: () => manager.restoreSecret("name"),
      rollbackSecret: () => manager.rollbackSecret("name", "1"),
    });
  }),

  demand("refused: history, rollback and older revisions, where the driver keeps none", [lacks(keepsRevisions, DECLARED)], async (lab) => {
    const { manager, traffic } = managerOn(lab);
    await refusedUnasked("unsupported", traffic, {
      history: () => collect(manager.history("name")),
      rollbackSecret: () => manager.rollbackSecret("name", "1"),
      getSecret: () => manager.getSecret("name", { revision: "1" }),
    });
  }),

  demand("refused: restore, where deletes are final", [lacks(deletesSoftly, DECLARED)], async (lab) => {
    const { manager, traffic } = managerOn(lab);
    await refusedUnasked("unsupported", traffic, { restoreSecret: () => manager.restoreSecret("name") });
  }),

  demand("refused: an expected revision, where the driver cannot compare", [writes, lacks(comparesAndSwaps, DECLARED)], async (lab) => {
    const { manager, traffic } = managerOn(lab);
    await refusedUnasked("unsupported", traffic, {
      updateSecret: () => manager.updateSecret("name", { values: { a: "b" }, expected: "1" }),
      replaceSecret: () => manager.replaceSecret({ name: "name", values: { a: "b" }, expected: "1" }),
    });
  }),

  demand("refused: deleting all in scope none, where nothing tells what is ours", [writes, lacks(marks, DECLARED)], async (lab) => {
    // A service may hold secrets of others: nothing of the driver may be reached here but its declaration.
    const untouchable = () => assert.fail("the driver was asked");
    const driver = { ...lab.driver, capabilities: lab.driver.capabilities, list: untouchable, delete: untouchable };
    const { manager, traffic } = managerOn(lab, { scope: "none", driver });
    await refusedUnasked("unsupported", traffic, { deleteAllSecrets: () => manager.deleteAllSecrets() });
  }),

  demand("refused: a payload over the declared limit is too_large before any request", [writes, limitsPayloads], async (lab) => {
    const { manager, traffic } = managerOn(lab);
    const values = { text: "v".repeat(lab.capabilities.maxValueBytes ?? 0) };
    await refusedUnasked("too_large", traffic, {
      registerSecret: () => manager.registerSecret({ name: "large", values }),
      replaceSecret: () => manager.replaceSecret({ name: "large", schema: "arbitrary", values }),
    });
  }),

  demand("refused: names that are not portable are invalid_name before any request", [], async (lab) => {
    const { manager, traffic } = managerOn(lab);
    for (const name of REFUSED_NAMES) {
      const { listSecrets: _list, deleteAllSecrets: _all, getSecrets: _many, ...named } = everyMethod(manager, name);
      await refusedUnasked(
        "invalid_name",
        traffic,
        lab.capabilities.writable ? named : { getSecret: () => manager.getSecret(name), hasSecret: () => manager.hasSecret(name) },
      );
    }
  }),

  demand("refused: keys that are not allowed are invalid_key before any request", [writes], async (lab) => {
    const { manager, traffic } = managerOn(lab);
    for (const key of REFUSED_KEYS) {
      await refusedUnasked("invalid_key", traffic, {
        registerSecret: () => manager.registerSecret({ name: "keys", values: { [key]: "x" } }),
      });
    }
  }),

  demand("refused: values that do not fit their schema are schema_violation before any request", [writes], async (lab) => {
    const { manager, traffic } = managerOn(lab);
    // The compiler does not let these through; a program without types can still try.
    const schema: SecretSchema = mysql;
    const values = { ssl_verify_server_cert: "perhaps", unknown_key: "x" };
    const error = await secretsError("registerSecret", manager.registerSecret({ name: "typed", schema, values }));
    assert.equal(error.code, "schema_violation");
    assert.deepEqual(error.keys?.toSorted(), ["ssl_verify_server_cert", "unknown_key"]);
    assert.deepEqual(traffic.calls, []);
  }),

  demand("refused: half a surrogate pair is a TypeError before any request", [writes], async (lab) => {
    const { manager, traffic } = managerOn(lab);
    await assert.rejects(
      manager.registerSecret({ name: "half", values: { broken_key: "a\ud800b" } }),
      (error: unknown) => error instanceof TypeError && error.message.includes("broken_key"),
    );
    assert.deepEqual(traffic.calls, []);
  }),

  demand("refused: whatever was aborted before it began, before any request", [], async (lab) => {
    const { manager, traffic } = managerOn(lab);
    const call = { signal: AbortSignal.abort() };
    await refusedUnasked(
      "aborted",
      traffic,
      lab.capabilities.writable ? everyMethod(manager, "name", call) : readingMethods(manager, "name", call),
    );
  }),

  demand("closed: every call after close is refused, and the driver is closed once", [], async (lab) => {
    const { manager, traffic } = managerOn(lab);
    await manager.hasSecret("name");
    await manager.close();
    await manager.close();
    assert.deepEqual(traffic.calls, ["read", "close"]);
    traffic.calls.length = 0;
    await refusedUnasked("closed", traffic, everyMethod(manager, "name"));
  }),

  demand("closed: another driver on the same service goes on", [writes, bringsSecond], async (lab) => {
    const { manager } = managerOn(lab);
    const { manager: other } = managerOn(lab, { driver: await lab.second() });
    await manager.registerSecret({ name: "stays", values: { user: "etl" } });
    await manager.close();
    await lab.settle("readAfterWrite", async () => assert.equal(await other.hasSecret("stays"), true));
  }),
];
