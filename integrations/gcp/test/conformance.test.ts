import { conformanceCases } from "@coffer/testkit";
import { describe, test } from "vitest";
import { gcpSubject } from "./subject.ts";

describe.each(["rest", "grpc"] as const)("over %s", (transport) => {
  // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- the cases are data: their titles are names, their demands are assertions of node:assert
  for (const { name, skip, run } of conformanceCases(gcpSubject(transport))) test.skipIf(skip)(name, run);
});
