import { conformanceCases } from "@coffer/testkit";
import { describe, test } from "vitest";
import { AWS_CAPABILITIES } from "../src/capabilities.ts";
import { awsSubject } from "./subject.ts";

const cases = conformanceCases(awsSubject);

// oxlint-disable vitest/expect-expect, vitest/valid-title -- the cases are data: their titles are names, their demands are assertions of node:assert
describe.concurrent("aws", () => {
  for (const { name, skip, run } of cases) test.skipIf(skip)(name, run);
});

// AWS promises only late reads, so the cases that need prompt ones do not apply to it. Its emulator reads promptly, and the driver must not be what is late.
describe.concurrent("aws, where reads are prompt", () => {
  const prompt = conformanceCases({ ...awsSubject, capabilities: { ...AWS_CAPABILITIES, readAfterWrite: "strong" } });
  const more = prompt.filter(({ name, skip }) => skip === false && cases.some((each) => each.name === name && each.skip !== false));
  for (const { name, run } of more) test(name, run);
});
