import type { DriverCapabilities, SecretsManagerDriver } from "@coffer/core";
import { encodePayload, textValues } from "@coffer/core";
import { MEMORY_CAPABILITIES } from "./capabilities.ts";
import { openMemoryDriver } from "./driver.ts";
import { MemoryGate, type MemoryFault } from "./faults.ts";
import { MemoryShelf } from "./shelf.ts";

const MARKER = Symbol.for("@coffer/testkit/memory-service/1");

/** What another tool may have left in the service: keys and values, a bare text, bytes, or a secret that has no value yet. */
export type PlantedContent =
  | { readonly values: Readonly<Record<string, string>> }
  | { readonly text: string }
  | { readonly bytes: Uint8Array }
  | { readonly empty: true };

/** A secrets service in the memory of this process. Everything opened on it sees the same secrets; nothing outlives it. */
export interface MemoryService {
  readonly capabilities: DriverCapabilities;
  /** The credential that every request carries. No error, log or message may ever show it. */
  readonly credential: string;
  /** How many requests have arrived so far, refused ones too. */
  readonly requests: number;
  /** Opens a driver, as every process that uses the service would. Overrides are for this driver: a read-only one beside one that writes. */
  open(overrides?: Partial<DriverCapabilities>): SecretsManagerDriver;
  /** Makes trouble from now on; several faults add up. */
  inject(fault: MemoryFault): void;
  /** Ends all trouble. */
  heal(): void;
  /** Stores something without our marker, as another tool would. The name is the service's own, in full. */
  plant(name: string, content: PlantedContent): void;
  /** Disables a secret: it is there, and cannot be read. */
  disable(name: string): void;
}

/**
 * Makes an in-memory service. Every capability is on unless it is switched off here; a service without one behaves like a real one
 * without it (`atomicCreate: false` checks first and writes later, `listing: "eventual"` shows the last write one listing late).
 */
export function createMemoryService(capabilities: Partial<DriverCapabilities> = {}): MemoryService {
  const declared: DriverCapabilities = Object.freeze({ ...MEMORY_CAPABILITIES, ...capabilities });
  const gate = new MemoryGate();
  const shelf = new MemoryShelf(declared);
  const service: MemoryService = {
    capabilities: declared,
    credential: gate.credential,
    get requests() {
      return gate.requests;
    },
    open: (overrides = {}) => openMemoryDriver(gate, shelf, Object.freeze({ ...declared, ...overrides })),
    inject: (fault) => gate.inject(fault),
    heal: () => gate.heal(),
    plant: (name, content) => shelf.mend(shelf.grown(undefined, name, payloadOf(content), false)),
    disable: (name) => {
      const entry = shelf.find(name);
      if (entry === undefined) throw new RangeError(`There is no secret ${JSON.stringify(name)} to disable.`);
      shelf.mend({ ...entry, disabled: true });
    },
  };
  return Object.defineProperty(service, MARKER, { value: true });
}

/** Whether `value` is a memory service, of this or of another copy of the testkit. */
export function isMemoryService(value: unknown): value is MemoryService {
  return typeof value === "object" && value !== null && MARKER in value;
}

function payloadOf(content: PlantedContent): string | Uint8Array | undefined {
  if ("values" in content) return encodePayload({ values: textValues(Object.entries(content.values)) });
  if ("text" in content) return content.text;
  return "bytes" in content ? content.bytes : undefined;
}
