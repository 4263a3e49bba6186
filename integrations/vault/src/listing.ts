import { DriverError, type ListOptions, type StoredSecretInfo } from "@coffer/core";
import { isNothing, objectOf } from "./answers.ts";
import type { Engine } from "./engine.ts";
import { encodePath, secretName, secretPath } from "./names.ts";

/** How many folders are looked into at once. */
const FOLDERS_AT_ONCE = 8;

/**
 * The names below a prefix, folder by folder: the engine lists one at a time, whole. An error in one folder ends the listing.
 * @throws DriverError when the server answers with something that is no listing
 * @param root where the engine lists names, encoded: `secret/metadata` with version 2, the mount itself with version 1
 */
export async function* foldersOf(engine: Engine, root: string, options: ListOptions): AsyncGenerator<readonly StoredSecretInfo[]> {
  const { prefix } = options;
  // The prefix may end inside a segment: its folder is the part up to the last slash.
  const waiting = [folderPath(engine, prefix.slice(0, prefix.lastIndexOf("/") + 1), options)];
  const nameOf = (path: string): string | undefined => secretName(path, options.scope, engine.version);
  const isWanted = (name: string | undefined): name is string => name?.startsWith(prefix) === true;
  const running = new Map<string, Promise<Opened>>();
  while (waiting.length > 0 || running.size > 0) {
    while (running.size < FOLDERS_AT_ONCE && waiting.length > 0) {
      const folder = waiting.shift() ?? "";
      const opening = open(engine, root, folder, options);
      // Of several that fail one ends the listing; nobody waits for the others.
      opening.catch(() => undefined);
      running.set(folder, opening);
    }
    const { folder, folders, names } = await Promise.race(running.values());
    running.delete(folder);
    waiting.push(...folders.filter((path) => isWanted(nameOf(path))));
    const infos = names
      .map(nameOf)
      .filter(isWanted)
      .map((name) => ({ name, managed: null }));
    if (infos.length > 0) yield infos;
  }
}

interface Opened {
  readonly folder: string;
  readonly folders: readonly string[];
  readonly names: readonly string[];
}

async function open({ connection }: Engine, root: string, folder: string, options: ListOptions): Promise<Opened> {
  let answer: Readonly<Record<string, unknown>>;
  try {
    // The verb LIST does not get through everything that stands between a client and its server.
    answer = await connection.request({ method: "GET", path: `${root}/${encodePath(folder)}?list=true` }, options);
  } catch (error) {
    if (isNothing(error)) return { folder, folders: [], names: [] };
    throw error;
  }
  const { keys } = objectOf(answer["data"]);
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === "string"))
    throw new DriverError("unavailable", undefined, { safeMessage: "The server answers with something that is no listing." });
  const paths = [...new Set(keys)].map((key) => folder + key);
  return { folder, folders: paths.filter((path) => path.endsWith("/")), names: paths.filter((path) => !path.endsWith("/")) };
}

/** The path of a folder, with its slash at the end; the topmost has none. */
function folderPath({ version }: Engine, folder: string, { scope }: ListOptions): string {
  return folder === "" ? "" : `${secretPath(folder.slice(0, -1), scope, version)}/`;
}
