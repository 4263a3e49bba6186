import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ALWAYS_MADE, exercise, type Fault } from "./cases.ts";
import { OPERATION_NAMES } from "./operations.ts";
import { Stores } from "./stores.ts";
import { hasStrace, needsStrace } from "./strace.ts";

const KILLED: Fault = { title: "SIGKILL", inject: "signal=SIGKILL", codes: [] };

describe.skipIf(!hasStrace)(`T63: kill -9 at every system call on the files of a store${needsStrace}`, () => {
  let stores: Stores;
  beforeAll(async () => {
    stores = await Stores.prepare();
  });
  afterAll(() => stores.remove());

  test.each(OPERATION_NAMES)("%s leaves the old or the new state", async (name) => {
    const { problems, calls } = await exercise(stores, name, KILLED);
    expect(problems).toEqual([]);
    expect(calls).toEqual(expect.arrayContaining(ALWAYS_MADE));
  });
});
