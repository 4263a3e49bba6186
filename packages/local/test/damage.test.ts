import { readFileSync, writeFileSync } from "node:fs";
import { SecretsError } from "@coffer/core";
import { beforeAll, expect, test } from "vitest";
import { chanceOf, expectNoLeak, open, shownOf, temporarySettings, type TestSettings, using } from "./laboratory.ts";
import { CANARY, makeSpecimen, PAGE, plant, clear, type Specimen } from "./specimen.ts";

let specimen: Specimen;
beforeAll(async () => {
  specimen = await makeSpecimen();
});

/** What is found when everything that a store holds is read: how much was right, and the errors. What is wrong fails the test. */
async function examined(settings: TestSettings): Promise<{ readonly right: number; readonly listed: boolean; readonly errors: unknown[] }> {
  const errors: unknown[] = [];
  let right = 0;
  let listed = false;
  await using(settings, async (manager) => {
    const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        if (!SecretsError.isInstance(error)) throw error;
        // To say "not found", "already exists" or "unknown" of what is damaged would be to say something wrong.
        if (!["corrupt", "unsupported", "unauthenticated"].includes(error.code))
          throw new Error(`${what}: ${shownOf(error)}`, { cause: error });
        errors.push(error);
      }
    };
    for (const [name, revisions] of specimen.values) {
      const current = [...revisions.keys()].at(-1) ?? "";
      await attempt(name, async () => {
        const secret = await manager.getSecret(name);
        expect([secret.revision, secret.text["value"]]).toEqual([current, revisions.get(current)]);
        right += 1;
      });
      for (const [revision, value] of revisions) {
        await attempt(`${name} ${revision}`, async () => {
          expect((await manager.getSecret(name, { revision })).text["value"]).toBe(value);
          right += 1;
        });
      }
      await attempt(`the history of ${name}`, async () => {
        const history = await Array.fromAsync(manager.history(name));
        expect(history.map(({ revision }) => revision)).toEqual([...revisions.keys()].toReversed());
      });
    }
    await attempt("the list", async () => {
      const names = (await Array.fromAsync(manager.listSecrets())).map(({ name }) => name);
      expect(names).toEqual([...specimen.values.keys()].toSorted());
      listed = true;
    });
    await attempt("a name that never was", async () => {
      expect(await manager.hasSecret("never")).toBe(false);
    });
  });
  return { right, listed, errors };
}

const readings = (): number => [...specimen.values.values()].reduce((sum, revisions) => sum + 1 + revisions.size, 0);

test("an intact store is read in full", async () => {
  expect(await examined(plant(specimen, specimen.file))).toEqual({ right: readings(), listed: true, errors: [] });
});

test("T29 and 200 bits: whichever bit of the file is flipped, every answer is right or an error, and the file stays as it is", async () => {
  const chance = chanceOf(200);
  const settings = temporarySettings();
  const errors: unknown[] = [];
  let noticed = 0;
  for (let flip = 0; flip < 200; flip += 1) {
    const file = Buffer.from(specimen.file);
    const at = chance(file.length);
    file[at] = (file[at] ?? 0) ^ (1 << chance(8));
    plant(specimen, file, settings);
    const found = await examined(settings);
    expect(readFileSync(settings.path).equals(file), `bit at ${at}`).toBe(true);
    clear(settings);
    if (found.errors.length > 0) noticed += 1;
    errors.push(...found.errors.slice(0, 5));
  }
  // Most of the file is in use; a flip in what is not is no damage.
  expect(noticed).toBeGreaterThan(100);
  for (const error of errors) expect(shownOf(error)).not.toContain(CANARY.slice(0, 12));
  await expectNoLeak(errors[0], CANARY);
});

test("T29 sectors of nothing, a few bytes of chance: every answer is right or an error, and the file stays as it is", async () => {
  const chance = chanceOf(31_337);
  const settings = temporarySettings();
  for (let round = 0; round < 100; round += 1) {
    const file = Buffer.from(specimen.file);
    if (round % 2 === 0) file.fill(0, ...sectorAt(chance(file.length)));
    else for (let at = chance(file.length - 8), end = at + 1 + chance(8); at < end; at += 1) file[at] = chance(256);
    expect(await problemWith(file, settings)).toBe("none");
  }
});

test("T29 each leaf of a table in the place of each other one: a search ends at an authentic row that was not asked for, and it is not taken", async () => {
  const settings = temporarySettings();
  const leaves = Array.from({ length: specimen.file.length / PAGE }, (_, page) => page * PAGE).filter(
    (page) => specimen.file[page] === 0x0a,
  );
  expect(leaves.length).toBeGreaterThan(5);
  for (const from of leaves) {
    for (const to of leaves) {
      const file = Buffer.from(specimen.file);
      specimen.file.copy(file, to, from, from + PAGE);
      expect(await problemWith(file, settings)).toBe("none");
    }
  }
});

/** What is wrong with the answers about a damaged file, in a word. A wrong value fails on the spot. */
async function problemWith(file: Buffer, settings: TestSettings): Promise<string> {
  plant(specimen, file, settings);
  const { right, errors } = await examined(settings);
  const isUnchanged = readFileSync(settings.path).equals(file);
  clear(settings);
  if (!isUnchanged) return "changed";
  return right === readings() || errors.length > 0 ? "none" : "unnoticed";
}

function sectorAt(offset: number): [number, number] {
  const start = Math.floor(offset / 512) * 512;
  return [start, start + 512];
}

test("T58 a bit flipped in each byte of the header of the file: every answer is right or an error, and the file stays as it is", async () => {
  const settings = temporarySettings();
  for (let at = 0; at < 100; at += 1) {
    const file = Buffer.from(specimen.file);
    file[at] = (file[at] ?? 0) ^ (1 << (at % 8));
    expect(await problemWith(file, settings)).toBe("none");
  }
});

test("a bit flipped in the log: each answer is something that was written, or an error", async () => {
  const settings = plant(specimen, specimen.file);
  const name = "team-0/secret-00";
  const written = new Set(specimen.values.get(name)?.values());
  const writer = open(settings);
  for (let index = 0; index < 5; index += 1) {
    const value = `${CANARY} log ${index}`;
    written.add(value);
    await writer.updateSecret(name, { values: { value } });
  }
  const file = readFileSync(settings.path);
  const log = readFileSync(`${settings.path}-wal`);
  const chance = chanceOf(60);
  const copy = temporarySettings();
  let older = 0;
  for (let flip = 0; flip < 60; flip += 1) {
    const flipped = Buffer.from(log);
    const at = chance(flipped.length);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << chance(8));
    plant(specimen, file, copy);
    writeFileSync(`${copy.path}-wal`, flipped, { mode: 0o600 });
    const value = await using(copy, async (manager) => (await manager.getSecret(name)).text["value"]).catch((error: unknown) => {
      if (SecretsError.isInstance(error) && error.code === "corrupt") return undefined;
      throw error;
    });
    expect(value === undefined || written.has(value)).toBe(true);
    if (value !== `${CANARY} log 4`) older += 1;
    expect(readFileSync(copy.path).equals(file)).toBe(true);
    clear(copy);
  }
  expect(older).toBeGreaterThan(10);
});
