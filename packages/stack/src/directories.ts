import { isAbsolute, join, resolve } from "node:path";
import { SecretsError } from "@coffer/core";

/** Environment variables, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The user's home directory. */
export function homeDirectory(env: Environment): string | undefined {
  return env["HOME"] || homeOfUser();
}

/** The directory of `config.json`: COFFER_CONFIG_DIR, `$XDG_CONFIG_HOME/coffer` or `~/.config/coffer`. */
export function configDirectory(env: Environment): string {
  const explicit = env["COFFER_CONFIG_DIR"];
  return explicit ? resolve(explicit) : join(base(env, "XDG_CONFIG_HOME", ".config"), "coffer");
}

/** The directory of `state.json`: `$XDG_STATE_HOME/coffer` or `~/.local/state/coffer`. */
export function stateDirectory(env: Environment): string {
  return join(base(env, "XDG_STATE_HOME", ".local/state"), "coffer");
}

/** The store of a local secrets manager that names no path: a directory of its own, beside the one of the default store. */
export function localStorePath(env: Environment, componentId: string): string {
  return join(base(env, "XDG_DATA_HOME", ".local/share"), "coffer", "local", componentId, "secrets.db");
}

function base(env: Environment, variable: string, below: string): string {
  const explicit = env[variable];
  // The specification of these variables: relative paths are to be ignored.
  if (explicit !== undefined && isAbsolute(explicit)) return explicit;
  const home = homeDirectory(env);
  if (home !== undefined && isAbsolute(home)) return join(home, below);
  throw new SecretsError("invalid_settings", "There is no home directory (HOME is not set).", { hint: `Set HOME or ${variable}.` });
}

function homeOfUser(): string | undefined {
  try {
    return process.getBuiltinModule("node:os").userInfo().homedir;
  } catch {
    return undefined;
  }
}
