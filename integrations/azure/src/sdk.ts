import type * as Identity from "@azure/identity";
import type * as KeyVault from "@azure/keyvault-secrets";

// As CommonJS: the SDK has hundreds of small files, which Node loads that way in three quarters of the time. A bundle has no packages beside it, and what it
// has taken in is found by `import`.

/** The package of Key Vault. */
export async function keyVault(): Promise<typeof KeyVault> {
  return (required("@azure/keyvault-secrets") as typeof KeyVault | undefined) ?? import("@azure/keyvault-secrets");
}

/** Where the credentials lie that are of use without the rest of their package. */
const FILES = {
  AzureCliCredential: "azureCliCredential.js",
  ClientCertificateCredential: "clientCertificateCredential.js",
  ClientSecretCredential: "clientSecretCredential.js",
  DefaultAzureCredential: "defaultAzureCredential.js",
  ManagedIdentityCredential: "managedIdentityCredential/index.js",
  WorkloadIdentityCredential: "workloadIdentityCredential.js",
} as const;

/** One credential, and as little of its package as it needs: the Azure CLI's loads in a sixth of the time. */
export async function credentialClass<Name extends keyof typeof FILES>(name: Name): Promise<(typeof Identity)[Name]> {
  const file = required("@azure/identity", `credentials/${FILES[name]}`) as Partial<typeof Identity> | undefined;
  return file?.[name] ?? (await import("@azure/identity"))[name];
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
