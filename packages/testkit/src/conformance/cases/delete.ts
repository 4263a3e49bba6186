import assert from "node:assert/strict";
import type { SecretsManagerDriver } from "@coffer/core";
import { type CaseDefinition, demand, deletesSoftly, writes } from "../definition.ts";
import { recordOf } from "../lab.ts";

/** Deletes, and what undoes them. */
export const deleteCases: readonly CaseDefinition[] = [
  demand("delete: the secret is gone, and others stay", [writes], async (lab) => {
    const name = lab.name("gone");
    const others = ["gone/below", "gone2", "gon", "stays"].map((other) => lab.name(other));
    for (const each of [name, ...others]) await lab.stored(each, { user: "etl" });
    await lab.delete(name);
    await lab.expectMissing(name);
    for (const other of others) await lab.expectContent(other, recordOf({ user: "etl" }));
  }),

  demand("delete: a deleted secret is no longer listed", [writes], async (lab) => {
    await lab.stored(lab.name("gone"), { user: "etl" });
    await lab.stored(lab.name("stays"), { user: "etl" });
    await lab.delete(lab.name("gone"));
    await lab.expectNames([lab.name("stays")]);
  }),

  demand("delete: a missing name is refused with not_found", [writes], async (lab) => {
    for (const immediate of [false, true]) await lab.expectCode("not_found", "delete", lab.delete(lab.name("absent"), { immediate }));
  }),

  demand("delete: the second time is refused with not_found", [writes], async (lab) => {
    const name = lab.name("twice");
    await lab.stored(name, { user: "etl" });
    await lab.delete(name);
    await lab.expectMissing(name);
    await lab.expectCode("not_found", "delete", lab.delete(name));
  }),

  demand("delete: after an immediate one the name is free and starts anew", [writes], async (lab) => {
    const name = lab.name("again");
    await lab.made(name, { user: "first", old: "x" }, "mysql");
    await lab.delete(name, { immediate: true });
    await lab.expectMissing(name);
    await lab.stored(name, { user: "second" });
    await lab.expectNames([name]);
  }),

  demand("delete: an immediate one also frees a name that a soft delete left reserved", [writes, deletesSoftly], async (lab) => {
    const name = lab.name("reserved");
    await lab.stored(name, { user: "first" });
    await lab.delete(name);
    await lab.expectMissing(name);
    await lab.delete(name, { immediate: true });
    await lab.stored(name, { user: "second" });
  }),

  demand("restore: a deleted secret comes back with its last content", [writes, deletesSoftly], async (lab) => {
    const name = lab.name("back");
    await lab.stored(name, { user: "first" });
    const last = recordOf({ user: "second", port: "5432" });
    await lab.replace(name, last);
    await lab.delete(name);
    await lab.expectMissing(name);
    await lab.patiently("restore", restoreOf(lab)(name, lab.call()));
    await lab.expectContent(name, last);
    await lab.expectNames([name]);
  }),

  demand("restore: a name that never existed is refused with not_found", [writes, deletesSoftly], async (lab) => {
    await lab.expectCode("not_found", "restore", restoreOf(lab)(lab.name("absent"), lab.call()));
  }),

  demand("restore: a secret that is not deleted is refused with not_found, and stays as it is", [writes, deletesSoftly], async (lab) => {
    const name = lab.name("live");
    await lab.stored(name, { user: "first" });
    await lab.expectCode("not_found", "restore", restoreOf(lab)(name, lab.call()));
    await lab.expectContent(name, recordOf({ user: "first" }));
  }),

  demand("restore: a secret that was deleted for good is refused with not_found", [writes, deletesSoftly], async (lab) => {
    const name = lab.name("gone");
    await lab.stored(name, { user: "first" });
    await lab.delete(name, { immediate: true });
    await lab.expectMissing(name);
    await lab.expectCode("not_found", "restore", restoreOf(lab)(name, lab.call()));
  }),
];

function restoreOf({ driver }: { readonly driver: SecretsManagerDriver }): NonNullable<typeof driver.restore> {
  assert.ok(driver.restore !== undefined, "a driver that declares restore has it");
  return driver.restore.bind(driver);
}
