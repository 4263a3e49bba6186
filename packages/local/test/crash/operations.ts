import { join } from "node:path";
import type { LocalSettings } from "../../src/index.ts";

/** In every value: it must not turn up in anything that a process prints. */
export const CANARY = "canary-3f9d51c7";

/** Every secret of a store by its name. */
export type Contents = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Where the store and the key of one case lie: apart from each other, so that each directory can be looked at. */
export function settingsIn(folder: string): LocalSettings & { readonly path: string; readonly key_file: string } {
  return { path: join(folder, "data", "secrets.db"), key_file: join(folder, "key", "file") };
}

/** What lies in the two directories when nobody works on the store. */
export const AT_REST = ["data/.secrets.db.lock", "data/secrets.db", "key/.file.lock", "key/file"];

/**
 * The one UUID that the victims use, so that the names of their temporary files are known beforehand: strace follows a path only when it is
 * told the whole of it.
 */
export const UUID = "00000000-0000-4000-8000-000000000000";

/** Everything that a victim opens, makes, writes or removes below the folder of its case. */
export function pathsIn(folder: string): string[] {
  const { path, key_file } = settingsIn(folder);
  const unfinished = join(folder, "data", `.secrets.db.${UUID}.new`);
  return [
    join(folder, "data"),
    join(folder, "data", ".secrets.db.lock"),
    ...["", "-wal", "-shm", "-journal"].flatMap((suffix) => [path + suffix, unfinished + suffix]),
    join(folder, "key"),
    key_file,
    join(folder, "key", ".file.lock"),
    join(folder, "key", `.file.${UUID}.tmp`),
  ];
}

const BEFORE: Contents = {
  alpha: { user: "etl", password: `${CANARY}-alpha` },
  beta: { token: `${CANARY}-beta` },
  gamma: { token: `${CANARY}-gamma` },
};
export const REGISTERED = { token: `${CANARY}-delta` };
export const ADDED = { added: `${CANARY}-added` };

/** The first state of a store: none at all, one at rest, one whose last writer was killed, one whose log is about to be moved into it. */
export type Start = "nothing" | "at rest" | "killed writer" | "long log";

/** What a victim does, and what the store holds before and after it. */
export interface Operation {
  readonly start: Start;
  readonly before: Contents;
  readonly after: Contents;
  /** Whether it is made of several writes, so that a part of them may have happened. */
  readonly stepwise?: true;
  /** How many calls of a kind are chosen; for what takes long. */
  readonly most?: number;
}

const { gamma: _gamma, ...WITHOUT_GAMMA } = BEFORE;
const UPDATED: Contents = { ...BEFORE, beta: { ...BEFORE["beta"], ...ADDED } };

export const OPERATIONS = {
  "first register": { start: "nothing", before: {}, after: { delta: REGISTERED } },
  register: { start: "at rest", before: BEFORE, after: { ...BEFORE, delta: REGISTERED } },
  update: { start: "at rest", before: BEFORE, after: UPDATED },
  "update after a killed writer": { start: "killed writer", before: BEFORE, after: UPDATED },
  "update with a long log": { start: "long log", before: BEFORE, after: UPDATED },
  delete: { start: "at rest", before: BEFORE, after: WITHOUT_GAMMA },
  cleanup: { start: "at rest", before: BEFORE, after: {}, stepwise: true },
  rekey: { start: "at rest", before: BEFORE, after: BEFORE },
  "rekey to a passphrase": { start: "at rest", before: BEFORE, after: BEFORE, most: 3 },
} as const satisfies Readonly<Record<string, Operation>>;

export type OperationName = keyof typeof OPERATIONS;
export const OPERATION_NAMES = Object.keys(OPERATIONS) as OperationName[];
export const contentsBefore = BEFORE;
