/**
 * Coffer's core: keep typed secrets in whichever secrets manager there is.
 * Users of secrets need the first two groups, authors of flavors the third.
 * @packageDocumentation
 */

// Managers and secrets.
export { createSecretsManager, openSecretsManager } from "./manager/create.ts";
export { plainSettings } from "./manager/plain-settings.ts";
export { checkSettings, type SettingsProblem, type SettingsResult } from "./manager/settings.ts";
export { SecretsManager } from "./manager/secrets-manager.ts";
export type { CacheOptions } from "./manager/cache.ts";
export type { RequestOptions } from "./manager/call.ts";
export type {
  AnyInput,
  GetManyOptions,
  GetOptions,
  GetOutcome,
  ListFilter,
  NewSecret,
  RegisterOptions,
  ReplaceSettings,
  SecretChange,
  SecretInfo,
  SecretOf,
  SecretSchemas,
  SecretsManagerOptions,
  TransferReport,
  ValidatedGetOptions,
  WriteResult,
} from "./manager/types.ts";
export { Secret, type SecretFacts, type SecretSchemaState, type TextContent } from "./secret/secret.ts";
export { assertName, isPortableName, NAME_RULE, nameInScope, type ScopeOptions, scopePrefix } from "./secret/name.ts";
export { ERROR_CODES, type ErrorCode, isRetryableCode } from "./errors/codes.ts";
export { type ScrubbedCause, SecretsError, type SecretsErrorDetails } from "./errors/secrets-error.ts";

// Schemas and the registry.
export { defineFlavor, defineIntegration } from "./define.ts";
export { defineSecretSchema } from "./schema/define.ts";
export { type SchemaField, schemaFields, type TextConverter, textConverters } from "./schema/fields.ts";
export { parseValues, type SchemaIssue, type SchemaResult } from "./schema/validate.ts";
export { loadSecretSchema } from "./registry/load-schema.ts";
export { createRegistry, globalRegistry, registerIntegration, registerSecretSchema } from "./registry/global.ts";
export {
  type AnnouncedIntegration,
  type FlavorEntry,
  installCommand,
  type Origin,
  Registry,
  type SchemaEntry,
} from "./registry/registry.ts";
export { editDistance, suggest } from "./suggest.ts";

// The contract of drivers, and what they share.
export * from "./spec.ts";
export { DriverError } from "./errors/driver-error.ts";
export { guardedCall, type GuardedOperation } from "./manager/guarded-call.ts";
export { type DecodedPayload, decodePayload, encodePayload, payloadBytes, recordFromMap } from "./secret/payload.ts";
export { escapeName, type EscapeRule, unescapeName } from "./secret/escape.ts";
export { printable } from "./secret/printable.ts";
export { KEY_RULE, textValues } from "./secret/values.ts";
