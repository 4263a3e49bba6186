import { DriverError, type Revision, type StoredSecret } from "@coffer/core";
import { type BrokenDriver, explaining, reading, storing, withValues, writing } from "./breaking.ts";

export const BROKEN_VALUES: readonly BrokenDriver[] = [
  {
    defect: "hides what is kept under the key password",
    breaks: (driver) => storing(driver, (value, key) => (key === "password" ? "********" : value)),
    own: "values: keys and values come back",
  },
  {
    defect: "loses empty values",
    breaks: (driver) => storing(driver, (value) => (value === "" ? undefined : value)),
    own: "values: the empty value is a value",
  },
  {
    defect: "trims values",
    breaks: (driver) => storing(driver, (value) => value.replaceAll(/^[ \t\r\n]+|[ \t\r\n]+$/g, "")),
    own: "values: white space and line ends are kept",
  },
  {
    defect: "turns CRLF into LF",
    breaks: (driver) => storing(driver, (value) => value.replaceAll("\r\n", "\n")),
    own: "values: white space and line ends are kept",
  },
  {
    defect: "normalises Unicode",
    breaks: (driver) => storing(driver, (value) => value.normalize("NFC")),
    own: "values: Unicode is kept as it is, not normalised",
  },
  {
    defect: "swallows a byte order mark",
    breaks: (driver) => storing(driver, (value) => value.replace(/^\ufeff/, "")),
    own: "values: a byte order mark is kept",
  },
  {
    defect: "ends text at NUL",
    breaks: (driver) => storing(driver, (value) => value.split("\0")[0]),
    own: "values: NUL and other control characters are kept",
  },
  {
    defect: "reads numbers out of text",
    breaks: (driver) => storing(driver, (value) => (/^0\d+$/.test(value) ? String(Number(value)) : value)),
    own: "values: text that looks like JSON, YAML or code stays text",
  },
  {
    defect: "keeps 64 keys of a secret",
    breaks: (driver) =>
      writing(driver, (record) => {
        let left = 64;
        return withValues(record, (_key, value) => ((left -= 1) < 0 ? undefined : value));
      }),
    own: "values: a secret of many keys comes back whole",
  },
  {
    defect: "takes a secret without a key for one without a value",
    breaks: (driver) =>
      reading(driver, ({ revision, managed, ...secret }) =>
        secret.state === "value" && Object.keys(secret.record.values).length > 0
          ? { revision, managed, ...secret }
          : { revision, managed, state: "empty" },
      ),
    own: "values: a secret without a key is a secret",
  },
  {
    defect: "cuts long values",
    breaks: (driver) => storing(driver, (value) => value.slice(0, 65_535)),
    own: "values: a large value comes back whole",
  },
  {
    defect: "refuses what is as large as it may be",
    capabilities: { maxValueBytes: 4096 },
    breaks: (_driver, service) => {
      const narrow = service.open({ maxValueBytes: 4095 });
      return { create: (name, record, options) => narrow.create(name, record, options) };
    },
    own: "values: a payload of exactly the declared limit is stored",
  },
  {
    defect: "stores what is too large",
    capabilities: { maxValueBytes: 4096 },
    breaks: (_driver, service) => {
      const wide = service.open({ maxValueBytes: 4097 });
      return { create: (name, record, options) => wide.create(name, record, options) };
    },
    own: "values: one byte more than the declared limit is refused with too_large, and nothing is stored",
  },
  {
    defect: "reports what is too large as an invalid request",
    capabilities: { maxValueBytes: 4096 },
    breaks: (driver) => explaining(driver, (info) => (info.code === "too_large" ? { ...info, code: "invalid_request" } : info)),
    own: "values: one byte more than the declared limit is refused with too_large, and nothing is stored",
  },
  {
    defect: "loses the schema on create",
    breaks: (driver) => ({ create: (name, { values }, options) => driver.create(name, { values }, options) }),
    own: "schema: the type comes back with the values",
    also: [
      "list: tells the schema of each secret",
      "manager: a secret with a schema comes back typed",
      "manager: a rename takes values and schema along",
      "manager: a copy goes into another namespace",
      "manager: a rollback makes the old content current as a new revision",
    ],
    because: "what was never stored can be told, moved or brought back by nobody",
  },
  {
    defect: "loses the schema on replace",
    breaks: (driver) => ({ replace: (name, { values }, options) => driver.replace(name, { values }, options) }),
    own: "schema: the type changes and goes with replace",
    also: ["manager: a rollback makes the old content current as a new revision"],
    because: "a rollback is a replace with the older record",
  },
  {
    defect: "hands out what it holds",
    breaks: (driver) => {
      const held = new Map<Revision, StoredSecret>();
      return reading(driver, (secret) => {
        const again = held.get(secret.revision ?? "") ?? secret;
        if (again.revision !== undefined) held.set(again.revision, again);
        return again;
      });
    },
    own: "values: changing what was passed or answered does not change what is stored",
  },
  {
    defect: "drops the key __proto__",
    breaks: (driver) => storing(driver, (value, key) => (key === "__proto__" ? undefined : value)),
    own: "keys: the names of what every object has are keys like any other",
  },
  {
    defect: "takes a key of the user's for the type of the schema",
    breaks: (driver) => storing(driver, (value, key) => (key === "zenml_schema_name" ? undefined : value)),
    own: "keys: a key that the former system reserved is kept, and no schema",
  },
  {
    defect: "answers values on an ordinary object",
    breaks: (driver) =>
      reading(driver, (secret) => {
        // `__proto__` is kept: only what objects inherit shows the defect.
        if (secret.state === "value") Object.setPrototypeOf(secret.record.values, Object.prototype);
        return secret;
      }),
    own: "keys: a key that was never written is not there, whatever objects inherit",
  },
  {
    defect: "keeps one of two keys that differ in case alone",
    breaks: (driver) =>
      writing(driver, (record) => {
        const last = new Map(Object.keys(record.values).map((key) => [key.toLowerCase(), key]));
        return withValues(record, (key, value) => (last.get(key.toLowerCase()) === key ? value : undefined));
      }),
    own: "keys: keys may differ in case alone",
  },
  {
    defect: "normalises keys",
    breaks: (driver) =>
      writing(driver, (record) => ({
        ...record,
        values: Object.setPrototypeOf(
          Object.fromEntries(Object.entries(record.values).map(([key, value]) => [key.normalize("NFC"), value])),
          null,
        ) as Record<string, string>,
      })),
    own: "keys: keys may differ in Unicode normalisation alone",
  },
  {
    defect: "refuses keys with a dot",
    breaks: (driver) =>
      writing(driver, (record) => {
        if ("a.b" in record.values) throw new DriverError("invalid_request");
        return record;
      }),
    own: "keys: every character of a new key is kept",
  },
  {
    defect: "drops keys that it would not have allowed",
    breaks: (driver) => storing(driver, (value, key) => (/^[\p{L}\p{M}_$][\p{L}\p{M}\w.-]*$/u.test(key) ? value : undefined)),
    own: "keys: keys that other tools have made are kept",
  },
];
