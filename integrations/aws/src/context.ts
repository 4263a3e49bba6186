import type { AwsApi } from "./client.ts";
import type { RecentNames } from "./recent.ts";
import type { AwsSettings } from "./settings-types.ts";

/** What the calls of one driver share. */
export interface Context {
  readonly api: AwsApi;
  readonly settings: AwsSettings;
  /** Secrets that this driver has made. */
  readonly created: RecentNames;
  /** Secrets that this driver has deleted for good. */
  readonly dropped: RecentNames;
}
