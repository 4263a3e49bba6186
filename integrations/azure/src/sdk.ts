import type * as Identity from "@azure/identity";
import type * as KeyVault from "@azure/keyvault-secrets";

// As CommonJS: the SDK has hundreds of small files, which Node loads that way in three quarters of the time. A bundle has no packages beside it, and what it
// has taken in is found by `import`.

/** The package of Key Vault. */
export async function keyVault(): Promise<typeof KeyVault> {
  return (required("@azure/keyvault-secrets") as typeof KeyVault | undefined) ?? import("@azure/keyvault-secrets");
}

/** The package of all credentials. */
export async function identity(): Promise<typeof Identity> {
  return (required("@azure/identity") as typeof Identity | undefined) ?? import("@azure/identity");
}

/** The one credential that needs nothing else of its package: alone it loads in a sixth of the time. */
export async function azureCli(): Promise<typeof Identity.AzureCliCredential> {
  const found = required("@azure/identity", "credentials/azureCliCredential.js") as Partial<typeof Identity> | undefined;
  return found?.AzureCliCredential ?? (await identity()).AzureCliCredential;
}

/** A package, or a file beside its entry; `undefined` when it is built otherwise, or not there. */
function required(name: string, file?: string): unknown {
  try {
    const require = process.getBuiltinModule("node:module").createRequire(import.meta.url);
    const { dirname, join } = process.getBuiltinModule("node:path");
    return require(file === undefined ? name : join(dirname(require.resolve(name)), file)) as unknown;
  } catch {
    return undefined;
  }
}
