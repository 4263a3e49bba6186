import { DriverError } from "@coffer/core";
import { all, answering, type BrokenDriver, unless } from "./breaking.ts";

export const BROKEN_BULK_READS: readonly BrokenDriver[] = [
  {
    defect: "drops missing names from a bulk read",
    breaks: (driver) => answering(driver, (outcome) => ("error" in outcome || outcome.secret !== undefined ? outcome : undefined)),
    own: "readMany: every name is answered once, missing ones too",
    also: ["bulk: getSecrets answers every name once, and one that fails stops no other"],
    because: "what a user is told of a missing name comes from the same answers",
  },
  {
    defect: "reads in bulk without the schema",
    breaks: (driver) =>
      answering(driver, (outcome) =>
        "secret" in outcome && outcome.secret?.state === "value"
          ? { ...outcome, secret: { ...outcome.secret, record: { values: outcome.secret.record.values } } }
          : outcome,
      ),
    own: "readMany: tells the same as read",
  },
  {
    defect: "asks the service for no names",
    breaks: (driver) => ({
      async *readMany(names, options) {
        let none = true;
        for await (const outcome of driver.readMany?.(names, options) ?? []) {
          none = false;
          yield outcome;
        }
        if (none) throw new DriverError("invalid_request");
      },
    }),
    own: "readMany: for no names there are no answers",
  },
  {
    defect: "reads all names before the first answer",
    breaks: (driver) => ({
      async *readMany(names, options) {
        const known = await all(names);
        const again = async function* (): AsyncIterable<string> {
          yield* known;
        };
        yield* driver.readMany?.(again(), options) ?? [];
      },
    }),
    own: "readMany: names are asked for as they are needed",
  },
  {
    defect: "drops a failing name from a bulk read",
    breaks: (driver) => answering(driver, (outcome) => ("error" in outcome ? undefined : outcome)),
    own: "readMany: a secret that cannot be read fails alone",
    also: ["bulk: getSecrets answers every name once, and one that fails stops no other"],
    because: "what a user is told of a failing name comes from the same answers",
  },
  {
    defect: "has no bulk calls, and reads what is refused as missing",
    capabilities: { batchSize: 1 },
    breaks: (driver) => ({
      read: (name, options) =>
        /\/item-\d+$/.test(name)
          ? unless(
              driver,
              "read",
              "permission_denied",
              () => driver.read(name, options),
              () => undefined,
            )
          : driver.read(name, options),
    }),
    own: "bulk: getSecrets answers every name once, and one that fails stops no other",
  },
];
