// A fresh process that looks at what victims have left: `node examiner.ts FOLDER…`. It prints one report for each folder, as JSON.
import { readdirSync } from "node:fs";
import { createSecretsManager, SecretsError, type SecretsManager } from "@coffer/core";
import { local, localStatus, rekey } from "../../src/index.ts";
import { AT_REST, type Contents, settingsIn } from "./operations.ts";

/** What was found in one folder. */
export interface Report {
  /** Everything that the store holds, read secret by secret. */
  readonly contents: Contents;
  /** Secrets of which some revision does not open, and whether the list is the one that was written. */
  readonly damaged: readonly string[];
  readonly complete: boolean;
  /** What the store holds after one more write, and, for another manager, after one more change of the key. */
  readonly afterNextWrite: Contents;
  readonly afterRekey: Contents;
  /** Files that lie there in the end and belong to nothing. */
  readonly leftovers: readonly string[];
}

/** What is said of a folder whose store could not be read or written. */
export interface Unusable {
  readonly problem: string;
}

async function contentsOf(manager: SecretsManager): Promise<Contents> {
  const contents: Record<string, Readonly<Record<string, string>>> = {};
  for await (const { name } of manager.listSecrets()) {
    contents[name] = (await manager.getSecret(name)).text;
    // Every revision that is told of must be there.
    for await (const { revision } of manager.history(name)) await manager.getSecret(name, { revision });
  }
  return contents;
}

async function opened<Result>(folder: string, work: (manager: SecretsManager) => Promise<Result>): Promise<Result> {
  const manager = createSecretsManager(local, settingsIn(folder));
  try {
    return await work(manager);
  } finally {
    await manager.close();
  }
}

async function examine(folder: string): Promise<Report> {
  const { contents, status, afterNextWrite } = await opened(folder, async (manager) => {
    const found = await contentsOf(manager);
    const verification = await localStatus(settingsIn(folder), { verify: true });
    await manager.registerSecret({ name: "next", values: { written: "afterwards" } });
    return { contents: found, status: verification, afterNextWrite: await contentsOf(manager) };
  });
  await rekey(settingsIn(folder));
  const afterRekey = await opened(folder, contentsOf);
  const expected = AT_REST.filter((file) => file !== "key/file" || status.protection === "key_file");
  const files = ["data", "key"].flatMap((name) => readdirSync(`${folder}/${name}`).map((file) => `${name}/${file}`));
  return {
    contents,
    damaged: status.verified?.damaged ?? [],
    complete: status.verified?.complete ?? true,
    afterNextWrite,
    afterRekey,
    leftovers: files.filter((file) => !expected.includes(file)),
  };
}

const reports: (Report | Unusable)[] = [];
for (const folder of process.argv.slice(2)) {
  try {
    reports.push(await examine(folder));
  } catch (error) {
    reports.push({ problem: SecretsError.isInstance(error) ? `${error.code}: ${error.message}` : String(error) });
  }
}
process.stdout.write(JSON.stringify(reports));
