import { DriverError } from "@coffer/core";
import type { AzureCloud, AzureCredentialKind, AzureSettings } from "./settings-types.ts";

/** What a vault of each cloud is reached by, and who signs its tokens. */
const CLOUD_HOSTS: Readonly<Record<AzureCloud, { readonly suffix: string; readonly authority: string }>> = {
  public: { suffix: "vault.azure.net", authority: "https://login.microsoftonline.com" },
  us_government: { suffix: "vault.usgovcloudapi.net", authority: "https://login.microsoftonline.us" },
  china: { suffix: "vault.azure.cn", authority: "https://login.chinacloudapi.cn" },
};

/** How to sign in, with everything that the environment adds to the settings. */
export interface CredentialPlan {
  readonly kind: AzureCredentialKind;
  readonly tenantId: string | undefined;
  readonly clientId: string | undefined;
  readonly clientSecret: string | undefined;
  readonly certificatePath: string | undefined;
  readonly certificatePassword: string | undefined;
  readonly tokenFilePath: string | undefined;
  /** `undefined` leaves it to the SDK, which looks at AZURE_AUTHORITY_HOST itself. */
  readonly authorityHost: string | undefined;
  /** The authority is none of Microsoft's, so Microsoft cannot be asked whether there is one. */
  readonly foreignAuthority: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The address of the vault.
 * @throws DriverError `invalid_settings` when no vault is named
 */
export function vaultUrl(settings: AzureSettings): string {
  const { vault_url: url, key_vault_name: name, cloud = "public" } = settings;
  if (url !== undefined) return url.replace(/\/$/, "");
  if (name !== undefined) return `https://${name}.${CLOUD_HOSTS[cloud].suffix}`;
  throw invalid("No vault is named.", "Set key_vault_name to the name of the vault, or vault_url to its address.");
}

/**
 * Which credential to make, and of what.
 * @throws DriverError `invalid_settings` naming the settings and variables that the kind needs and that are missing
 */
export function planCredential(settings: AzureSettings, environment: Environment): CredentialPlan {
  const { cloud = "public" } = settings;
  const set = (name: string): string | undefined => (environment[name] === "" ? undefined : environment[name]);
  const asked = settings.credential_kind ?? impliedKind(settings);
  const kind = asked === "default" && chainTakesSecret(settings, set) ? "client_secret" : asked;
  const told = settings.authority_host ?? set("AZURE_AUTHORITY_HOST");
  const plan: CredentialPlan = {
    kind,
    tenantId: settings.tenant_id ?? set("AZURE_TENANT_ID"),
    clientId: settings.client_id ?? set("AZURE_CLIENT_ID"),
    clientSecret: settings.client_secret ?? set("AZURE_CLIENT_SECRET"),
    certificatePath: settings.client_certificate_path ?? set("AZURE_CLIENT_CERTIFICATE_PATH"),
    certificatePassword: settings.client_certificate_password ?? set("AZURE_CLIENT_CERTIFICATE_PASSWORD"),
    tokenFilePath: settings.federated_token_file ?? set("AZURE_FEDERATED_TOKEN_FILE"),
    authorityHost: told ?? (cloud === "public" ? undefined : CLOUD_HOSTS[cloud].authority),
    foreignAuthority: told !== undefined && !/^https:\/\/login\.(?:microsoftonline\.(?:com|us)|chinacloudapi\.cn)\/?$/.test(told),
  };
  const missing = (NEEDS[kind] ?? [])
    .filter(([field]) => plan[field] === undefined)
    .map(([, setting, variable]) => `${setting} (${variable})`);
  if (missing.length > 0)
    throw invalid(`To sign in with "${kind}", ${missing.join(", ")} must be set.`, "Set them, or choose another credential_kind.");
  return plan;
}

const TENANT = ["tenantId", "tenant_id", "AZURE_TENANT_ID"] as const;
const CLIENT = ["clientId", "client_id", "AZURE_CLIENT_ID"] as const;

/** What a kind cannot do without: the field, the setting and the variable. */
const NEEDS: Partial<Record<AzureCredentialKind, readonly (readonly [keyof CredentialPlan, string, string])[]>> = {
  client_secret: [TENANT, CLIENT, ["clientSecret", "client_secret", "AZURE_CLIENT_SECRET"]],
  client_certificate: [TENANT, CLIENT, ["certificatePath", "client_certificate_path", "AZURE_CLIENT_CERTIFICATE_PATH"]],
  workload_identity: [TENANT, CLIENT, ["tokenFilePath", "federated_token_file", "AZURE_FEDERATED_TOKEN_FILE"]],
};

function impliedKind(settings: AzureSettings): AzureCredentialKind {
  if (settings.client_secret !== undefined) return "client_secret";
  if (settings.client_certificate_path !== undefined) return "client_certificate";
  if (settings.federated_token_file !== undefined) return "workload_identity";
  return "default";
}

/**
 * Whether the chain would end at its first link, a service principal in the environment: it goes on only where there is none. Alone that link loads faster
 * than the chain.
 */
function chainTakesSecret(settings: AzureSettings, set: (name: string) => string | undefined): boolean {
  const principal = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"];
  // What chooses other links, or gives this one more to do.
  const more = ["AZURE_TOKEN_CREDENTIALS", "AZURE_ADDITIONALLY_ALLOWED_TENANTS"];
  const { tenant_id: tenant, client_id: client } = settings;
  return tenant === undefined && client === undefined && principal.every((name) => set(name)) && !more.some((name) => set(name));
}

/** Settings that the schema lets pass and that make no sense together, or with this environment. */
export function invalid(say: string, hint: string): DriverError {
  return new DriverError("invalid_settings", undefined, { safeMessage: say, hint });
}
