import { conformanceCases } from "@coffer/testkit";
import { describe, test } from "vitest";
import { localSubject } from "./subject.ts";

describe("local", () => {
  // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- the cases are data: their titles are names, their demands are assertions of node:assert
  for (const { name, skip, run } of conformanceCases(localSubject)) test.skipIf(skip)(name, run);
});
