import { conformanceCases } from "@coffer/testkit";
import { describe, test } from "vitest";
import { azureSubject } from "./subject.ts";

describe("azure_key_vault", () => {
  // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- the cases are data: their titles are names, their demands are assertions of node:assert
  for (const { name, skip, run } of conformanceCases(azureSubject)) test.skipIf(skip)(name, run);
});
