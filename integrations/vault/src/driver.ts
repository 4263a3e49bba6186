import type { SecretsManagerDriver } from "@coffer/core";
import { capabilitiesOf } from "./capabilities.ts";
import { VaultConnection } from "./client.ts";
import { kvVersion } from "./detect.ts";
import type { Engine } from "./engine.ts";
import { classifyVaultError } from "./errors.ts";
import { kv1Calls } from "./kv1.ts";
import { kv2Calls } from "./kv2.ts";
import { encodePath } from "./names.ts";
import { invalid } from "./server.ts";
import type { VaultSettings } from "./settings-types.ts";

const DEFAULT_MOUNT = "secret";

/**
 * Opens the engine of the settings. Asks the server for its version, unless the settings tell it.
 * @throws DriverError `invalid_settings`, and whatever befell the question
 */
export async function openVaultDriver(settings: VaultSettings): Promise<SecretsManagerDriver> {
  const connection = await VaultConnection.open(settings);
  try {
    return await driverOn(connection, settings);
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function driverOn(connection: VaultConnection, settings: VaultSettings): Promise<SecretsManagerDriver> {
  const { mount = DEFAULT_MOUNT } = settings;
  const version = settings.kv_version ?? (await kvVersion(connection, mount));
  if (version === 1 && (settings.soft_delete === true || settings.custom_metadata === true))
    throw invalid(
      "A KV engine of version 1 keeps neither deleted secrets nor custom metadata.",
      "Leave soft_delete and custom_metadata out, or upgrade the engine: `vault kv enable-versioning`.",
    );
  const capabilities = capabilitiesOf(version, settings);
  const engine: Engine = {
    connection,
    version,
    mount: encodePath(mount),
    maxValueBytes: capabilities.maxValueBytes,
    softDelete: settings.soft_delete === true,
    customMetadata: settings.custom_metadata === true,
  };
  const calls = version === 1 ? kv1Calls(engine) : kv2Calls(engine);
  return {
    ...calls,
    capabilities,
    list: async function* (options) {
      for await (const page of calls.listPages(options)) yield* page;
    },
    close: async () => connection.close(),
    classify: classifyVaultError,
  };
}
