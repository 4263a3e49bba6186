/**
 * The built-in flavor of Coffer: an encrypted store in one file on this machine.
 * Importing this module makes the flavor known to the process; it opens and creates nothing.
 * @packageDocumentation
 */
import { registerIntegration } from "@coffer/core";
import integration from "./integration.ts";

registerIntegration(integration);

export { local } from "./flavor.ts";
export { default, default as integration } from "./integration.ts";
export { defaultPaths, type LocalPaths } from "./paths.ts";
export { meaningOf, type PassphraseProvider, type PassphraseRequest, PROTECTIONS, type Protection } from "./protection.ts";
export { localStatus, rekey } from "./maintenance.ts";
export type { RekeyChange, RekeyReport } from "./rekey.ts";
export type { CreationNotice, LocalSettings } from "./settings-types.ts";
export type { LocalStatus, StatusOptions } from "./status.ts";
