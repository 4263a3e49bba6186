/**
 * Stacks: components and stacks in the files of a user and of a project, the active stack, secret references, and the trust in a project.
 * Programs need the first group, tools that manage definitions the others. The part that only reads is small and has an entry of its own: `@coffer/stack/read`.
 * @packageDocumentation
 */

// Stacks for programs.
export { activeStack, openStack, type OpenStackOptions } from "./open.ts";
export {
  type DefinedOrchestrator,
  type DefinedSecretsManager,
  defineStack,
  orchestrator,
  type Reachable,
  secretsManager,
  type UnreachableComponent,
} from "./define-stack.ts";
export { Stack, type StackContent, type StackOrchestrator } from "./stack.ts";

// Secret references.
export {
  parseReference,
  type PlacedReference,
  referencesIn,
  type ReferringSettings,
  referringSettings,
  type RequiredSecret,
  requiredSecrets,
  resolveReferences,
  type SecretReference,
} from "./references.ts";
export {
  type MissingSecret,
  missingSecrets,
  missingSecretsError,
  noSecretsManager,
  storeRequiredSecret,
  VALIDATION_LEVELS,
  type ValidationLevel,
  validationLevel,
} from "./validation.ts";

// What is defined, and what of it counts.
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
export { type DefinitionProblem, checkDefinitions } from "./check.ts";
export {
  COMPONENT_TYPES,
  type Component,
  type ComponentSettings,
  type ComponentType,
  DEFAULT_NAME,
  type DefinitionOrigin,
  FILE_VERSION,
  STACK_NAME_RULE,
  type StackDefinition,
  type StoredComponent,
  type StoredStack,
} from "./model.ts";
export { managerOpening, type ManagerOpening } from "./opening.ts";
export { configDirectory, type Environment, stateDirectory } from "./directories.ts";
export type { JsonObject } from "./source-file.ts";

// Changing definitions.
export type { Where } from "./change.ts";
export {
  type ComponentChange,
  type ComponentUpdate,
  copyComponent,
  deleteComponent,
  listComponents,
  type NewComponent,
  registerComponent,
  removeAttributes,
  renameComponent,
  updateComponent,
} from "./components.ts";
export { looksSecret, settingFields, settingsFromText } from "./component-check.ts";
export { flavorOf, type OpenableFlavor } from "./flavors.ts";
export {
  copyStack,
  deleteStack,
  describeStack,
  type ListedStack,
  listStacks,
  registerStack,
  removeFromStack,
  renameStack,
  setActiveStack,
  type StackParts,
  updateStack,
} from "./stacks.ts";
export { type ExportedStack, exportStack, type ImportOptions, importStack, type StackExport, type StackImport } from "./transfer.ts";

// Projects, the trust in them, and the modules that they name.
export { initProject } from "./init.ts";
export { isTrusted, previewProject, type ProjectPreview, revokeTrust, trustProject, type TrustReport } from "./trust.ts";
export { ModuleRegistry, modulesOf } from "./modules.ts";
export { type ModuleReport, registerModule } from "./module-registration.ts";
export { MODULE_RULE, type NamedModule, type Project, PROJECT_FILE } from "./project.ts";
