import type { ListOptions, StoredSecretInfo } from "@coffer/core";
import { DriverError } from "@coffer/core";
import { isNothing, objectOf } from "./answers.ts";
import type { VaultConnection } from "./client.ts";
import { encodePath } from "./names.ts";

/** How many folders are looked into at once. */
const FOLDERS_AT_ONCE = 8;

/** Where the names of an engine are listed: `secret/metadata` with version 2, the mount itself with version 1. */
export interface Shelf {
  readonly connection: VaultConnection;
  /** Encoded, without a slash at its end. */
  readonly root: string;
}

/**
 * The names below a prefix, folder by folder: the engine lists one at a time, whole. An error in one folder ends the listing.
 * @throws DriverError when the server answers with something that is no listing
 */
export async function* foldersOf(shelf: Shelf, options: ListOptions): AsyncGenerator<readonly StoredSecretInfo[]> {
  const { prefix } = options;
  // The prefix may end inside a segment: its folder is the part up to the last slash.
  const waiting = [prefix.slice(0, prefix.lastIndexOf("/") + 1)];
  const running = new Map<string, Promise<Opened>>();
  try {
    while (waiting.length > 0 || running.size > 0) {
      while (running.size < FOLDERS_AT_ONCE && waiting.length > 0) {
        const folder = waiting.shift() ?? "";
        const opening = open(shelf, folder, options);
        // Of several that fail one ends the listing; nobody waits for the others.
        opening.catch(() => undefined);
        running.set(folder, opening);
      }
      const { folder, folders, names } = await Promise.race(running.values());
      running.delete(folder);
      waiting.push(...folders.filter((path) => path.startsWith(prefix)));
      const infos = names.filter((name) => name.startsWith(prefix)).map((name) => ({ name, managed: null }));
      if (infos.length > 0) yield infos;
    }
  } finally {
    running.clear();
  }
}

interface Opened {
  readonly folder: string;
  readonly folders: readonly string[];
  readonly names: readonly string[];
}

async function open({ connection, root }: Shelf, folder: string, options: ListOptions): Promise<Opened> {
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
