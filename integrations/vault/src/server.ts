import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DriverError } from "@coffer/core";
import { isAddress, isHostName, isMountPath } from "./settings-check.ts";
import type { VaultSettings } from "./settings-types.ts";
import { isLoopbackAddress, type TlsOptions } from "@coffer/core/transport";

/** The environment of the process, or what a test puts in its place. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Which server to talk to, and how, with everything that the environment adds to the settings. */
export interface ServerPlan {
  /** Without a slash at its end. */
  readonly address: string;
  readonly namespace: string | undefined;
  readonly tls: TlsOptions;
  readonly retries: number;
}

const DEFAULT_RETRIES = 2;
const MOST_RETRIES = 10;

/** A variable of OpenBao, or of Vault where that is not set. A variable without a text counts as none. */
export function variable(environment: Environment, name: string): string | undefined {
  for (const full of [`BAO_${name}`, `VAULT_${name}`]) {
    const value = environment[full];
    if (value !== undefined && value !== "") return value;
  }
  return undefined;
}

/**
 * The server of the settings and the environment. Reads certificates; sends nothing.
 * @throws DriverError `invalid_settings`
 */
export async function planServer(settings: VaultSettings, environment: Environment): Promise<ServerPlan> {
  const address = addressOf(settings, environment);
  const namespace = settings.vault_namespace ?? variable(environment, "NAMESPACE")?.replace(/^\/+|\/+$/g, "");
  if (namespace !== undefined && !isMountPath(namespace))
    throw invalid("VAULT_NAMESPACE is no path.", "Write it like admin/team-a, or set vault_namespace.");
  const secure = new URL(address).protocol === "https:";
  return { address, namespace, tls: secure ? await tlsOf(settings, environment) : {}, retries: retriesOf(settings, environment) };
}

/** Settings that the schema lets pass and that make no sense together, or with this environment. */
export function invalid(say: string, hint: string): DriverError {
  return new DriverError("invalid_settings", undefined, { safeMessage: say, hint });
}

/**
 * The text of a file that a setting names.
 * @throws DriverError `invalid_settings`
 */
export async function textOf(path: string, setting: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    throw invalid(`The file of ${setting} cannot be read.`, "Check its path and its rights.");
  }
}

function addressOf(settings: VaultSettings, environment: Environment): string {
  const address = settings.address ?? variable(environment, "ADDR");
  if (address === undefined)
    throw invalid("No server is named.", "Set address to the one of the server, like https://vault.example:8200, or set VAULT_ADDR.");
  if (!isAddress(address)) throw invalid("VAULT_ADDR is no address of a server.", "Write it like https://vault.example:8200.");
  // An address may begin with HTTP: as well.
  if (new URL(address).protocol === "http:" && settings.allow_http !== true && !isLoopbackAddress(address))
    throw invalid(
      `The address ${new URL(address).host} is plain http: the token and the values would travel in the clear.`,
      "Use https, or set allow_http if you mean it.",
    );
  return address.replace(/\/+$/, "");
}

async function tlsOf(settings: VaultSettings, environment: Environment): Promise<TlsOptions> {
  const told = {
    caFile: settings.ca_file ?? variable(environment, "CACERT"),
    caPath: settings.ca_path ?? variable(environment, "CAPATH"),
    certFile: settings.client_cert_file ?? variable(environment, "CLIENT_CERT"),
    keyFile: settings.client_key_file ?? variable(environment, "CLIENT_KEY"),
  };
  if ((told.certFile === undefined) !== (told.keyFile === undefined))
    throw invalid(
      "A certificate of the client needs its key, and a key its certificate.",
      "Set both client_cert_file and client_key_file.",
    );
  const read = (path: string | undefined, setting: string): Promise<string | undefined> =>
    path === undefined ? Promise.resolve(undefined) : textOf(path, setting);
  // One file wins over a folder, as with the command of Vault.
  const [ca, cert, key] = await Promise.all([
    told.caFile !== undefined || told.caPath === undefined ? read(told.caFile, "ca_file").then(listOf) : allOf(told.caPath),
    read(told.certFile, "client_cert_file"),
    read(told.keyFile, "client_key_file"),
  ]);
  return {
    ca,
    cert,
    key,
    serverName: serverNameOf(settings, environment),
    skipVerify: settings.tls_skip_verify ?? isTrue(variable(environment, "SKIP_VERIFY"), "VAULT_SKIP_VERIFY"),
  };
}

function serverNameOf(settings: VaultSettings, environment: Environment): string | undefined {
  const name = settings.tls_server_name ?? variable(environment, "TLS_SERVER_NAME");
  if (name === undefined || isHostName(name)) return name;
  throw invalid("VAULT_TLS_SERVER_NAME is no host name.", "Set it to the name in the certificate of the server, or unset it.");
}

function listOf(text: string | undefined): readonly string[] | undefined {
  return text === undefined ? undefined : [text];
}

async function allOf(folder: string): Promise<readonly string[]> {
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch {
    throw invalid("The folder of ca_path cannot be read.", "Check its path and its rights.");
  }
  const certificates = names.filter((name) => /\.(?:pem|crt|cer)$/i.test(name)).toSorted();
  if (certificates.length === 0) throw invalid("The folder of ca_path holds no certificate.", "Put files there that end in .pem or .crt.");
  return Promise.all(certificates.map((name) => textOf(join(folder, name), "ca_path")));
}

/** Vault's command reads these words so. The SDK takes any text at all for yes, `false` too. */
function isTrue(text: string | undefined, name: string): boolean {
  if (text === undefined || /^(?:0|f|false)$/i.test(text)) return false;
  if (/^(?:1|t|true)$/i.test(text)) return true;
  throw invalid(`${name} is neither true nor false.`, "Set it to true or false, or unset it.");
}

function retriesOf(settings: VaultSettings, environment: Environment): number {
  if (settings.max_retries !== undefined) return settings.max_retries;
  const told = variable(environment, "MAX_RETRIES");
  if (told === undefined) return DEFAULT_RETRIES;
  if (!/^\d{1,9}$/.test(told)) throw invalid("VAULT_MAX_RETRIES is no number.", "Set it to a number from 0 to 10, or unset it.");
  return Math.min(Number(told), MOST_RETRIES);
}
