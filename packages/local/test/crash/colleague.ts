// A process that works on a store while others do: `node colleague.ts FOLDER TASK …`. It says "ready", waits for a line on stdin, does its task and
// reports in its last line, as JSON.
import { once } from "node:events";
import { join } from "node:path";
import { setImmediate as yieldToOthers, setTimeout as sleep } from "node:timers/promises";
import { createSecretsManager, SecretsError } from "@coffer/core";
import { local, rekey } from "../../src/index.ts";
import { settingsIn } from "./operations.ts";
import { sqlite } from "../../src/sqlite.ts";

const [folder = "", task = "", ...rest] = process.argv.slice(2);
const settings = settingsIn(folder);
const manager = createSecretsManager(local, settings);
let ending = false;

/** What a process has done, and what it found to be wrong. */
export interface Work {
  readonly reads: number;
  readonly problems: readonly string[];
}

const tasks: Record<string, () => Promise<unknown>> = {
  // "registered", or the code of the error.
  async register() {
    const [name = ""] = rest;
    return outcomeOf(manager.registerSecret({ name, values: { from: String(process.pid) } }));
  },

  // A store of its own, whose key lies in the file that all use, and a new key for it.
  async "own store, shared key file"() {
    const [name = ""] = rest;
    const own = { ...settings, path: join(folder, "data", `${name}.db`) };
    const elsewhere = createSecretsManager(local, own);
    await elsewhere.registerSecret({ name, values: { of: name } });
    await rekey(own);
    await elsewhere.close();
    return "done";
  },

  // A new key for the store of all.
  async rekey() {
    return (await rekey(settings)).secrets;
  },

  // One key of one secret.
  async "update a key"() {
    const [name = "", key = ""] = rest;
    await manager.updateSecret(name, { values: { [key]: key } });
    return "updated";
  },

  // Secrets of its own, and as many steps of a counter that all share; both at once, as in a server.
  async "put and count"() {
    const [own = "", count = "0"] = rest;
    const numbers = Array.from({ length: Number(count) }, (_, index) => index);
    const put = async (): Promise<void> => {
      for (const number of numbers) await manager.upsertSecret({ name: `${own}-${number}`, values: twins(`${own} ${number}`) });
    };
    const step = async (): Promise<void> => {
      for (const _ of numbers) await countOne();
    };
    await Promise.all([put(), step()]);
    return "done";
  },

  // Whatever there is, again and again until it is told to end: every read is whole, no secret that was listed once goes away.
  async "read all"() {
    const problems: string[] = [];
    const seen = new Set<string>();
    let reads = 0;
    while (!ending) {
      const names: string[] = [];
      for await (const { name } of manager.listSecrets()) names.push(name);
      const listed = new Set(names);
      for (const name of seen) if (!listed.has(name)) problems.push(`${name} is gone`);
      for (const name of names.filter((candidate) => candidate !== "counter")) {
        seen.add(name);
        const { one, other } = (await manager.getSecret(name)).text;
        reads += 1;
        if (one === undefined || one !== other) problems.push(`${name} is torn`);
      }
      await sleep(1);
    }
    return { reads, problems } satisfies Work;
  },

  // Reads, listings and writes of its own secrets, several at once, until it is told to end; it reports what it has been told was written.
  async "read and write"() {
    const [own = ""] = rest;
    const problems: string[] = [];
    const written: Record<string, string> = {};
    let reads = 0;
    const alongside = [0, 1, 2].map(async (line) => {
      for (let number = 0; !ending; number += 1) {
        const name = `${own}-${line}-${number % 20}`;
        await manager.upsertSecret({ name, values: twins(`${name} ${number}`) });
        written[name] = `${name} ${number}`;
        const { one, other } = (await manager.getSecret(name)).text;
        if (one !== written[name] || one !== other) problems.push(`${name} is not what was written`);
        await manager.getSecret(`standing-${number % 300}`);
        reads += 2;
        await yieldToOthers();
      }
    });
    const listing = async (): Promise<void> => {
      while (!ending) {
        let count = 0;
        for await (const { name } of manager.listSecrets({ prefix: "standing-" })) count += name === "" ? 0 : 1;
        if (count !== 300) problems.push(`${count} secrets were listed`);
        process.stdout.write("busy\n");
        await sleep(5);
      }
    };
    await Promise.all([...alongside, listing()]);
    return { reads, problems, written };
  },

  // One secret gets one content after the other, until it is told to end.
  async flip() {
    let flips = 0;
    while (!ending) {
      flips += 1;
      await manager.replaceSecret({ name: "flipped", values: twins("x".repeat((flips % 50) * 400)) });
      // A write that need not wait does not let the event loop run, which brings the word to end.
      await yieldToOthers();
    }
    return flips;
  },

  // Takes the lock of a file, says so and keeps it until it is told to end.
  async "hold the lock"() {
    const [path = "", begin = ""] = rest;
    const database = new (sqlite().DatabaseSync)(path);
    database.exec(begin);
    process.stdout.write("locked\n");
    while (!ending) await sleep(5);
    database.close();
    return "released";
  },

  // How late timers are while a write has to wait, and how long it then takes to give up.
  async "wait for the lock"() {
    let drift = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      drift = Math.max(drift, now - last - 10);
      last = now;
    }, 10);
    const aborter = new AbortController();
    const given = outcomeOf(manager.registerSecret({ name: "given-up", values: {} }, { signal: aborter.signal }));
    const waiting = outcomeOf(manager.registerSecret({ name: "waited", values: {} }));
    await sleep(1000);
    const abortedAt = performance.now();
    aborter.abort();
    const aborted = await given;
    const abortTook = performance.now() - abortedAt;
    process.stdout.write("aborted\n");
    const waited = await waiting;
    clearInterval(timer);
    return { drift, aborted, abortTook, waited };
  },
};

function twins(text: string): { readonly one: string; readonly other: string } {
  return { one: text, other: text };
}

/** Adds one to the shared counter, by compare-and-swap. */
async function countOne(): Promise<void> {
  for (;;) {
    const { revision, text } = await manager.getSecret("counter");
    const values = { count: String(Number(text["count"]) + 1) };
    try {
      await manager.updateSecret("counter", { values, expected: revision ?? "" });
      return;
    } catch (error) {
      if (!SecretsError.isInstance(error) || error.code !== "conflict") throw error;
    }
  }
}

async function outcomeOf(writing: Promise<unknown>): Promise<string> {
  try {
    await writing;
    return "registered";
  } catch (error) {
    if (SecretsError.isInstance(error)) return error.code;
    throw error;
  }
}

process.stdout.write("ready\n");
await once(process.stdin, "data");
process.stdin.once("data", () => (ending = true));
const report = await tasks[task]?.();
process.stdin.destroy();
await manager.close();
process.stdout.write(`${JSON.stringify(report)}\n`);
