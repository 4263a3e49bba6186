import { expect, test } from "vitest";
import { conformanceCases } from "../src/index.ts";
import { memorySubject } from "./memory-subject.ts";

test("a driver that always finds out what became of a lost answer passes every case about lost answers", async () => {
  // To the caller of such a driver it is as if no answer had been lost.
  const cases = conformanceCases({ ...memorySubject(), faults: { loseAnswer: () => {} } }).filter(({ name }) => name.includes("lost"));
  expect(cases.map(({ skip }) => skip)).toEqual(Array.from({ length: 5 }, () => false));
  for (const { run } of cases) await run();
});
