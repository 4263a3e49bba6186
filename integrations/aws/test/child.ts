// A program for the tests: does what a user's program would, and prints every error as one might. Run with the settings as JSON in argv.
import { inspect } from "node:util";
import { createSecretsManager } from "@coffer/core";
import { aws } from "../src/index.ts";

const [settings = "{}", value = "", ...names] = process.argv.slice(2);
const manager = createSecretsManager(aws, JSON.parse(settings) as object);
const attempts: readonly (() => Promise<unknown>)[] = [
  () => manager.registerSecret({ name: "db", values: { password: value } }),
  () => manager.updateSecret("db", { values: { password: `${value}-again` } }),
  () => manager.getSecret("db"),
  async () => {
    for await (const info of manager.listSecrets()) console.log(info.name);
  },
  async () => {
    for await (const outcome of manager.getSecrets(["db", ...names])) console.log(outcome);
  },
];
for (const attempt of attempts) {
  try {
    console.log(await attempt());
  } catch (error) {
    console.log(error, JSON.stringify(error), inspect(error, { depth: 12, showHidden: true }));
  }
}
await manager.close();
