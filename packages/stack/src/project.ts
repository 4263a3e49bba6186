import { existsSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { printable, SecretsError } from "@coffer/core";
import { type Environment, homeDirectory } from "./directories.ts";
import { isObject, type JsonObject, misshapen, parseFile, readBytes } from "./source-file.ts";

/** The name of the file of a project. */
export const PROJECT_FILE = "coffer.json";

/** A module that a project or the user names: where it is, and the hash of what it holds. */
export interface NamedModule {
  /** As it is written. */
  readonly name: string;
  readonly path: string;
  /** SHA-256 of its content when the file was read, so that nothing else is run; `undefined` for modules of the user's own configuration. */
  readonly hash: string | undefined;
}

/** A project that was looked into: by `coffer trust`, or because its digest has to be compared. */
export interface InspectedProject {
  readonly document: JsonObject;
  readonly modules: readonly NamedModule[];
  /** Changes with every byte of the file and of the modules that it names. */
  readonly digest: string;
}

/**
 * The project that a directory is in, and whether it counts: `new` was never trusted, `changed` differs from what was. Only of a trusted one anything is
 * known.
 */
export type Project = {
  /** The directory of its file, as it really is. */
  readonly folder: string;
  readonly file: string;
} & (
  | { readonly status: "trusted"; readonly document: JsonObject; readonly modules: readonly NamedModule[] }
  | { readonly status: "new" | "changed"; readonly document?: undefined; readonly modules?: undefined }
);

/**
 * The directory of the nearest `coffer.json`, from `cwd` upward. The home directory and the root are no projects: a file there would count in every project
 * below.
 */
export function findProjectFolder(cwd: string | undefined, env: Environment): string | undefined {
  const home = homeDirectory(env);
  const realHome = home === undefined ? undefined : realPath(home);
  // A directory that was removed under our feet is in no project.
  const start = realPath(cwd === undefined ? "." : resolve(cwd));
  if (start === undefined) return undefined;
  for (let folder = start; folder !== realHome && dirname(folder) !== folder; folder = dirname(folder)) {
    if (existsSync(join(folder, PROJECT_FILE))) return folder;
  }
  return undefined;
}

/** The project in a folder, held against the digest that was trusted. */
export function readProject(folder: string, trusted: unknown): Project {
  const file = join(folder, PROJECT_FILE);
  if (trusted === undefined) return { folder, file, status: "new" };
  let inspected: InspectedProject;
  try {
    inspected = inspectProject(folder);
  } catch {
    // What cannot even be read is not what was trusted; `coffer trust` says what is wrong with it.
    return { folder, file, status: "changed" };
  }
  const { document, modules, digest } = inspected;
  return digest === trusted ? { folder, file, status: "trusted", document, modules } : { folder, file, status: "changed" };
}

/**
 * Reads the file of a project and hashes it with the modules that it names. Runs nothing.
 * @throws SecretsError `not_found`, `corrupt`, `unsupported`, `permission_denied`
 */
export function inspectProject(folder: string): InspectedProject {
  const file = join(folder, PROJECT_FILE);
  const bytes = readBytes(file, { follow: false });
  if (bytes === undefined)
    throw new SecretsError("not_found", `There is no ${PROJECT_FILE} in ${printable(folder)}.`, { hint: "coffer init" });
  const document = parseFile(file, bytes);
  const modules = moduleNames(document, file).map((name) => readModule(folder, file, name));
  return { document, modules, digest: digestOf(bytes, modules) };
}

/** The digest of a project: of its file, and of each module with its name. */
export function digestOf(file: Uint8Array, modules: readonly NamedModule[]): string {
  return hashOf([hashOf(file), ...modules.map(({ name, hash }) => `${hash ?? ""}  ${name}`)].join("\n"));
}

/** SHA-256 in hexadecimal digits. */
export function hashOf(content: string | Uint8Array): string {
  // Loaded when there is something to hash: most commands meet no project.
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(content).digest("hex");
}

/** The modules that a file names. */
export function moduleNames(document: JsonObject, file: string): string[] {
  const { modules = [] } = document;
  if (!Array.isArray(modules)) throw misshapen(file, "modules: expected a list");
  return modules.map((name: unknown, index) => {
    if (typeof name !== "string") throw misshapen(file, `modules[${index}]: expected a path`);
    return name;
  });
}

// A path below the project in plain segments, to a file that is always an ECMAScript module.
const MODULE_PATH = /^\.\/(?:(?!\.{1,2}\/)[^/\\\0:%?#]+\/)*[^/\\\0:%?#]+\.(?:mjs|mts)$/;
/** The form of a project's modules, in words. */
export const MODULE_RULE = 'a path inside the project that starts with "./" and ends with .mjs or .mts';

/**
 * The absolute path of a module of a project.
 * @throws SecretsError `untrusted` for a way out of the project: `../`, absolute, a URL, the name of a package, a link
 */
export function modulePath(folder: string, name: string): string {
  const path = join(folder, name);
  if (!MODULE_PATH.test(name)) throw outside(name, `A module is ${MODULE_RULE}.`);
  const real = realPath(path);
  if (real === undefined) throw new SecretsError("not_found", `There is no module ${printable(name)} in ${printable(folder)}.`);
  if (real !== path) throw outside(name, "There is a symbolic link on the way. Name the real file.");
  return path;
}

function readModule(folder: string, file: string, name: string): NamedModule {
  const path = modulePath(folder, name);
  const bytes = readBytes(path, { follow: false });
  if (bytes === undefined) throw misshapen(file, `modules: there is no ${printable(name)}`);
  return { name, path, hash: hashOf(bytes) };
}

function outside(name: string, hint: string): SecretsError {
  return new SecretsError("untrusted", `"${printable(name.slice(0, 200))}" cannot be a module of a project.`, { hint });
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** The record of a project in the user's state. */
export function projectRecord(state: JsonObject | undefined, folder: string, stateFile: string): JsonObject | undefined {
  const { projects = [] } = state ?? {};
  if (!Array.isArray(projects)) throw misshapen(stateFile, "projects: expected a list");
  return projects.find((entry): entry is JsonObject => isObject(entry) && entry["path"] === folder);
}
