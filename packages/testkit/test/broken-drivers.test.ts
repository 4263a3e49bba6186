import { beforeAll, describe, expect, test, vi } from "vitest";
import { conformanceCases } from "../src/index.ts";
import { BROKEN_DRIVERS } from "./broken-drivers.ts";
import { memorySubject } from "./memory-subject.ts";

// Two cases throw dice over everything that others ask one by one: they may notice any defect, and need not.
const SWEEP = /^random: /;
// What the manager refuses by itself no driver can get wrong.
const BEYOND_THE_DRIVER = /^(refused|closed): /;

// Some of these drivers print what they must not; nobody has to read it.
beforeAll(() => {
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  for (const method of ["error", "warn"] as const) vi.spyOn(console, method).mockReturnValue(undefined);
  return () => vi.restoreAllMocks();
});

/** The cases that fail on this driver, all run at once: they share nothing. */
async function failingCases({ capabilities = {}, breaks }: (typeof BROKEN_DRIVERS)[number]): Promise<string[]> {
  const subject = {
    ...memorySubject(capabilities, (driver, service) => ({ ...driver, ...breaks(driver, service) })),
    patienceMs: 2_000,
    listingSize: 150,
    randomSize: 100,
  };
  const applicable = conformanceCases(subject).filter(({ skip }) => skip === false);
  const ended = await Promise.allSettled(applicable.map(({ run }) => run()));
  return applicable.map(({ name }) => name).filter((_name, index) => ended[index]?.status === "rejected");
}

describe.concurrent("one defect", () => {
  for (const broken of BROKEN_DRIVERS) {
    const { defect, own, also = [] } = broken;
    test(`a driver that ${defect} fails "${own}"${also.length === 0 ? " and no other" : ` and ${also.length} that rest on it`}`, async ({
      expect,
    }) => {
      const failed = await failingCases(broken);
      expect(failed.filter((name) => SWEEP.test(own) || !SWEEP.test(name)).toSorted()).toEqual([own, ...also].toSorted());
    });
  }
});

test("most defects are noticed by their own case alone, and every other says why not", () => {
  const alone = BROKEN_DRIVERS.filter(({ also }) => also === undefined);
  expect(alone.length).toBeGreaterThan(BROKEN_DRIVERS.length * 0.8);
  for (const { also, because, defect } of BROKEN_DRIVERS) expect([defect, also === undefined]).toEqual([defect, because === undefined]);
});

test("every demand on a driver is shown to bite", () => {
  const bitten = new Set(BROKEN_DRIVERS.flatMap(({ own, also = [] }) => [own, ...also]));
  const names = conformanceCases(memorySubject()).map(({ name }) => name);
  expect(names.filter((name) => !bitten.has(name) && !BEYOND_THE_DRIVER.test(name))).toEqual([]);
});

test("every demand of the suite, and every defect, has a name of its own", () => {
  for (const names of [conformanceCases(memorySubject()).map(({ name }) => name), BROKEN_DRIVERS.map(({ defect }) => defect)])
    expect(names).toEqual([...new Set(names)]);
});
