import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ALWAYS_MADE, exercise, type Fault } from "./cases.ts";
import { OPERATION_NAMES, OPERATIONS } from "./operations.ts";
import { Stores } from "./stores.ts";
import { hasStrace, needsStrace } from "./strace.ts";

const FAULTS: readonly Fault[] = [
  // One error, as a disk gives when a sector is bad.
  { title: "EIO", inject: "error=EIO", codes: ["unavailable"] },
  // A disk that is full stays so.
  { title: "ENOSPC", inject: "error=ENOSPC", lasting: true, codes: ["unavailable"] },
  // What passes by itself must not keep a process from trying again.
  { title: "EACCES, then tried again", inject: "error=EACCES", again: true, codes: [] },
];

const names = OPERATION_NAMES.filter((name) => !("most" in OPERATIONS[name]));

describe.skipIf(!hasStrace)(`T64: an error at every system call on the files of a store${needsStrace}`, () => {
  let stores: Stores;
  beforeAll(async () => {
    stores = await Stores.prepare();
  });
  afterAll(() => stores.remove());

  describe.each(FAULTS)("$title", (fault) => {
    test.each(names)("%s tells the truth about what the store then holds", async (name) => {
      const { problems, calls } = await exercise(stores, name, fault);
      expect(problems).toEqual([]);
      expect(calls).toEqual(expect.arrayContaining(ALWAYS_MADE));
    });
  });

  test.each(["EROFS", "EDQUOT"])("%s: register tells the truth about what the store then holds", async (code) => {
    const { problems } = await exercise(stores, "register", {
      title: code,
      inject: `error=${code}`,
      lasting: true,
      codes: ["unavailable"],
    });
    expect(problems).toEqual([]);
  });
});
