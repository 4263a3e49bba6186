import { homedir } from "node:os";
import { join } from "node:path";
import { DriverError } from "@coffer/core";
import { type Environment, invalid, textOf, variable } from "./server.ts";
import { isToken } from "./settings-check.ts";
import type { VaultAuthMethod, VaultSettings } from "./settings-types.ts";

/** Where Kubernetes puts the token of a pod's service account. */
const SERVICE_ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/** What is sent to sign in, made anew for every login: the files may hold other texts by then. */
export interface LoginRequest {
  /** The path below the mount of the method. */
  readonly path: string;
  readonly body: Readonly<Record<string, string>>;
  /** A key of the body whose value is wrapped and has to be exchanged first. */
  readonly wrapped?: "secret_id" | undefined;
}

/** How to come by a token. */
export type CredentialPlan =
  /** The token is there already; `find` looks for it again. */
  | { readonly kind: "token"; readonly renew: boolean; find(): Promise<string | undefined> }
  /** It is issued by an auth method. */
  | { readonly kind: "login"; readonly method: VaultAuthMethod; readonly mount: string; request(): Promise<LoginRequest> };

/**
 * How the settings and the environment say to sign in. Reads no file yet.
 * @throws DriverError `invalid_settings` naming the settings that the method needs and that are missing or cannot be
 */
export function planCredential(settings: VaultSettings, environment: Environment, home: string = homedir()): CredentialPlan {
  const method = settings.auth_method ?? impliedMethod(settings);
  if (method === "token") return tokenPlan(settings, environment, home);
  const missing = missingSettings(method, settings);
  if (missing.length > 0)
    throw invalid(
      `To sign in with "${method}", ${missing.join(" and ")} must be set.`,
      "Set what is missing, or choose another auth_method.",
    );
  // The name stands in the path, where these two would lead out of the login, and the password with them.
  if (method === "userpass" && /^\.{1,2}$/.test(settings.username ?? ""))
    throw invalid("The username is no name of a user.", "Set username to the one that the auth method knows.");
  return { kind: "login", method, mount: settings.auth_mount ?? method, request: () => loginRequest(method, settings) };
}

function impliedMethod(settings: VaultSettings): VaultAuthMethod {
  if (settings.role_id !== undefined) return "approle";
  if (settings.username !== undefined) return "userpass";
  if (settings.jwt !== undefined || settings.jwt_file !== undefined) return "jwt";
  return settings.role === undefined ? "token" : "kubernetes";
}

function tokenPlan(settings: VaultSettings, environment: Environment, home: string): CredentialPlan {
  const find = async (): Promise<string | undefined> => {
    if (settings.token !== undefined) return settings.token;
    if (settings.token_provider !== undefined) return tokenIn(await providedBy(settings.token_provider), "token_provider");
    if (settings.token_file !== undefined) return tokenIn(await textOf(settings.token_file, "token_file"), "token_file");
    const told = variable(environment, "TOKEN");
    if (told !== undefined) return tokenIn(told, "VAULT_TOKEN");
    // What `vault login` has left there. Not to have signed in is no fault of a setting.
    const left = await textOf(join(home, ".vault-token"), "token").catch(() => undefined);
    return left === undefined || left.trim() === "" ? undefined : tokenIn(left, "~/.vault-token");
  };
  return { kind: "token", renew: settings.renew_token === true, find };
}

/** What the program's own function gives. Its error says nothing about a secret: it may come from another request to a server, with a status of its own. */
async function providedBy(provider: () => Promise<string>): Promise<string> {
  try {
    return await provider();
  } catch (error) {
    throw new DriverError("unauthenticated", error, {
      safeMessage: "The token_provider failed.",
      hint: "Look at what it does to get a token.",
    });
  }
}

/** What a method cannot do without. A list within the list: one of these. */
const NEEDS: Readonly<Record<Exclude<VaultAuthMethod, "token">, readonly (readonly (keyof VaultSettings)[])[]>> = {
  // A role can be set up so that it needs no secret.
  approle: [["role_id"]],
  kubernetes: [["role"]],
  jwt: [["jwt", "jwt_file"]],
  userpass: [["username"], ["password", "password_file"]],
};

function missingSettings(method: Exclude<VaultAuthMethod, "token">, settings: VaultSettings): string[] {
  return NEEDS[method].filter((choice) => choice.every((name) => settings[name] === undefined)).map((choice) => choice.join(" or "));
}

async function loginRequest(method: Exclude<VaultAuthMethod, "token">, settings: VaultSettings): Promise<LoginRequest> {
  switch (method) {
    case "approle": {
      const secret = settings.secret_id ?? (await fileLine(settings.secret_id_file, "secret_id_file"));
      const body = { role_id: settings.role_id ?? "", ...(secret === undefined ? {} : { secret_id: secret }) };
      return { path: "login", body, wrapped: settings.secret_id_wrapped === true ? "secret_id" : undefined };
    }
    case "userpass": {
      const password = settings.password ?? (await fileLine(settings.password_file, "password_file")) ?? "";
      return { path: `login/${encodeURIComponent(settings.username ?? "")}`, body: { password } };
    }
    default: {
      const file = settings.jwt_file ?? (method === "kubernetes" ? SERVICE_ACCOUNT_TOKEN : undefined);
      const jwt = settings.jwt ?? (await fileLine(file, "jwt_file")) ?? "";
      return { path: "login", body: { ...(settings.role === undefined ? {} : { role: settings.role }), jwt } };
    }
  }
}

async function fileLine(path: string | undefined, setting: string): Promise<string | undefined> {
  // An editor ends every file with a newline.
  return path === undefined ? undefined : (await textOf(path, setting)).replace(/\r?\n$/, "");
}

/** A token as it can stand in a header. */
function tokenIn(text: string, source: string): string {
  const token = text.trim();
  if (isToken(token)) return token;
  throw invalid(`What ${source} gives is no token.`, "A token is one line without spaces.");
}
