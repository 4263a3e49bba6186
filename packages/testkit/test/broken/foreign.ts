import { type BrokenDriver, explaining, reading, unless, withValues } from "./breaking.ts";

export const BROKEN_WITH_OTHERS: readonly BrokenDriver[] = [
  {
    defect: "takes a bare text for no value",
    breaks: (driver) =>
      reading(driver, (secret) =>
        secret.state === "value" &&
        secret.managed === false &&
        secret.encoding === undefined &&
        Object.keys(secret.record.values).join(",") === "value"
          ? { state: "empty", managed: false }
          : secret,
      ),
    own: "foreign: a bare text is one key value",
  },
  {
    defect: "leaves out what is nested in the JSON of other tools",
    breaks: (driver) =>
      reading(driver, (secret) =>
        secret.state === "value" && secret.managed === false
          ? { ...secret, record: withValues(secret.record, (key, value) => (key === "nested" ? undefined : value)) }
          : secret,
      ),
    own: "foreign: a JSON object is read key by key",
  },
  {
    defect: "does not say that a value is base64",
    breaks: (driver) =>
      reading(driver, (secret) => {
        if (secret.state === "empty") return secret;
        const { encoding: _encoding, ...rest } = secret;
        return rest;
      }),
    own: "foreign: bytes that are no text are one key value in base64, and say so",
  },
  {
    defect: "takes a secret of another tool for one that somebody else was faster with",
    breaks: (driver) => explaining(driver, (info) => (info.code === "conflict" ? { ...info, retryable: true } : info)),
    own: "foreign: an unmarked secret is only replaced with adopt, and is marked then",
  },
  {
    defect: "reads a secret without a value as missing",
    breaks: (driver) => reading(driver, (secret) => (secret.state === "empty" ? undefined : secret)),
    own: "empty: a secret without a value is there, and says that it is empty",
  },
  {
    defect: "reads a disabled secret as missing",
    breaks: (driver) => ({
      read: (name, options) =>
        unless(
          driver,
          "read",
          "disabled",
          () => driver.read(name, options),
          () => undefined,
        ),
    }),
    own: "disabled: a secret that was disabled is an error of its own, never missing",
  },
];
