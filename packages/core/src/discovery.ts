/** Finding installed integrations, at `@coffer/core/discovery`: the one part of core that reads files. */
export {
  type DiscoveredIntegration,
  type Discovery,
  type DiscoveryProblem,
  discoverDependencies,
  discoverPackages,
} from "./discovery/discover.ts";
export { announceDiscovered, loadIntegration } from "./discovery/load.ts";
export type { Manifest } from "./discovery/manifest.ts";
