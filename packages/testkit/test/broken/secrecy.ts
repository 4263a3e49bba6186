import { DriverError, type ErrorCode, type ErrorInfo } from "@coffer/core";
import { MemoryServiceError } from "../../src/index.ts";
import { type BrokenDriver, callOf, explaining, recordAt, unless } from "./breaking.ts";

/** Tells the user which credential it was, in the error with this code. */
function telling(code: ErrorCode, where: (info: ErrorInfo, error: MemoryServiceError) => boolean = () => true): BrokenDriver["breaks"] {
  return (driver) =>
    explaining(driver, (info, error) =>
      error instanceof MemoryServiceError && info.code === code && where(info, error)
        ? { ...info, hint: `Check ${error.request.headers["authorization"]}.` }
        : info,
    );
}

export const BROKEN_SECRECY: readonly BrokenDriver[] = [
  {
    defect: "prints the credential that lacks a permission",
    breaks: telling("permission_denied"),
    own: "secrecy: no value and no credential is shown when the call is forbidden",
  },
  {
    defect: "prints the credential that was refused",
    breaks: telling("unauthenticated"),
    own: "secrecy: no value and no credential is shown when the credential is refused",
  },
  {
    defect: "logs the request that could not be sent",
    breaks: (driver) => ({
      read: (name, options) =>
        unless(
          driver,
          "read",
          "unavailable",
          () => driver.read(name, options),
          (error) => {
            if (error instanceof MemoryServiceError && error.code === "ECONNREFUSED") console.error("cannot connect", error.request);
            throw error;
          },
        ),
    }),
    own: "secrecy: no value and no credential is shown when the service is out of reach",
  },
  {
    defect: "prints the credential that is throttled",
    breaks: telling("throttled"),
    own: "secrecy: no value and no credential is shown when the service throttles",
  },
  {
    defect: "prints the request that something else has answered",
    breaks: telling("unknown", (info) => info.status === 404),
    own: "secrecy: no value and no credential is shown when something else answers",
  },
  {
    defect: "prints the request whose answer was lost",
    breaks: telling("unavailable", (_info, error) => error.code === "ECONNRESET"),
    own: "secrecy: no value and no credential is shown when the answer is lost",
  },
  {
    defect: "writes what the service has said to the terminal",
    breaks: (driver) =>
      explaining(driver, (info, error) => {
        if (info.code === "invalid_request" && error instanceof MemoryServiceError) process.stderr.write(`${error.reply?.message}\n`);
        return info;
      }),
    own: "secrecy: no value and no credential is shown when the service repeats what it was sent",
  },
  {
    defect: "prints what stands in the way of a new secret",
    breaks: (driver) => ({
      create: (name, record, options) =>
        unless(
          driver,
          "create",
          "already_exists",
          () => driver.create(name, record, options),
          async (error) => {
            const holder = await recordAt(driver, name, callOf(options));
            throw new DriverError("already_exists", error, { safeMessage: `There is ${JSON.stringify(holder?.values)}.` });
          },
        ),
    }),
    own: "secrecy: no value and no credential is shown when a call is refused",
  },
  {
    defect: "prints the stored value in a conflict",
    breaks: (driver) => ({
      replace: (name, record, options) =>
        unless(
          driver,
          "replace",
          "conflict",
          () => driver.replace(name, record, options),
          async (error) => {
            const current = await recordAt(driver, name, callOf(options));
            const { retryable } = driver.classify(error, { operation: "replace" });
            throw new DriverError("conflict", error, { retryable, safeMessage: `The content is now ${JSON.stringify(current?.values)}.` });
          },
        ),
    }),
    own: "secrecy: no value is shown when a revision has changed",
  },
  {
    defect: "prints the request about a reserved name",
    breaks: telling("recently_deleted"),
    own: "secrecy: no value is shown when a name is reserved",
  },
  {
    defect: "prints how a payload that is too large begins",
    capabilities: { maxValueBytes: 4096 },
    breaks: (driver) =>
      explaining(driver, (info, error) => {
        if (info.code === "too_large" && error instanceof MemoryServiceError) console.warn(error.request.body?.slice(0, 200));
        return info;
      }),
    own: "secrecy: no value is shown when a payload is too large",
  },
];
