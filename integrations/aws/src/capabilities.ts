import type { DriverCapabilities } from "@coffer/core";

/** What AWS Secrets Manager can do. */
export const AWS_CAPABILITIES: DriverCapabilities = {
  writable: true,
  atomicCreate: true,
  // Through staging labels, against all writers: also rotations and the console.
  compareAndSwap: "atomic",
  revisions: true,
  restore: true,
  // A new secret gets its tags in the same call; a new value of an old secret brings none along and looks at none.
  marker: "separate",
  // In the ids of versions, which listings tell.
  listMetadata: true,
  // "Operations are eventually consistent"; listings have been seen minutes late.
  listing: "eventual",
  readAfterWrite: "eventual",
  maxValueBytes: 65_536,
  caseSensitive: true,
  batchSize: 20,
  // 100 batches a second are allowed for the whole account: at 80 ms a batch these are 8.
  maxInFlight: 8,
};
