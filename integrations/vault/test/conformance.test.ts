import { conformanceCases } from "@coffer/testkit";
import { describe, test } from "vitest";
import { vaultSubject } from "./subject.ts";

const subjects = {
  "vault, KV version 2": vaultSubject(2),
  "vault, KV version 2 with soft delete and markers": vaultSubject(2, { soft_delete: true, custom_metadata: true }),
  "vault, KV version 1": vaultSubject(1, { mount: "kv1" }),
  "openbao, KV version 2": vaultSubject(2, {}, { product: "openbao" }),
};

// oxlint-disable vitest/expect-expect, vitest/valid-title -- the cases are data: their titles are names, their demands are assertions of node:assert
for (const [title, subject] of Object.entries(subjects)) {
  describe.concurrent(title, () => {
    for (const { name, skip, run } of conformanceCases(subject)) test.skipIf(skip)(name, run);
  });
}
