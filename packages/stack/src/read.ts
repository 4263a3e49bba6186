/**
 * The part of `@coffer/stack` that reads: small, synchronous, without zod. A program that starts for one secret needs no more:
 * `managerOpening(currentStack(readConfiguration()).secretsManager)`.
 * @packageDocumentation
 */
export {
  activeChoice,
  componentNames,
  type Configuration,
  currentStack,
  findComponent,
  findStack,
  ignoredProject,
  readConfiguration,
  stackNames,
  type Surroundings,
} from "./configuration.ts";
export { configDirectory, type Environment, stateDirectory } from "./directories.ts";
export type { Component, ComponentSettings, ComponentType, DefinitionOrigin, StackDefinition } from "./model.ts";
export { managerOpening, type ManagerOpening } from "./opening.ts";
export type { NamedModule, Project } from "./project.ts";
export type { JsonObject } from "./source-file.ts";
