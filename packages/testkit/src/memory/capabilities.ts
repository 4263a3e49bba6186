import type { DriverCapabilities } from "@coffer/core";

/** What the memory flavor can do when nothing is switched off: everything the contract knows, without a limit on the size of a payload. */
export const MEMORY_CAPABILITIES: DriverCapabilities = Object.freeze({
  writable: true,
  atomicCreate: true,
  compareAndSwap: "atomic",
  revisions: true,
  restore: true,
  marker: "atomic",
  listMetadata: true,
  listing: "strong",
  readAfterWrite: "strong",
  maxValueBytes: null,
  caseSensitive: true,
  batchSize: 20,
  maxInFlight: 8,
});
