import type { DriverCapabilities } from "@coffer/core";
import type { VaultSettings } from "./settings-types.ts";

/**
 * The largest payload. An entry of integrated storage holds 1 MiB, and the values stand in one as JSON, encrypted, with their key and some hundred bytes around.
 * Storage in Consul takes half of that and says so itself.
 */
const LARGEST_VALUE = 1_048_576 - 8_192;

/** What the KV engine can do, by its version and what the settings ask of it. */
export function capabilitiesOf(version: 1 | 2, settings: Pick<VaultSettings, "soft_delete" | "custom_metadata">): DriverCapabilities {
  const versioned = version === 2;
  return {
    writable: true,
    atomicCreate: versioned,
    compareAndSwap: versioned ? "atomic" : "none",
    revisions: versioned,
    restore: versioned && settings.soft_delete === true,
    marker: versioned && settings.custom_metadata === true ? "separate" : "none",
    listMetadata: false,
    listing: "strong",
    readAfterWrite: "strong",
    maxValueBytes: LARGEST_VALUE,
    caseSensitive: true,
    batchSize: 1,
    maxInFlight: 32,
  };
}
