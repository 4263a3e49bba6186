import { DriverError, type SecretsManagerDriver, type StoredSecret } from "@coffer/core";
import { all, type BrokenDriver, callOf, recordAt, unless } from "./breaking.ts";

/** A restore that is content with what it cannot do, where `allowed` says so. */
function restoring(
  driver: SecretsManagerDriver,
  allowed: (name: string, options: Parameters<NonNullable<SecretsManagerDriver["restore"]>>[1]) => Promise<boolean>,
) {
  return (name: string, options: Parameters<NonNullable<SecretsManagerDriver["restore"]>>[1]): Promise<void> =>
    unless(
      driver,
      "restore",
      "not_found",
      async () => driver.restore?.(name, options),
      async (error) => {
        if (!(await allowed(name, options))) throw error;
      },
    );
}

export const BROKEN_DELETES: readonly BrokenDriver[] = [
  {
    defect: "deletes what lies below a name too",
    breaks: (driver) => ({
      delete: async (name, options) => {
        await driver.delete(name, options);
        for (const info of await all(driver.list({ ...callOf(options), prefix: `${name}/` }))) await driver.delete(info.name, options);
      },
    }),
    own: "delete: the secret is gone, and others stay",
  },
  {
    defect: "still reads what was changed and then deleted",
    breaks: (driver) => {
      const changed = new Set<string>();
      const deleted = new Map<string, StoredSecret | undefined>();
      return {
        replace: async (name, record, options) => {
          changed.add(name);
          return driver.replace(name, record, options);
        },
        delete: async (name, options) => {
          const secret = changed.has(name) ? await driver.read(name, callOf(options)) : undefined;
          await driver.delete(name, options);
          deleted.set(name, secret);
        },
        read: async (name, options) => {
          const late = deleted.get(name);
          deleted.delete(name);
          return late ?? driver.read(name, options);
        },
      };
    },
    own: "manager: what is registered can be read, changed and deleted",
    also: ["restore: a deleted secret comes back with its last content"],
    because: "it changes and deletes a secret as well",
  },
  {
    defect: "lists what was deleted",
    breaks: (driver) => {
      const ghosts = new Set<string>();
      return {
        delete: async (name, options) => {
          await driver.delete(name, options);
          if (!options.immediate) ghosts.add(name);
        },
        async *list(options) {
          const seen = new Set<string>();
          for await (const info of driver.list(options)) {
            seen.add(info.name);
            yield info;
          }
          for (const name of ghosts) if (name.startsWith(options.prefix) && !seen.has(name)) yield { name, managed: true };
        },
      };
    },
    own: "delete: a deleted secret is no longer listed",
  },
  {
    defect: "deletes what does not exist",
    breaks: (driver) => {
      const deleted = new Set<string>();
      return {
        delete: (name, options) =>
          unless(
            driver,
            "delete",
            "not_found",
            () => driver.delete(name, options).then(() => void deleted.add(name)),
            (error) => {
              if (deleted.has(name)) throw error;
            },
          ),
      };
    },
    own: "delete: a missing name is refused with not_found",
  },
  {
    defect: "deletes what is deleted",
    breaks: (driver) => {
      const deleted = new Set<string>();
      return {
        delete: (name, options) =>
          unless(
            driver,
            "delete",
            "not_found",
            () => driver.delete(name, options).then(() => void deleted.add(name)),
            (error) => {
              if (!deleted.has(name)) throw error;
            },
          ),
      };
    },
    own: "delete: the second time is refused with not_found",
  },
  {
    defect: "keeps a name reserved also after an immediate delete",
    breaks: (driver) => {
      const reserved = new Set<string>();
      return {
        delete: async (name, options) => {
          const { revision } = (await driver.read(name, callOf(options))) ?? {};
          await driver.delete(name, options);
          if (options.immediate && revision !== undefined && name.endsWith("/again")) reserved.add(name);
        },
        create: async (name, record, options) => {
          const schema = record.schema ?? "user" in record.values;
          if (reserved.has(name) && schema === true && record.values["user"] === "second") {
            reserved.delete(name);
            throw new DriverError("recently_deleted");
          }
          return driver.create(name, record, options);
        },
      };
    },
    own: "delete: after an immediate one the name is free and starts anew",
    also: ["history: a name that starts anew does not tell the old values"],
    because: "it starts a name anew as well",
  },
  {
    defect: "cannot delete for good what is deleted already",
    breaks: (driver) => ({
      delete: async (name, options) => {
        if (options.immediate && (await driver.read(name, callOf(options))) === undefined) throw new DriverError("not_found");
        await driver.delete(name, options);
      },
    }),
    own: "delete: an immediate one also frees a name that a soft delete left reserved",
  },
  {
    defect: "restores stale values",
    breaks: (driver) => ({
      restore: async (name, options) => {
        await driver.restore?.(name, options);
        const oldest = (await all(driver.history?.(name, options))).at(-1)?.revision;
        const record = oldest === undefined ? undefined : await recordAt(driver, name, { ...callOf(options), revision: oldest });
        if (record !== undefined) await driver.replace(name, record, { ...callOf(options), adopt: true });
      },
    }),
    own: "restore: a deleted secret comes back with its last content",
  },
  {
    defect: "restores what never existed",
    breaks: (driver) => {
      const known = new Set<string>();
      return {
        create: (name, record, options) => driver.create(name, record, options).finally(() => known.add(name)),
        restore: restoring(driver, async (name) => !known.has(name)),
      };
    },
    own: "restore: a name that never existed is refused with not_found",
  },
  {
    defect: "restores what is there",
    breaks: (driver) => ({
      restore: restoring(driver, async (name, options) => (await driver.read(name, options)) !== undefined),
    }),
    own: "restore: a secret that is not deleted is refused with not_found, and stays as it is",
  },
  {
    defect: "restores what was deleted for good",
    breaks: (driver) => {
      const gone = new Set<string>();
      return {
        delete: async (name, options) => {
          await driver.delete(name, options);
          if (options.immediate) gone.add(name);
        },
        restore: restoring(driver, async (name) => gone.has(name)),
      };
    },
    own: "restore: a secret that was deleted for good is refused with not_found",
  },
];
