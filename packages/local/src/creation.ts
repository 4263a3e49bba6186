import { randomBytes, randomUUID } from "node:crypto";
import { renameSync } from "node:fs";
import { DriverError } from "@coffer/core";
import { EMPTY_CENSUS, encodeCensus } from "./census.ts";
import { callProgram, orphanedLog } from "./errors.ts";
import { createPrivateFile, ensurePrivateFolder, look, removeEmptyFolders, removeFile, removeUnfinished, syncFolder } from "./files.ts";
import { layOut } from "./format.ts";
import { withLock } from "./lock.ts";
import { besides, type StorePaths } from "./paths.ts";
import { meaningOf } from "./protection.ts";
import { Sealer } from "./sealing.ts";
import type { CheckedSettings } from "./settings-types.ts";
import { sqlite } from "./sqlite.ts";
import { assertPatient, type Patience } from "./waiting.ts";
import { DATA_KEY_BYTES, newWrapper, type WrappedKey } from "./wrapping.ts";

/** What is beside a file while SQLite works on it. */
const SIDE_FILES = ["-wal", "-shm", "-journal"];

/**
 * Makes the store, unless another process has done so meanwhile. It is built under another name and appears whole or not at all; its key is in
 * its place before the store is.
 */
export async function createStore(paths: StorePaths, settings: CheckedSettings, patience: Patience): Promise<void> {
  const lock = besides(paths.store, "lock");
  for (;;) {
    const made: string[] = [];
    try {
      ensurePrivateFolder(paths.folder, made);
      return await withLock(lock, patience, async () => {
        try {
          await createUnderLock(paths, settings, patience);
        } catch (error) {
          // Who is told that there is no store finds none of its traces either.
          if (look(paths.store) === undefined) removeFile(lock);
          throw error;
        }
      });
    } catch (error) {
      // Somebody else, who has failed, has just taken the directory away again.
      const pulledAway = (error as NodeJS.ErrnoException | null)?.code === "ENOENT" && look(paths.folder) === undefined;
      removeEmptyFolders(made);
      if (!pulledAway) throw error;
      assertPatient(patience);
    }
  }
}

async function createUnderLock(paths: StorePaths, settings: CheckedSettings, patience: Patience): Promise<void> {
  if (look(paths.store) !== undefined) return;
  for (const suffix of SIDE_FILES) {
    if (look(paths.store + suffix) !== undefined) throw orphanedLog(paths.store);
  }
  removeUnfinished(paths.store);
  const protection = settings.protection ?? "key_file";
  const storeId = randomUUID();
  const keyFile = protection === "key_file" ? paths.keyFile(storeId) : null;
  await callProgram("onCreate", () => settings.onCreate?.({ path: paths.store, protection, keyFile, meaning: meaningOf(protection) }));
  const wrapper = await newWrapper(protection, { storeId, paths, settings }, "create");
  const dataKey = randomBytes(DATA_KEY_BYTES);
  const wrapping = wrapper(1, dataKey);
  const unfinished = besides(paths.store, `${randomUUID()}.new`);
  try {
    build(unfinished, storeId, wrapping.row, dataKey);
    await wrapping.publish(patience);
    try {
      // Who does not take the lock (a restored backup, say) may still have put a store there; nothing is ever overwritten.
      if (look(paths.store) !== undefined) throw new DriverError("conflict");
      renameSync(unfinished, paths.store);
    } catch (error) {
      await wrapping.withdraw(patience);
      throw error;
    }
  } catch (error) {
    discard(unfinished);
    throw error;
  }
  syncFolder(paths.folder);
}

function build(path: string, storeId: string, key: WrappedKey, dataKey: Uint8Array): void {
  createPrivateFile(path);
  const database = new (sqlite().DatabaseSync)(path);
  try {
    layOut(database);
    const sealer = new Sealer(storeId, dataKey);
    database
      .prepare("INSERT INTO store (id, store_id, census) VALUES (1, ?, ?)")
      .run(storeId, sealer.seal(sealer.censusLabel, encodeCensus(EMPTY_CENSUS)));
    database
      .prepare("INSERT INTO keys (id, protection, parameters, wrapped) VALUES (?, ?, ?, ?)")
      .run(key.id, key.protection, key.parameters, key.wrapped);
    database.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    // The last connection to close takes the log away: the file is whole.
    database.close();
  }
  // SQLite does not tell when it could not.
  for (const suffix of SIDE_FILES) removeFile(path + suffix);
}

function discard(path: string): void {
  for (const suffix of ["", ...SIDE_FILES]) removeFile(path + suffix);
}
