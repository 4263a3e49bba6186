import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecretsManager } from "@coffer/core";
import { local } from "../../src/index.ts";
import { AT_REST, contentsBefore, settingsIn, type Start } from "./operations.ts";

/** A frame of the log: a page and its header. */
export const FRAME_BYTES = 4096 + 24;
// SQLite moves the log into the file when a commit brings it to so many of them.
const LONG_LOG_FRAMES = 1000;

/** The folder of one suite: the stores that cases begin with, and a folder for each case. */
export class Stores {
  readonly root: string;
  #number = 0;

  private constructor() {
    this.root = mkdtempSync(join(tmpdir(), "coffer-crash-"));
  }

  /** Makes the stores that cases begin with. */
  static async prepare(): Promise<Stores> {
    const stores = new Stores();
    writeFileSync(join(stores.root, "passphrase"), "a passphrase of many words\n");
    const folder = join(stores.root, "made");
    const manager = createSecretsManager(local, settingsIn(folder));
    for (const [name, values] of Object.entries(contentsBefore)) {
      await manager.registerSecret({ name, values: { ...values, spare: "1" } });
      await manager.updateSecret(name, { removeKeys: ["spare"] });
    }
    // What a killed process leaves is what lies there while it still runs. The index of the log is not copied: it is shared memory, made anew.
    copyStore(folder, join(stores.root, "killed writer"));
    await manager.close();
    copyStore(folder, join(stores.root, "at rest"));
    await growLog(folder);
    return stores;
  }

  /** A new folder with a store of that kind in it. */
  begin(start: Start): string {
    this.#number += 1;
    const folder = join(this.root, `case ${this.#number}`);
    mkdirSync(folder, { mode: 0o700 });
    if (start !== "nothing") copyStore(join(this.root, start), folder);
    return folder;
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }
}

/** Makes the start "long log": one more write, and the log has the length at which SQLite moves it into the file. */
async function growLog(folder: string): Promise<void> {
  const log = `${settingsIn(folder).path}-wal`;
  const manager = createSecretsManager(local, settingsIn(folder));
  // Large values fill it; what is deleted is overwritten, which fills it again.
  await manager.registerSecret({ name: "ballast", values: { text: "x".repeat(900_000) } });
  await manager.deleteSecret("ballast");
  let frames = 0;
  let each = 0;
  do {
    await manager.updateSecret("alpha", { values: contentsBefore["alpha"] });
    const now = Math.floor(statSync(log).size / FRAME_BYTES);
    [frames, each] = [now, now - frames];
  } while (frames + each < LONG_LOG_FRAMES);
  copyStore(folder, join(folder, "..", "long log"));
  await manager.close();
}

/** Copies a store, its log and its key. */
export function copyStore(from: string, to: string): void {
  for (const name of ["data", "key"]) mkdirSync(join(to, name), { recursive: true, mode: 0o700 });
  for (const file of [...AT_REST, "data/secrets.db-wal"]) if (existsSync(join(from, file))) copyFileSync(join(from, file), join(to, file));
}
