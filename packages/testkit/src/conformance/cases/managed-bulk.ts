import assert from "node:assert/strict";
import { SecretsError } from "@coffer/core";
import { type CaseDefinition, demand, fixtures, needsFault } from "../definition.ts";
import { managerOn } from "../manager-lab.ts";

/** Bulk reads as users see them. */
export const managedBulkCases: readonly CaseDefinition[] = [
  demand("bulk: getSecrets answers every name once, and one that fails stops no other", [fixtures, needsFault("refuse")], async (lab) => {
    const { manager, traffic } = managerOn(lab);
    const there = Array.from({ length: 12 }, (_, index) => `item-${index}`);
    for (const name of there) await lab.stored(lab.name(name), { label: name });
    await lab.fault("refuse", lab.name("item-3"));
    const codes: Record<string, string> = {};
    for await (const outcome of manager.getSecrets([...there, "absent"])) {
      assert.equal(Object.hasOwn(codes, outcome.name), false, `"${outcome.name}" was answered twice`);
      if ("error" in outcome) {
        assert.ok(SecretsError.isInstance(outcome.error), `the error of "${outcome.name}" is a SecretsError`);
        assert.equal(outcome.error.secretName, outcome.name, "the secret that an error names");
      }
      codes[outcome.name] = "error" in outcome ? outcome.error.code : String(outcome.secret.text["label"]);
    }
    assert.deepEqual(codes, {
      ...Object.fromEntries(there.map((name) => [name, name])),
      "item-3": "permission_denied",
      absent: "not_found",
    });
    assert.ok(traffic.peak <= lab.capabilities.maxInFlight, `${traffic.peak} calls were under way at once`);
  }),
];
