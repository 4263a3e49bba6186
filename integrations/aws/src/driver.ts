import type { SecretsManagerDriver } from "@coffer/core";
import { AWS_CAPABILITIES } from "./capabilities.ts";
import { openClient } from "./client.ts";
import type { Context } from "./context.ts";
import { creating } from "./create.ts";
import { deleting } from "./delete.ts";
import { classifyAwsError } from "./errors.ts";
import { listing } from "./list.ts";
import { readingMany } from "./read-many.ts";
import { reading } from "./read.ts";
import { RecentNames } from "./recent.ts";
import { replacing } from "./replace.ts";
import type { AwsSettings } from "./settings-types.ts";

/**
 * Opens a driver with a client of its own. Makes no request.
 * @throws DriverError `invalid_settings` when no region is known
 */
export async function openAwsDriver(settings: AwsSettings): Promise<SecretsManagerDriver> {
  const api = await openClient(settings);
  const context: Context = { api, settings, created: new RecentNames(), dropped: new RecentNames() };
  return {
    capabilities: AWS_CAPABILITIES,
    ...reading(context),
    ...readingMany(context),
    ...listing(context),
    ...creating(context),
    ...replacing(context),
    ...deleting(context),
    async close() {
      api.close();
    },
    classify: (error, { operation }) => classifyAwsError(error, operation, api.mayHaveHappened(error), api.hostOf(error)),
  };
}
