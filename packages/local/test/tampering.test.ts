import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { SecretsManager } from "@coffer/core";
import { describe, expect, test } from "vitest";
import { localStatus, rekey } from "../src/index.ts";
import { canaryOf, expectNoLeak, failure, tamper, temporarySettings, type TestSettings, using } from "./laboratory.ts";

const CANARY = canaryOf("tampering");
const NAMES = ["alpha", "beta", "gamma"] as const;
/** The name as the file has it: with the path of its scope. */
const stored = (name: string): string => `coffer/global/${name}`;
const valueOf = (name: string, revision: number): string => `${CANARY} ${name} ${revision}`;

/** A closed store with three secrets of three revisions each. The copy was taken after the second. */
async function storeAndCopy(): Promise<{ readonly settings: TestSettings; readonly copy: string }> {
  const settings = temporarySettings();
  const copy = `${settings.path}.copy`;
  for (let revision = 1; revision <= 3; revision += 1) {
    if (revision === 3) copyFileSync(settings.path, copy);
    await using(settings, async (manager) => {
      for (const name of NAMES) await manager.upsertSecret({ name, values: { value: valueOf(name, revision) } });
    });
  }
  return { settings, copy };
}

/** What reading says, in a word for each question: a value, or the code of the error. */
async function answersOf(settings: TestSettings): Promise<Record<string, string>> {
  const answers: Record<string, string> = {};
  await using(settings, async (manager) => {
    const ask = async (what: string, question: (manager: SecretsManager) => Promise<string>): Promise<void> => {
      try {
        answers[what] = await question(manager);
      } catch (error) {
        answers[what] = (error as { readonly code: string }).code;
        await expectNoLeak(error, CANARY);
      }
    };
    for (const name of NAMES) {
      await ask(name, async () => (await manager.getSecret(name)).text["value"] ?? "no value");
      await ask(`${name} 2`, async () => (await manager.getSecret(name, { revision: "2" })).text["value"] ?? "no value");
      await ask(`${name} history`, async () => String((await Array.fromAsync(manager.history(name))).length));
    }
    await ask("list", async () => (await Array.fromAsync(manager.listSecrets())).map(({ name, revision }) => `${name} ${revision}`).join());
    await ask("absent", async () => String(await manager.hasSecret("absent")));
  });
  return answers;
}

/** What a verification finds, or the code of its error. */
async function verdictOf(settings: TestSettings): Promise<string> {
  try {
    const { verified } = await localStatus(settings, { verify: true });
    const damaged = verified?.damaged.join() ?? "";
    return `complete: ${verified?.complete}${damaged === "" ? "" : `, damaged: ${damaged}`}`;
  } catch (error) {
    await expectNoLeak(error, CANARY);
    return (error as { readonly code: string }).code;
  }
}

const INTACT: Record<string, string> = {
  ...Object.fromEntries(
    NAMES.flatMap((name) => [
      [name, valueOf(name, 3)],
      [`${name} 2`, valueOf(name, 2)],
      [`${name} history`, "3"],
    ]),
  ),
  list: "alpha 3,beta 3,gamma 3",
  absent: "false",
};

/** Everything about one secret, or the whole store, answers with this. */
const all = (code: string, ...about: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    Object.keys(INTACT)
      .filter((question) => about.length === 0 || about.some((name) => question.startsWith(name)))
      .map((question) => [question, code]),
  );

test("the store that is tampered with below is in order", async () => {
  const { settings } = await storeAndCopy();
  expect(await answersOf(settings)).toEqual(INTACT);
  expect(await verdictOf(settings)).toBe("complete: true");
});

interface Case {
  readonly title: string;
  /** Done to the closed store; `older` is attached and holds its state after the second revision. */
  readonly tampering: string;
  /** What is answered differently. */
  readonly differently: Record<string, string>;
  /** What a verification finds, where it is more than that the store is damaged. */
  readonly verified?: string;
}

const where = (name: string): string => `name = '${stored(name)}'`;

const CASES: readonly Case[] = [
  {
    title: "swapped: the sealed values of two secrets",
    tampering: `CREATE TEMP TABLE kept AS SELECT name, sealed FROM secrets; UPDATE secrets SET sealed = (SELECT sealed FROM kept WHERE ${where("beta")}) WHERE ${where("alpha")}; UPDATE secrets SET sealed = (SELECT sealed FROM kept WHERE ${where("alpha")}) WHERE ${where("beta")}`,
    differently: { alpha: "corrupt", beta: "corrupt", "alpha history": "corrupt", "beta history": "corrupt" },
    verified: `complete: true, damaged: ${stored("alpha")},${stored("beta")}`,
  },
  {
    title: "swapped: the names of two secrets",
    tampering: `UPDATE secrets SET name = 'x' WHERE ${where("alpha")}; UPDATE secrets SET name = '${stored("alpha")}' WHERE ${where("beta")}; UPDATE secrets SET name = '${stored("beta")}' WHERE name = 'x'`,
    differently: { alpha: "corrupt", beta: "corrupt", "alpha history": "corrupt", "beta history": "corrupt" },
  },
  {
    title: "swapped: the sealed values of two revisions of one secret",
    tampering: `UPDATE revisions SET revision = -revision WHERE ${where("beta")}; UPDATE revisions SET revision = 3 + revision WHERE ${where("beta")}`,
    differently: { "beta 2": "corrupt", "beta history": "corrupt" },
    verified: `complete: true, damaged: ${stored("beta")}`,
  },
  {
    title: "renumbered: a current revision",
    tampering: `UPDATE secrets SET revision = 4 WHERE ${where("beta")}`,
    differently: { beta: "corrupt", "beta history": "corrupt", list: "corrupt", absent: "corrupt" },
    verified: `complete: false, damaged: ${stored("beta")}`,
  },
  {
    title: "renumbered: an older revision",
    tampering: `UPDATE revisions SET revision = 7 WHERE ${where("beta")} AND revision = 2`,
    differently: { "beta 2": "corrupt", "beta history": "corrupt" },
    verified: `complete: true, damaged: ${stored("beta")}`,
  },
  {
    title: "renumbered: the oldest revision that is kept, to hide the first",
    tampering: `UPDATE secrets SET oldest = 2 WHERE ${where("beta")}; DELETE FROM revisions WHERE ${where("beta")} AND revision = 1`,
    differently: { beta: "corrupt", "beta history": "corrupt" },
    verified: `complete: true, damaged: ${stored("beta")}`,
  },
  {
    title: "dropped: a secret with all its revisions",
    tampering: `DELETE FROM secrets WHERE ${where("beta")}; DELETE FROM revisions WHERE ${where("beta")}`,
    differently: { ...all("corrupt", "beta"), list: "corrupt", absent: "corrupt" },
    verified: "complete: false",
  },
  {
    title: "dropped: all secrets",
    tampering: "DELETE FROM secrets; DELETE FROM revisions",
    differently: all("corrupt"),
    verified: "complete: false",
  },
  {
    title: "dropped: an older revision",
    tampering: `DELETE FROM revisions WHERE ${where("beta")} AND revision = 2`,
    differently: { "beta 2": "corrupt", "beta history": "corrupt" },
    verified: `complete: true, damaged: ${stored("beta")}`,
  },
  {
    title: "duplicated: a secret under another name",
    tampering: `INSERT INTO secrets SELECT '${stored("absent")}', schema, revision, created_at, updated_at, oldest, sealed FROM secrets WHERE ${where("beta")}`,
    differently: { list: "corrupt", absent: "corrupt" },
    verified: `complete: false, damaged: ${stored("absent")}`,
  },
  {
    title: "duplicated: a revision as another one",
    tampering: `UPDATE revisions SET sealed = (SELECT sealed FROM revisions WHERE ${where("beta")} AND revision = 1) WHERE ${where("beta")} AND revision = 2`,
    differently: { "beta 2": "corrupt", "beta history": "corrupt" },
    verified: `complete: true, damaged: ${stored("beta")}`,
  },
  {
    title: "duplicated: an older revision as the current one",
    tampering: `UPDATE secrets SET sealed = (SELECT sealed FROM revisions WHERE ${where("beta")} AND revision = 2) WHERE ${where("beta")}`,
    differently: { beta: "corrupt", "beta history": "corrupt" },
    verified: `complete: true, damaged: ${stored("beta")}`,
  },
  {
    // The row itself is authentic, and one read looks at one row: it is the list that tells.
    title: "brought back: a secret as it was before, with its revisions",
    tampering: `INSERT OR REPLACE INTO secrets SELECT * FROM older.secrets WHERE ${where("beta")}; DELETE FROM revisions WHERE ${where("beta")}; INSERT INTO revisions SELECT * FROM older.revisions WHERE ${where("beta")}`,
    differently: { beta: valueOf("beta", 2), "beta history": "2", list: "corrupt", absent: "corrupt" },
    verified: "complete: false",
  },
  {
    title: "brought back: only the row of a secret as it was before",
    tampering: `INSERT OR REPLACE INTO secrets SELECT * FROM older.secrets WHERE ${where("beta")}`,
    differently: { beta: valueOf("beta", 2), "beta history": "corrupt", list: "corrupt", absent: "corrupt" },
    verified: `complete: false, damaged: ${stored("beta")}`,
  },
  {
    title: "changed: the schema",
    tampering: `UPDATE secrets SET schema = 'mysql' WHERE ${where("beta")}`,
    differently: { beta: "corrupt", "beta history": "corrupt", list: "corrupt", absent: "corrupt" },
    verified: `complete: false, damaged: ${stored("beta")}`,
  },
  {
    title: "changed: the schema of an older revision",
    tampering: `UPDATE revisions SET schema = 'mysql' WHERE ${where("beta")} AND revision = 2`,
    differently: { "beta 2": "corrupt", "beta history": "corrupt" },
    verified: `complete: true, damaged: ${stored("beta")}`,
  },
  {
    title: "changed: the time of the last update, to a number that no date can be",
    tampering: `UPDATE secrets SET updated_at = 9007199254740993 WHERE ${where("beta")}`,
    differently: { beta: "corrupt", "beta 2": "corrupt", "beta history": "corrupt", list: "corrupt", absent: "corrupt" },
  },
  {
    title: "cut: the sealed values",
    tampering: `UPDATE secrets SET sealed = substr(sealed, 1, 20) WHERE ${where("beta")}`,
    differently: { beta: "corrupt", "beta history": "corrupt" },
    verified: `complete: true, damaged: ${stored("beta")}`,
  },
  {
    title: "replaced: the census by an older one",
    tampering: "UPDATE store SET census = (SELECT census FROM older.store)",
    differently: { list: "corrupt", absent: "corrupt" },
    verified: "complete: false",
  },
  {
    title: "emptied: the census",
    tampering: "UPDATE store SET census = x''",
    differently: { list: "corrupt", absent: "corrupt" },
    verified: "complete: false",
  },
  {
    title: "replaced: the whole table of secrets by an older one",
    tampering: "DELETE FROM secrets; INSERT INTO secrets SELECT * FROM older.secrets",
    differently: {
      ...Object.fromEntries(
        NAMES.flatMap((name) => [
          [name, valueOf(name, 2)],
          [`${name} history`, "corrupt"],
        ]),
      ),
      list: "corrupt",
      absent: "corrupt",
    },
  },
  {
    title: "changed: the id of the store",
    tampering: "UPDATE store SET store_id = '00000000-0000-4000-8000-000000000000'",
    differently: all("unauthenticated"),
  },
  { title: "removed: the row of the store", tampering: "DELETE FROM store", differently: all("corrupt") },
  { title: "removed: the key", tampering: "DELETE FROM keys", differently: all("corrupt") },
  {
    title: "added: a second key",
    tampering: "INSERT INTO keys SELECT 2, protection, parameters, wrapped FROM keys",
    differently: all("corrupt"),
  },
  { title: "renumbered: the key", tampering: "UPDATE keys SET id = 2", differently: all("unauthenticated") },
  { title: "changed: the wrapped key", tampering: "UPDATE keys SET wrapped = randomblob(length(wrapped))", differently: all("corrupt") },
  { title: "changed: the parameters of the key", tampering: `UPDATE keys SET parameters = '{"a":1}'`, differently: all("corrupt") },
  { title: "changed: the protection", tampering: "UPDATE keys SET protection = 'passphrase'", differently: all("unauthenticated") },
  {
    title: "changed: the protection, to one that there is not",
    tampering: "UPDATE keys SET protection = 'none'",
    differently: all("corrupt"),
  },
  { title: "a table more", tampering: "CREATE TABLE more (a)", differently: all("corrupt") },
  {
    title: "a trigger",
    tampering: "CREATE TRIGGER spy AFTER INSERT ON secrets BEGIN DELETE FROM revisions; END",
    differently: all("corrupt"),
  },
  {
    title: "a view in the place of a table",
    tampering: "ALTER TABLE secrets RENAME TO kept; CREATE VIEW secrets AS SELECT * FROM kept",
    differently: all("corrupt"),
  },
];

describe("changed by somebody without the key", () => {
  test.each(CASES)("$title", async ({ tampering, differently, verified }) => {
    const { settings, copy } = await storeAndCopy();
    tamper(settings.path, (database) => {
      database.prepare("ATTACH ? AS older").run(copy);
      database.exec(tampering);
    });
    const before = readFileSync(settings.path);
    const answers = await answersOf(settings);
    expect(answers).toMatchObject(differently);
    // Whatever else is asked: never another value, and nothing that is there is said to be missing.
    for (const [question, answer] of Object.entries(answers))
      expect(["corrupt", "unauthenticated", INTACT[question], differently[question]]).toContain(answer);
    expect(await verdictOf(settings)).toMatch(
      verified === undefined ? /^(?:corrupt|unauthenticated)$|complete: false/ : new RegExp(`^${verified}$`),
    );
    // A new key would seal the damage in as if it had always been so.
    expect((await failure(rekey(settings))).code).toMatch(/^(?:corrupt|unauthenticated)$/);
    expect(readFileSync(settings.path).equals(before)).toBe(true);
  });

  test("exchanged: the rows of the key with those of another store, whose key is at hand", async () => {
    const { settings } = await storeAndCopy();
    const other = { ...temporarySettings(), key_file: settings.key_file };
    await using(other, (manager) => manager.registerSecret({ name: "alpha", values: { value: "another" } }));
    tamper(settings.path, (database) => {
      database.prepare("ATTACH ? AS other").run(other.path);
      database.exec("DELETE FROM keys; INSERT INTO keys SELECT * FROM other.keys");
    });
    expect(await answersOf(settings)).toEqual(all("corrupt"));
    tamper(settings.path, (database) => {
      database.prepare("ATTACH ? AS other").run(other.path);
      database.exec("UPDATE store SET store_id = (SELECT store_id FROM other.store)");
    });
    expect(await answersOf(settings)).toMatchObject({
      alpha: "corrupt",
      beta: "corrupt",
      gamma: "corrupt",
      list: "corrupt",
      absent: "corrupt",
    });
  });

  test("writing does not make good what was dropped", async () => {
    const { settings } = await storeAndCopy();
    tamper(settings.path, (database) =>
      database.exec(`DELETE FROM secrets WHERE ${where("beta")}; DELETE FROM revisions WHERE ${where("beta")}`),
    );
    await using(settings, async (manager) => {
      await manager.updateSecret("alpha", { values: { more: "x" } });
      await manager.registerSecret({ name: "delta", values: { value: "x" } });
      await manager.deleteSecret("gamma");
      expect((await failure(manager.updateSecret("beta", { values: { more: "x" } }))).code).toBe("corrupt");
      expect((await failure(manager.deleteSecret("beta"))).code).toBe("corrupt");
      expect((await failure(Array.fromAsync(manager.listSecrets()))).code).toBe("corrupt");
    });
  });

  test("a secret that does not open can neither be changed nor removed, and the others can", async () => {
    const { settings } = await storeAndCopy();
    tamper(settings.path, (database) => database.exec(`UPDATE secrets SET sealed = randomblob(100) WHERE ${where("beta")}`));
    await using(settings, async (manager) => {
      expect((await failure(manager.registerSecret({ name: "beta", values: { value: "x" } }))).code).toBe("already_exists");
      for (const call of [
        () => manager.updateSecret("beta", { values: { value: "x" } }),
        () => manager.replaceSecret({ name: "beta", values: { value: "x" } }),
        () => manager.deleteSecret("beta"),
      ]) {
        const error = await failure(call);
        expect(error.code).toBe("corrupt");
        await expectNoLeak(error, CANARY);
      }
      await manager.updateSecret("alpha", { values: { value: "x" } });
      expect((await Array.fromAsync(manager.listSecrets())).length).toBe(3);
    });
  });
});

describe("the index that listings are read from, changed on its own", () => {
  /** Changes bytes in the page of the index. */
  async function withIndex(change: (page: Buffer) => void): Promise<TestSettings> {
    const { settings } = await storeAndCopy();
    const root = tamper(settings.path, (database: DatabaseSync) =>
      database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'listing'").get(),
    );
    const file = readFileSync(settings.path);
    const start = (Number(root?.["rootpage"]) - 1) * 4096;
    change(file.subarray(start, start + 4096));
    writeFileSync(settings.path, file);
    return settings;
  }
  const rewrite = (from: string, to: string) => (page: Buffer) => {
    const at = page.indexOf(from);
    expect(at).toBeGreaterThan(0);
    page.write(to, at);
  };

  test.each([
    ["a name in the middle", "global/beta", "global/beto"],
    ["the first name", "global/alpha", "global/aalph"],
    // The last name of a page is where the next one begins: sorted before the others it would lead round in circles.
    ["the last name, to one that comes before all others", stored("gamma"), "aaaaaaaaaaaaaaaaaaa"],
    ["the last name, to the first one", "global/gamma", "global/alpha"],
  ])("%s", async (_title, from, to) => {
    const settings = await withIndex(rewrite(from, to));
    const before = readFileSync(settings.path);
    expect(await answersOf(settings)).toEqual({ ...INTACT, list: "corrupt", absent: "corrupt" });
    expect(await verdictOf(settings)).toMatch(/^corrupt$|complete: false/);
    expect((await failure(rekey(settings))).code).toBe("corrupt");
    expect(readFileSync(settings.path).equals(before)).toBe(true);
  });

  test("the order of its cells: all are there, and a search by name would miss some", async () => {
    const settings = await withIndex((page) => {
      const [first, last] = [page.readUInt16BE(8), page.readUInt16BE(12)];
      page.writeUInt16BE(last, 8);
      page.writeUInt16BE(first, 12);
    });
    expect(await answersOf(settings)).toEqual({ ...INTACT, list: "corrupt", absent: "corrupt" });
  });

  test("a name in the table, which the index still has", async () => {
    const { settings } = await storeAndCopy();
    const file = readFileSync(settings.path);
    const root = tamper(settings.path, (database) => database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'secrets'").get());
    const page = file.subarray((Number(root?.["rootpage"]) - 1) * 4096).subarray(0, 4096);
    rewrite("global/beta", "global/beto")(page);
    writeFileSync(settings.path, file);
    expect(await answersOf(settings)).toEqual({ ...INTACT, beta: "corrupt", "beta 2": "corrupt", "beta history": "corrupt" });
    await using(settings, async (manager) => {
      expect((await failure(manager.registerSecret({ name: "beta", values: { value: "x" } }))).code).toBe("corrupt");
      expect((await failure(manager.hasSecret("beta"))).code).toBe("corrupt");
    });
  });
});
