/**
 * For authors of flavors: the conformance suite, an in-memory flavor, faults, and the search for leaks.
 * @packageDocumentation
 */

export { memory, memoryIntegration, type MemorySettings } from "./memory/flavor.ts";
export { createMemoryService, type MemoryService, type PlantedContent } from "./memory/service.ts";
export type { MemoryFault } from "./memory/faults.ts";
export { MemoryServiceError } from "./memory/errors.ts";
export { conformanceCases } from "./conformance/suite.ts";
export type { ConformanceCase, ConformanceFaults, ConformanceSubject, OpenedSubject, OutOfBand } from "./conformance/subject.ts";
export { type Leak, leakScan, type LeakScanOptions } from "./leak-scan.ts";
export { type LeakForm, leakForms } from "./leak-forms.ts";
export { integrationCheck, type IntegrationCheckOptions } from "./integration-check.ts";
