import assert from "node:assert/strict";
import { type CaseDefinition, demand } from "../definition.ts";

/** What a driver declares, and that it keeps to it. */
export const contractCases: readonly CaseDefinition[] = [
  demand("contract: the driver declares what the subject says", [], async (lab) => {
    assert.deepEqual({ ...lab.driver.capabilities }, { ...lab.subject.capabilities });
  }),

  demand("contract: optional calls are there exactly when a capability declares them", [], async (lab) => {
    const { driver, capabilities } = lab;
    assert.deepEqual(
      { history: driver.history !== undefined, restore: driver.restore !== undefined, readMany: driver.readMany !== undefined },
      { history: capabilities.revisions, restore: capabilities.restore, readMany: capabilities.batchSize > 1 },
    );
  }),

  demand("contract: declared limits are numbers that can be worked with", [], async (lab) => {
    const { batchSize, maxInFlight, maxValueBytes } = lab.capabilities;
    assert.ok(Number.isInteger(batchSize) && batchSize >= 1, "batchSize is an integer from 1");
    assert.ok(Number.isInteger(maxInFlight) && maxInFlight >= 1, "maxInFlight is an integer from 1");
    assert.ok(
      maxValueBytes === null || (Number.isInteger(maxValueBytes) && maxValueBytes > 0),
      "maxValueBytes is null or a positive integer",
    );
  }),

  demand("contract: close ends, and a closed driver answers nothing", [], async (lab) => {
    const { driver } = lab;
    if (driver.close === undefined) return;
    await lab.patiently("close", driver.close());
    const late = await lab.patiently(
      "read after close",
      driver.read(lab.name("absent"), lab.call()).then(
        () => "answered",
        () => "failed",
      ),
    );
    assert.equal(late, "failed", "read after close");
  }),
];
