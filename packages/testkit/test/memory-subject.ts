import type { DriverCapabilities, SecretsManagerDriver } from "@coffer/core";
import { type ConformanceSubject, createMemoryService, type MemoryService, type OpenedSubject } from "../src/index.ts";

export interface OpenedMemory extends OpenedSubject {
  readonly service: MemoryService;
}

/** The memory flavor as a subject, with every fault and every way to make secrets out of band. */
export function memorySubject(
  capabilities: Partial<DriverCapabilities> = {},
  wrap: (driver: SecretsManagerDriver, service: MemoryService) => SecretsManagerDriver = (driver) => driver,
): ConformanceSubject<OpenedMemory> {
  return {
    flavor: "memory",
    capabilities: createMemoryService(capabilities).capabilities,
    async open() {
      const service = createMemoryService(capabilities);
      return { service, driver: wrap(service.open(), service) };
    },
    second: async ({ service }) => wrap(service.open(), service),
    writer: async ({ service }) => service.open({ writable: true }),
    credentials: ({ service }) => [service.credential],
    faults: {
      deny: ({ service }) => service.inject({ kind: "deny" }),
      unauthenticated: ({ service }) => service.inject({ kind: "unauthenticated" }),
      unreachable: ({ service }) => service.inject({ kind: "unreachable" }),
      throttle: ({ service }, times) => service.inject({ kind: "throttle", times }),
      hang: ({ service }) => service.inject({ kind: "hang" }),
      failPage: ({ service }, page) => service.inject({ kind: "fail_page", page }),
      loseAnswer: ({ service }) => service.inject({ kind: "lose_answer" }),
      echo: ({ service }) => service.inject({ kind: "echo" }),
      garble: ({ service }) => service.inject({ kind: "garble" }),
      refuse: ({ service }, name) => service.inject({ kind: "deny", name }),
    },
    outOfBand: {
      values: ({ service }, name, values) => service.plant(name, { values }),
      text: ({ service }, name, text) => service.plant(name, { text }),
      bytes: ({ service }, name, bytes) => service.plant(name, { bytes }),
      empty: ({ service }, name) => service.plant(name, { empty: true }),
      within: ({ service }, name, values) => service.plant(name, { values }),
      disable: ({ service }, name) => service.disable(name),
    },
  };
}
