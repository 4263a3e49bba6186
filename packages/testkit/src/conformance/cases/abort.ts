import assert from "node:assert/strict";
import { type CaseDefinition, demand, fixtures, writes } from "../definition.ts";
import { collect, type Lab, recordOf } from "../lab.ts";

/** Calls that are given up half way. */
export const abortCases: readonly CaseDefinition[] = [
  demand("abort: reads that are given up leave the driver usable", [fixtures], async (lab) => {
    const name = lab.name("there");
    await lab.stored(name, { user: "etl" });
    await lab.expectNames([name]);
    await givenUp(lab, (signal) => lab.driver.read(name, lab.call({ signal })));
    await givenUp(lab, (signal) => collect(lab.driver.list({ ...lab.call({ signal }), prefix: lab.prefix })));
    await lab.expectContent(name, recordOf({ user: "etl" }));
    await lab.expectNames([name]);
  }),

  demand("abort: writes that are given up happen whole or not at all, and leave the driver usable", [writes], async (lab) => {
    const name = lab.name("there");
    await lab.stored(name, { user: "first" });
    await givenUp(lab, (signal) =>
      lab.driver.replace(name, recordOf({ user: "second", more: "x" }), { ...lab.call({ signal }), adopt: false }),
    );
    const created = lab.name("created");
    await givenUp(lab, (signal) =>
      lab.driver.create(created, recordOf({ user: "new", more: "x" }), { ...lab.call({ signal }), onDeleted: "error" }),
    );
    for (const [secret, states] of [
      [name, ["user=first", "user=second,more=x"]],
      [created, ["missing", "user=new,more=x"]],
    ] as const) {
      await lab.settle("readAfterWrite", async () => {
        const answer = await lab.read(secret);
        const state =
          answer === undefined
            ? "missing"
            : answer.state === "empty"
              ? "empty"
              : Object.entries(answer.record.values)
                  .map((pair) => pair.join("="))
                  .toSorted()
                  .toReversed()
                  .join(",");
        assert.ok((states as readonly string[]).includes(state), `after a write was given up the secret is ${state}`);
      });
    }
    const record = recordOf({ user: "last" });
    await lab.replace(name, record);
    await lab.expectContent(name, record);
  }),
];

/** Starts a call, gives up at once, and waits until the driver has ended it one way or the other. */
async function givenUp(lab: Lab, start: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const controller = new AbortController();
  const ended = start(controller.signal).then(
    () => undefined,
    (error: unknown) => void lab.explain(error, "read"),
  );
  await Promise.resolve();
  controller.abort();
  await lab.patiently("a call that was given up", ended);
}
