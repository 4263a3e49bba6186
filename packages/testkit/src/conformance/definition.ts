import type { DriverCapabilities } from "@coffer/core";
import type { Lab } from "./lab.ts";
import type { ConformanceFaults, ConformanceSubject, OpenedSubject, OutOfBand } from "./subject.ts";

/** Why a case does not apply to a subject, or `false`. */
export type Need = (subject: ConformanceSubject) => string | false;

/** A demand of the contract before it meets a subject. */
export interface CaseDefinition {
  readonly name: string;
  readonly needs: readonly Need[];
  run(lab: Lab): Promise<void>;
}

/** Defines a case; `needs` come before the demand itself, so that a table of cases reads as sentence, condition, proof. */
export function demand(name: string, needs: readonly Need[], run: (lab: Lab) => Promise<void>): CaseDefinition {
  return { name, needs, run };
}

/** The driver declares something that fits. */
export function declares(
  what: keyof DriverCapabilities,
  fits: (value: DriverCapabilities[keyof DriverCapabilities]) => boolean,
  reason: string,
): Need {
  return (subject) => (fits(subject.capabilities[what]) ? false : reason);
}

/** The driver writes. */
export const writes: Need = declares("writable", (value) => value === true, "the driver declares that it cannot write");
/** The driver keeps revisions. */
export const keepsRevisions: Need = declares("revisions", (value) => value === true, "the driver declares no revisions");
/** Deletes can be undone. */
export const deletesSoftly: Need = declares("restore", (value) => value === true, "the driver declares no restore");
/** The driver compares before it replaces, atomically or not. */
export const comparesAndSwaps: Need = declares("compareAndSwap", (value) => value !== "none", "the driver declares no compareAndSwap");
/** The driver has batch calls. */
export const readsInBulk: Need = declares("batchSize", (value) => Number(value) > 1, "the driver declares a batchSize of 1");
/** There is a largest payload. */
export const limitsPayloads: Need = declares("maxValueBytes", (value) => value !== null, "the driver declares no maxValueBytes");
/** The driver marks what it writes. */
export const marks: Need = declares("marker", (value) => value !== "none", "the driver declares no marker");

/** Reads see every write at once. */
export const readsStrongly: Need = declares("readAfterWrite", (value) => value === "strong", "the driver declares that reads are late");

/** The opposite of another need, for what must be refused where it is not declared. */
export function lacks(need: Need, reason: string): Need {
  return (subject) => (need(subject) === false ? reason : false);
}

/** Secrets can be made for the case: by the driver, or by the writer that the subject brings. */
export function fixtures(subject: ConformanceSubject): string | false {
  return subject.capabilities.writable || subject.writer !== undefined
    ? false
    : "the driver cannot write, and the subject brings no writer";
}

/** The subject can open another driver on the same service. */
export function bringsSecond(subject: ConformanceSubject): string | false {
  return subject.second === undefined ? "the subject opens no second driver" : false;
}

/** The subject can make this trouble. */
export function needsFault(...kinds: readonly (keyof ConformanceFaults<OpenedSubject>)[]): Need {
  return (subject) => {
    const missing = kinds.find((kind) => subject.faults?.[kind] === undefined);
    return missing === undefined ? false : `the subject brings no fault "${missing}"`;
  };
}

/** The subject can make secrets by other hands. */
export function needsPlant(kind: keyof OutOfBand<OpenedSubject>): Need {
  return (subject) =>
    subject.outOfBand?.[kind] === undefined ? `the subject brings no way to make secrets out of band: "${kind}"` : false;
}
