import { type BrokenDriver, callOf, explaining, mixing, reading, unless } from "./breaking.ts";

export const BROKEN_CREATES: readonly BrokenDriver[] = [
  {
    defect: "overwrites on create",
    breaks: (driver) => ({
      create: (name, record, options) =>
        unless(
          driver,
          "create",
          "already_exists",
          () => driver.create(name, record, options),
          () => driver.replace(name, record, { ...options, adopt: true }),
        ),
    }),
    own: "create: a taken name is refused with already_exists, and the old content stays",
    also: [
      "create: of many at the same time exactly one succeeds",
      "create: onDeleted restore still refuses a name that is taken",
      "foreign: a name that another tool has taken is refused with already_exists",
      "manager: a rename never overwrites",
    ],
    because: "they are the other ways to meet a name that is taken",
  },
  {
    defect: "calls a taken name a conflict",
    breaks: (driver) =>
      explaining(driver, (info, _error, operation) =>
        operation === "create" && info.code === "already_exists" ? { ...info, code: "conflict" } : info,
      ),
    own: "create: a taken name is refused with already_exists, and the old content stays",
    also: [
      "create: onDeleted restore still refuses a name that is taken",
      "foreign: a name that another tool has taken is refused with already_exists",
      "manager: a rename never overwrites",
    ],
    because: "they are the other ways to meet a name that is taken",
  },
  {
    defect: "answers create with a revision that nobody knows",
    breaks: (driver) => ({ create: async (name, record, options) => `${await driver.create(name, record, options)}0` }),
    own: "create: the revision that it answers is the one that is read",
  },
  {
    defect: "checks before it creates, and lets the second one win",
    breaks: (_driver, service) => {
      const racy = service.open({ atomicCreate: false });
      return { create: (name, record, options) => racy.create(name, record, options) };
    },
    own: "create: of many at the same time exactly one succeeds",
  },
  {
    defect: "mixes two creates of one name",
    capabilities: { atomicCreate: false },
    breaks: (driver) => ({ create: mixing((name, record, options) => driver.create(name, record, options)) }),
    own: "create: of many at the same time one content survives whole",
  },
  {
    defect: "says already_exists of a reserved name",
    breaks: (driver) => explaining(driver, (info) => (info.code === "recently_deleted" ? { ...info, code: "already_exists" } : info)),
    own: "create: a name that a soft delete left reserved is refused with recently_deleted",
  },
  {
    defect: "brings a reserved name back with its old content",
    breaks: (driver) => ({
      create: (name, record, options) =>
        unless(
          driver,
          "create",
          "recently_deleted",
          () => driver.create(name, record, { ...options, onDeleted: "error" }),
          async (error) => {
            if (options.onDeleted === "error") throw error;
            await driver.restore?.(name, options);
            return (await driver.read(name, callOf(options)))?.revision;
          },
        ),
    }),
    own: "create: onDeleted restore brings a reserved name back with the new content",
  },
  {
    defect: "overwrites a name that it was allowed to restore",
    breaks: (driver) => ({
      create: (name, record, options) =>
        unless(
          driver,
          "create",
          "already_exists",
          () => driver.create(name, record, options),
          (error) => {
            if (options.onDeleted === "error") throw error;
            return driver.replace(name, record, { ...options, adopt: true });
          },
        ),
    }),
    own: "create: onDeleted restore still refuses a name that is taken",
  },
  {
    defect: "creates over what other tools have written",
    breaks: (driver) => ({
      create: (name, record, options) =>
        unless(
          driver,
          "create",
          "already_exists",
          () => driver.create(name, record, options),
          async (error) => {
            if ((await driver.read(name, callOf(options)))?.managed !== false) throw error;
            return driver.replace(name, record, { ...options, adopt: true });
          },
        ),
    }),
    own: "foreign: a name that another tool has taken is refused with already_exists",
  },
  {
    defect: "tells no revision of what it reads",
    breaks: (driver) => reading(driver, ({ revision: _revision, ...secret }) => secret),
    own: "create: the revision that it answers is the one that is read",
    also: [
      "replace: with the current revision expected it succeeds, and the revision changes",
      "replace: with an older revision expected it is refused with conflict, and the content stays",
      "replace: with a revision expected a missing name is still not_found",
      "replace: of many with the same revision expected exactly one succeeds",
      "revisions: an older one can be read",
      "history: newest first, all of them, the first one current",
      "list: what comes with a name is right or left out",
      "readMany: tells the same as read",
      "manager: an update of a revision that is no longer current is a conflict",
      "manager: updates of different keys at the same time are all kept",
      "manager: a rollback makes the old content current as a new revision",
    ],
    because: "nothing can be compared, read or brought back by a revision that nobody tells",
  },
];
