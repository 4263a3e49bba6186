import { DriverError, type StoredSecretInfo } from "@coffer/core";
import { MemoryServiceError } from "../../src/index.ts";
import { all, type BrokenDriver } from "./breaking.ts";

export const BROKEN_LISTS: readonly BrokenDriver[] = [
  {
    defect: "takes an empty folder for a missing one",
    breaks: (driver) => ({
      async *list(options) {
        let empty = true;
        for await (const info of driver.list(options)) {
          empty = false;
          yield info;
        }
        // As long as nothing was ever stored; names that were deleted leave their folder behind.
        if (empty && (await all(driver.list({ ...options, prefix: "" }))).length === 0 && options.prefix.endsWith("/"))
          throw new DriverError("not_found");
      },
    }),
    own: "list: where nothing is stored nothing is named",
  },
  {
    defect: "lists the first page only",
    breaks: (driver) => ({
      async *list(options) {
        let left = 100;
        for await (const info of driver.list(options)) {
          yield info;
          left -= 1;
          if (left === 0) return;
        }
      },
    }),
    own: "list: more secrets than a page holds are named once each",
    also: ["list: a page that fails ends the listing with an error"],
    because: "a page that is never asked for cannot fail",
  },
  {
    defect: "names the last of a page again on the next one",
    breaks: (driver) => ({
      async *list(options) {
        let count = 0;
        let last: StoredSecretInfo | undefined;
        for await (const info of driver.list(options)) {
          if (count > 0 && count % 100 === 0 && last !== undefined) yield last;
          yield info;
          last = info;
          count += 1;
        }
      },
    }),
    own: "list: more secrets than a page holds are named once each",
  },
  {
    defect: "lets a prefix run over its boundary",
    breaks: (driver) => ({ list: (options) => driver.list({ ...options, prefix: options.prefix.replace(/\/$/, "") }) }),
    own: "list: a prefix ends where it ends",
  },
  {
    defect: "takes a prefix for a pattern",
    breaks: (driver) => ({
      async *list(options) {
        const [, path = "", rest = ""] = /^(.*\/)?([^/]*)$/.exec(options.prefix) ?? [];
        const pattern = new RegExp(`^${rest}`);
        for await (const info of driver.list({ ...options, prefix: path })) if (pattern.test(info.name.slice(path.length))) yield info;
      },
    }),
    own: "list: a prefix may end inside a part of a name",
  },
  {
    defect: "lists whole folders only",
    breaks: (driver) => ({
      async *list(options) {
        const { prefix } = options;
        for await (const info of driver.list(options))
          if (prefix.endsWith("/") || info.name === prefix || info.name.startsWith(`${prefix}/`)) yield info;
      },
    }),
    own: "list: a prefix may end inside a part of a name",
    also: ["manager: names are told without the path of their scope"],
    because: "a pattern is narrowed to the text in front of its first star",
  },
  {
    defect: "lists every namespace",
    breaks: (driver) => ({
      list: (options) => driver.list({ ...options, prefix: options.prefix.replace(/^(coffer\/namespace\/)[^/]+\/$/, "$1") }),
    }),
    own: "list: other namespaces are not named",
  },
  {
    defect: "leaves the schema out of its listings",
    breaks: (driver) => ({
      async *list(options) {
        for await (const { schema: _schema, ...info } of driver.list(options)) yield info;
      },
    }),
    own: "list: tells the schema of each secret",
  },
  {
    defect: "makes up what it does not know of a listed secret",
    breaks: (driver) => ({
      async *list(options) {
        for await (const info of driver.list(options)) yield { ...info, revision: "1" };
      },
    }),
    own: "list: what comes with a name is right or left out",
  },
  {
    defect: "is stuck when a listing is broken off",
    breaks: (driver) => {
      let stuck = false;
      return {
        async *list(options) {
          if (stuck) throw new DriverError("unavailable");
          let ended = false;
          try {
            yield* driver.list(options);
            ended = true;
          } catch (error) {
            ended = true;
            throw error;
          } finally {
            stuck = !ended;
          }
        },
      };
    },
    own: "list: one that is broken off leaves the driver usable",
  },
  {
    defect: "moves two listings by one cursor",
    breaks: (driver) => {
      const cursors = new Map<string, AsyncIterator<StoredSecretInfo>>();
      return {
        async *list(options) {
          const cursor = cursors.get(options.prefix) ?? driver.list(options)[Symbol.asyncIterator]();
          cursors.set(options.prefix, cursor);
          try {
            for (let step = await cursor.next(); step.done !== true; step = await cursor.next()) yield step.value;
          } finally {
            cursors.delete(options.prefix);
          }
        },
      };
    },
    own: "list: two at the same time are both whole",
  },
  {
    defect: "ends a listing quietly when a later page fails",
    breaks: (driver) => ({
      async *list(options) {
        let some = false;
        try {
          for await (const info of driver.list(options)) {
            some = true;
            yield info;
          }
        } catch (error) {
          if (!some || !(error instanceof MemoryServiceError) || error.status !== 500) throw error;
        }
      },
    }),
    own: "list: a page that fails ends the listing with an error",
  },
  {
    defect: "takes a first page that fails for the end",
    breaks: (driver) => ({
      async *list(options) {
        let some = false;
        try {
          for await (const info of driver.list(options)) {
            some = true;
            yield info;
          }
        } catch (error) {
          if (some || !(error instanceof MemoryServiceError) || error.status !== 500) throw error;
        }
      },
    }),
    own: "manager: a listing with a page that fails never ends as if it were whole",
  },
  {
    defect: "hands out the first page alone",
    breaks: (driver) => ({
      async *listPages(options) {
        yield (await all(driver.list(options))).slice(0, 100);
      },
    }),
    own: "list: a driver that hands out pages tells the same in them",
  },
];
