import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { canaryOf, chanceOf, temporarySettings, type TestSettings, using } from "./laboratory.ts";

export const CANARY = canaryOf("damage");
const SECRETS = 50;
/** The size of a page of the file. */
export const PAGE = 4096;

/** A closed store: its file, its key, and for every secret the value of each of its revisions. */
export interface Specimen {
  readonly file: Buffer;
  readonly key: Buffer;
  readonly values: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

export async function makeSpecimen(): Promise<Specimen> {
  const chance = chanceOf(11);
  const folder = mkdtempSync(join(tmpdir(), "coffer-local-"));
  const settings = { path: join(folder, "data/secrets.db"), key_file: join(folder, "state/key") };
  const values = new Map<string, ReadonlyMap<string, string>>();
  await using(settings, async (manager) => {
    for (let index = 0; index < SECRETS; index += 1) {
      const name = `team-${index % 3}/secret-${String(index).padStart(2, "0")}`;
      const revisions = new Map<string, string>();
      for (let revision = 0; revision <= index % 4; revision += 1) {
        const value = `${CANARY} ${name} ${revision} ${"x".repeat(chance(index % 9 === 0 ? 9_000 : 60))}`;
        const written = await manager.upsertSecret({ name, values: { value } });
        revisions.set(String(written.revision), value);
      }
      values.set(name, revisions);
    }
  });
  const specimen = { file: readFileSync(settings.path), key: readFileSync(settings.key_file), values };
  rmSync(folder, { recursive: true });
  return specimen;
}

/** A store of its own with this file. */
export function plant(specimen: Specimen, file: Uint8Array, settings: TestSettings = temporarySettings()): TestSettings {
  for (const path of [settings.path, settings.key_file]) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(settings.path, file, { mode: 0o600 });
  writeFileSync(settings.key_file, specimen.key, { mode: 0o600 });
  return settings;
}

/** Takes away what reading has left beside a store. */
export function clear({ path }: TestSettings): void {
  for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
}
