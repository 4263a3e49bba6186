import { DriverError } from "@coffer/core";
import { type BrokenDriver, callOf, mixing, recordAt, unless } from "./breaking.ts";

export const BROKEN_REPLACES: readonly BrokenDriver[] = [
  {
    defect: "merges instead of replacing",
    breaks: (driver) => ({
      replace: async (name, record, options) => {
        const before = await recordAt(driver, name, callOf(options));
        const values: Record<string, string> = Object.assign(Object.create(null), before?.values, record.values);
        return driver.replace(name, { ...record, values }, options);
      },
    }),
    own: "replace: the whole content is replaced",
    also: [
      "manager: an update keeps the keys that it does not name, and removes those that it shall",
      "manager: upsert creates first and replaces then",
    ],
    because: "both write fewer keys than there were",
  },
  {
    defect: "creates on replace",
    breaks: (driver) => ({
      replace: (name, record, options) =>
        unless(
          driver,
          "replace",
          "not_found",
          () => driver.replace(name, record, options),
          async (error) => {
            if (options.expected !== undefined) throw error;
            try {
              return await driver.create(name, record, { ...options, onDeleted: "error" });
            } catch {
              throw error;
            }
          },
        ),
    }),
    own: "replace: a missing name is refused with not_found, and nothing is created",
  },
  {
    defect: "brings a deleted secret back by replacing it",
    breaks: (driver) => ({
      replace: (name, record, options) =>
        unless(
          driver,
          "replace",
          "not_found",
          () => driver.replace(name, record, options),
          async (error) => {
            try {
              await driver.restore?.(name, options);
            } catch {
              throw error;
            }
            return driver.replace(name, record, options);
          },
        ),
    }),
    own: "replace: a deleted name is refused with not_found",
  },
  {
    defect: "answers replace with the revision that it has replaced",
    breaks: (driver) => ({
      replace: async (name, record, options) => {
        const revision = await driver.replace(name, record, options);
        return options.expected ?? revision;
      },
    }),
    own: "replace: with the current revision expected it succeeds, and the revision changes",
  },
  {
    defect: "ignores the expected revision",
    breaks: (driver) => ({ replace: (name, record, { expected: _expected, ...options }) => driver.replace(name, record, options) }),
    own: "replace: with an older revision expected it is refused with conflict, and the content stays",
    also: [
      "replace: of many with the same revision expected exactly one succeeds",
      "manager: updates of different keys at the same time are all kept",
    ],
    because: "races are only lost where somebody compares",
  },
  {
    defect: "compares first, and replaces whatever is there by then",
    breaks: (_driver, service) => {
      const racy = service.open({ compareAndSwap: "best_effort" });
      return { replace: (name, record, options) => racy.replace(name, record, options) };
    },
    own: "replace: of many with the same revision expected exactly one succeeds",
    also: ["manager: updates of different keys at the same time are all kept"],
    because: "concurrent updates rest on the same comparison",
  },
  {
    defect: "calls a secret that is gone a conflict",
    breaks: (driver) => ({
      replace: (name, record, options) =>
        unless(
          driver,
          "replace",
          "not_found",
          () => driver.replace(name, record, options),
          (error) => {
            throw options.expected === undefined ? error : new DriverError("conflict", error);
          },
        ),
    }),
    own: "replace: with a revision expected a missing name is still not_found",
  },
  {
    defect: "mixes two replaces of one name",
    breaks: (driver) => {
      const mixed = mixing((name, record, options: Parameters<typeof driver.replace>[2]) => driver.replace(name, record, options));
      return {
        replace: (name, record, options) =>
          options.expected === undefined ? mixed(name, record, options) : driver.replace(name, record, options),
      };
    },
    own: "replace: many at the same time leave one content whole",
  },
  {
    defect: "replaces what other tools have written",
    breaks: (driver) => ({
      replace: (name, record, options) =>
        driver.replace(name, record, { ...options, ...(options.scope === "none" ? { adopt: true } : {}) }),
    }),
    own: "foreign: an unmarked secret is only replaced with adopt, and is marked then",
  },
  {
    defect: "remembers what it has read",
    breaks: (driver) => {
      const seen = new Map<string, Awaited<ReturnType<typeof driver.read>>>();
      const forgetting =
        <Args extends readonly unknown[], Result>(call: (name: string, ...rest: Args) => Promise<Result>) =>
        async (name: string, ...rest: Args): Promise<Result> => {
          seen.delete(name);
          return call(name, ...rest);
        };
      return {
        read: async (name, options) => {
          if (options.revision !== undefined || options.scope === "none") return driver.read(name, options);
          const known = seen.get(name) ?? (await driver.read(name, options));
          if (name.endsWith("/shared")) seen.set(name, known);
          return known;
        },
        replace: forgetting(driver.replace),
        delete: forgetting(driver.delete),
      };
    },
    own: "manager: two managers on one service see each other's secrets",
  },
];
