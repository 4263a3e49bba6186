import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { DriverError } from "@coffer/core";
import {
  assertPrivateFile,
  assertPrivateFolder,
  ensurePrivateFolder,
  look,
  removeFile,
  removeUnfinished,
  replacePrivateFile,
} from "./files.ts";
import { withLock } from "./lock.ts";
import { besides } from "./paths.ts";
import type { Patience } from "./waiting.ts";

const COMMENT = "# The key of a Coffer store. Whoever has this file and the store can read its secrets.";
const LINE = /^coffer-key 1 (\S+) (\d+) ([A-Za-z0-9_-]{43})$/;

interface KeyLine {
  readonly storeId: string;
  readonly id: number;
  readonly line: string;
}

/** A key file: one line for each key, with the store and the key's number, so that while a key is changed the old and the new one are both there. */
export class KeyFile {
  readonly path: string;
  /** Whether the place is the default one, where a file belongs to one store and its directory to Coffer. */
  readonly #own: boolean;

  constructor(path: string, own: boolean) {
    this.path = path;
    this.#own = own;
  }

  /**
   * The key with this number, or `undefined` when the file is there and does not hold it.
   * @throws DriverError `unauthenticated` when there is no file, `permission_denied` when others could read it
   */
  read(storeId: string, id: number): Uint8Array | undefined {
    const line = this.#lines().find((candidate) => candidate.storeId === storeId && candidate.id === id);
    return line === undefined ? undefined : Buffer.from(LINE.exec(line.line)?.[3] ?? "", "base64url");
  }

  /** The numbers of all keys of this store that the file holds. Nothing when there is no file. */
  idsOf(storeId: string): number[] {
    if (look(this.path) === undefined) return [];
    return this.#lines()
      .filter((line) => line.storeId === storeId)
      .map(({ id }) => id);
  }

  /** Adds a key. What is there stays. */
  async add(storeId: string, id: number, key: Uint8Array, patience: Patience): Promise<void> {
    if (this.#own) ensurePrivateFolder(dirname(this.path));
    else if (look(dirname(this.path)) === undefined) ensurePrivateFolder(dirname(this.path));
    await this.#rewrite(patience, (lines) => [
      ...lines.filter((line) => line.storeId !== storeId || line.id !== id),
      { storeId, id, line: `coffer-key 1 ${storeId} ${id} ${Buffer.from(key).toString("base64url")}` },
    ]);
  }

  /** Removes one key. The file goes with its last line. */
  async remove(storeId: string, id: number, patience: Patience): Promise<void> {
    if (this.idsOf(storeId).includes(id))
      await this.#rewrite(patience, (lines) => lines.filter((line) => line.storeId !== storeId || line.id !== id));
  }

  /** Removes the keys of this store but one; all of them without `keep`. */
  async sweep(storeId: string, keep: number | undefined, patience: Patience): Promise<void> {
    if (this.idsOf(storeId).every((id) => id === keep)) return;
    await this.#rewrite(patience, (lines) => lines.filter((line) => line.storeId !== storeId || line.id === keep));
  }

  async #rewrite(patience: Patience, change: (lines: KeyLine[]) => KeyLine[]): Promise<void> {
    const rewrite = (): void => {
      const lines = change(look(this.path) === undefined ? [] : this.#lines());
      // It may hold keys that were taken out of the file since.
      if (look(dirname(this.path)) !== undefined) removeUnfinished(this.path);
      if (lines.length === 0) removeFile(this.path);
      else replacePrivateFile(this.path, `${COMMENT}\n${lines.map(({ line }) => `${line}\n`).join("")}`);
    };
    // A file in the default place belongs to one store, whose own lock is held by whoever changes keys; another file may serve several.
    if (this.#own) rewrite();
    else await withLock(besides(this.path, "lock"), patience, rewrite);
  }

  #lines(): KeyLine[] {
    const { path } = this;
    const stats = look(path);
    if (stats === undefined) throw missing(path);
    const folder = this.#own ? look(dirname(path)) : undefined;
    if (folder !== undefined) assertPrivateFolder(dirname(path), folder);
    assertPrivateFile(path, stats);
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      return readFileSync(file, "utf8").split("\n").flatMap(parseLine);
    } finally {
      closeSync(file);
    }
  }
}

function parseLine(line: string): KeyLine[] {
  const match = LINE.exec(line);
  return match?.[1] === undefined ? [] : [{ storeId: match[1], id: Number(match[2]), line }];
}

function missing(path: string): DriverError {
  return new DriverError("unauthenticated", undefined, {
    safeMessage: `The key file of the store is missing: ${path}`,
    hint: 'Put it back, or name its place with the setting "key_file". Without it the store cannot be opened.',
  });
}
