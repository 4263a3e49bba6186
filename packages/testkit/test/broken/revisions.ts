import { type BrokenDriver, all, callOf, recordAt, unless } from "./breaking.ts";

export const BROKEN_REVISIONS: readonly BrokenDriver[] = [
  {
    defect: "tells an older revision by the current content",
    breaks: (driver) => ({
      read: async (name, options) => {
        const asked = await driver.read(name, options);
        const record = options.revision === undefined ? undefined : await recordAt(driver, name, callOf(options));
        return asked?.state === "value" && record !== undefined ? { ...asked, record } : asked;
      },
    }),
    own: "revisions: an older one can be read",
    also: ["manager: a rollback makes the old content current as a new revision"],
    because: "a rollback writes what that revision is said to have been",
  },
  {
    defect: "answers an unknown revision with the current one",
    breaks: (driver) => ({
      read: (name, options) =>
        options.revision === undefined
          ? driver.read(name, options)
          : unless(
              driver,
              "read",
              "not_found",
              () => driver.read(name, options),
              () => driver.read(name, callOf(options)),
            ),
    }),
    own: "revisions: one that does not exist is never answered with another",
  },
  {
    defect: "tells history oldest first",
    breaks: (driver) => ({
      async *history(name, options) {
        yield* (await all(driver.history?.(name, options))).toReversed();
      },
    }),
    own: "history: newest first, all of them, the first one current",
  },
  {
    defect: "takes seconds for milliseconds",
    breaks: (driver) => ({
      async *history(name, options) {
        for (const info of await all(driver.history?.(name, options)))
          yield { ...info, createdAt: new Date((info.createdAt?.getTime() ?? 0) / 1000) };
      },
    }),
    own: "history: tells the time and the schema where it can, and nothing wrong",
  },
  {
    defect: "tells an empty history of what is missing",
    breaks: (driver) => ({
      async *history(name, options) {
        yield* await unless(
          driver,
          "history",
          "not_found",
          () => all(driver.history?.(name, options)),
          () => [],
        );
      },
    }),
    own: "history: a missing name is refused with not_found",
  },
  {
    defect: "keeps the history of a name that was deleted for good",
    breaks: (driver) => {
      const past = new Map<
        string,
        Awaited<ReturnType<typeof all<{ revision: string; createdAt: Date | null; current: boolean; schema: string | null }>>>
      >();
      return {
        delete: async (name, options) => {
          const infos = options.immediate ? await all(driver.history?.(name, options)).catch(() => []) : [];
          await driver.delete(name, options);
          past.set(name, [...infos, ...(past.get(name) ?? [])]);
        },
        async *history(name, options) {
          yield* await all(driver.history?.(name, options));
          for (const info of past.get(name) ?? []) yield { ...info, current: false };
        },
      };
    },
    own: "history: a name that starts anew does not tell the old values",
  },
];
