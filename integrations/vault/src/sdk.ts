import type nodeVault from "node-vault";

/** What a program gets of `node-vault`. */
export type NodeVault = typeof nodeVault;

/**
 * The SDK. The client of HTTP that it brings is left out where that can be done: our transport takes its place, and to load it takes nearly all of the time that
 * the SDK takes to load.
 */
export async function loadSdk(): Promise<NodeVault> {
  return loadedAlone() ?? (await import("node-vault")).default;
}

/** The SDK without its client of HTTP; `undefined` in a bundle, which has no packages beside it, and where the package is built otherwise. */
function loadedAlone(): NodeVault | undefined {
  try {
    const { createRequire } = process.getBuiltinModule("node:module");
    const entry = createRequire(import.meta.url).resolve("node-vault");
    const require = createRequire(entry);
    const client = require.resolve("axios");
    const { cache } = require;
    // The program has loaded it already.
    if (cache[client] !== undefined) return callable(require(entry));
    const others = cache[entry];
    try {
      delete cache[entry];
      // Never called: a request goes to the transport that the SDK is given.
      cache[client] = { id: client, filename: client, loaded: true, exports: {} } as NodeJS.Module;
      return callable(require(entry));
    } finally {
      // Whoever loads the SDK for themselves gets it whole.
      delete cache[client];
      delete cache[entry];
      if (others !== undefined) cache[entry] = others;
    }
  } catch {
    return undefined;
  }
}

function callable(exported: unknown): NodeVault | undefined {
  return typeof exported === "function" ? (exported as NodeVault) : undefined;
}
