import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { DriverError } from "@coffer/core";
import type { LocalSettings } from "./settings-types.ts";

/** Where a store and its key live when the settings do not say. */
export interface LocalPaths {
  /** The file of the store. */
  readonly store: string;
  /** The directory of key files: `<store id>.key` for each store. */
  readonly keyDirectory: string;
}

/**
 * The default places, from XDG_DATA_HOME and XDG_STATE_HOME or else below the home directory. The key lies in the *state* directory:
 * data is what people copy and back up, configuration what they publish with their dotfiles.
 * @throws DriverError `invalid_settings` when there is no home directory to put them in
 */
export function defaultPaths(env: Readonly<Record<string, string | undefined>> = process.env): LocalPaths {
  return {
    store: join(base(env, "XDG_DATA_HOME", ".local/share"), "coffer", "local", "secrets.db"),
    keyDirectory: join(base(env, "XDG_STATE_HOME", ".local/state"), "coffer", "local"),
  };
}

/** The paths of one store. */
export interface StorePaths {
  /** The file of the store, absolute. */
  readonly store: string;
  readonly folder: string;
  /** The key file of the store with this id. */
  keyFile(storeId: string): string;
  /** Whether the key file is ours alone to make and remove, because its place is the default one. */
  readonly ownKeyFile: boolean;
}

export function storePaths(settings: LocalSettings, env: Readonly<Record<string, string | undefined>> = process.env): StorePaths {
  const store = settings.path === undefined ? defaultPaths(env).store : resolve(settings.path);
  const { key_file: keyFile } = settings;
  return {
    store,
    folder: dirname(store),
    keyFile: (storeId) => (keyFile === undefined ? join(defaultPaths(env).keyDirectory, `${storeId}.key`) : resolve(keyFile)),
    ownKeyFile: keyFile === undefined,
  };
}

/** The name of a helper file beside `path`: hidden, and recognisable as belonging to it. */
export function besides(path: string, suffix: string): string {
  return join(dirname(path), `.${basename(path)}.${suffix}`);
}

function base(env: Readonly<Record<string, string | undefined>>, variable: string, below: string): string {
  const explicit = env[variable];
  // The specification of these variables: relative paths are to be ignored.
  if (explicit !== undefined && isAbsolute(explicit)) return explicit;
  const home = env["HOME"] === undefined || env["HOME"] === "" ? homeOfUser() : env["HOME"];
  if (home === undefined || !isAbsolute(home) || !existsSync(home)) {
    throw new DriverError("invalid_settings", undefined, {
      safeMessage:
        home === undefined || home === "" ? "There is no home directory (HOME is not set)." : `The home directory ${home} does not exist.`,
      hint: `Set HOME, or ${variable}, or the setting "path" of the secrets manager.`,
    });
  }
  return join(home, below);
}

function homeOfUser(): string | undefined {
  try {
    return userInfo().homedir;
  } catch {
    return undefined;
  }
}
