import { DriverError } from "@coffer/core";
import { type BrokenDriver, naming, reading } from "./breaking.ts";

export const BROKEN_NAMES: readonly BrokenDriver[] = [
  {
    defect: "drops the dot at the end of a name",
    breaks: (driver) => naming(driver, (name) => name.replace(/(?<=\w)\.$/, "")),
    own: "names: every portable character is kept",
  },
  {
    defect: "does not escape its own escape",
    breaks: (driver) => naming(driver, (name) => name.replaceAll("_x2f", "/")),
    own: "names: lookalikes of escapes and separators stay apart",
  },
  {
    defect: "keeps a secret in the place of a folder",
    breaks: (driver) => {
      const files = new Set<string>();
      return {
        create: async (name, record, options) => {
          for (const file of files) if (name.startsWith(`${file}/`)) throw new DriverError("invalid_request");
          const revision = await driver.create(name, record, options);
          files.add(name);
          return revision;
        },
        delete: async (name, options) => {
          await driver.delete(name, options);
          files.delete(name);
        },
      };
    },
    own: "names: a name and the path below it are two secrets",
    also: ["names: lookalikes of escapes and separators stay apart", "delete: the secret is gone, and others stay"],
    because: "their names lie above and below each other too",
  },
  {
    defect: "cuts long names",
    breaks: (driver) => naming(driver, (name) => name.slice(0, 127)),
    own: "names: the longest names stay apart",
  },
  {
    defect: "keeps no secret called __proto__",
    breaks: (driver) => ({
      create: async (name, record, options) => (name.endsWith("/__proto__") ? undefined : driver.create(name, record, options)),
    }),
    own: "names: the names of what every object has are names like any other",
  },
  {
    defect: "finds a constructor in an object of secrets",
    breaks: (driver) => ({
      read: async (name, options) => {
        const secret = await driver.read(name, options);
        return name.endsWith("/constructor") ? (secret ?? { state: "empty", managed: null }) : secret;
      },
    }),
    own: "names: the names of what every object has are names like any other",
  },
  {
    defect: "refuses a name that differs in case alone",
    breaks: (driver) => {
      const folded = new Map<string, string>();
      return {
        create: async (name, record, options) => {
          const twin = folded.get(name.toLowerCase());
          if (twin !== undefined && twin !== name) throw new DriverError("already_exists");
          folded.set(name.toLowerCase(), name);
          return driver.create(name, record, options);
        },
      };
    },
    own: "names: names that differ in case alone are two secrets",
  },
  {
    defect: "answers a name with its case twin",
    capabilities: { caseSensitive: false },
    breaks: (driver) => {
      const names = new Map<string, string>();
      return {
        create: async (name, record, options) => {
          const revision = await driver.create(name, record, options);
          names.set(name.toLowerCase(), name);
          return revision;
        },
        read: (name, options) => driver.read(names.get(name.toLowerCase()) ?? name, options),
      };
    },
    own: "names: a case twin is refused on create, missing everywhere else, and never overwrites",
  },
  {
    defect: "lists in scope none what others have written alone",
    breaks: (driver) => ({
      async *list(options) {
        for await (const info of driver.list(options)) if (options.scope !== "none" || info.managed === false) yield info;
      },
    }),
    own: "names: with scope none a name is the service's own",
  },
  {
    defect: "takes two namespaces that look alike for one",
    breaks: (driver) => naming(driver, (name) => name.replace(/^(coffer\/namespace\/team-[^/]+?)[2.]\//, "$1/")),
    own: "manager: two namespaces that look alike are apart",
  },
  {
    defect: "keeps the secrets of a component with everybody's",
    breaks: (driver) => naming(driver, (name) => name.replace(/^coffer\/component\/[^/]+\//, "coffer/global/")),
    own: "manager: scopes are apart",
  },
  {
    defect: "claims to have written everything",
    breaks: (driver) => reading(driver, (secret, _name, { scope }) => (scope === "none" ? { ...secret, managed: true } : secret)),
    own: "foreign: keys and values of another tool can be read and listed, and count as unmanaged",
  },
  {
    defect: "claims everything within its scope",
    breaks: (driver) => reading(driver, (secret, _name, { scope }) => (scope === "none" ? secret : { ...secret, managed: true })),
    own: "foreign: an unmarked secret within the scope can be read, and is not called ours",
  },
  {
    defect: "replaces whatever lies within its scope",
    breaks: (driver) => ({
      replace: (name, record, options) =>
        driver.replace(name, record, { ...options, ...(options.scope === "none" ? {} : { adopt: true }) }),
    }),
    own: "foreign: an unmarked secret within the scope is not replaced by accident",
  },
  {
    defect: "lists what lies beside its scope",
    breaks: (driver) => ({
      async *list(options) {
        yield* driver.list(options);
        if (/^coffer\/namespace\/[^/]+\/$/.test(options.prefix)) yield* driver.list({ ...options, prefix: "foreign-" });
      },
    }),
    own: "foreign: what lies beside the scope is not listed in it",
  },
];
