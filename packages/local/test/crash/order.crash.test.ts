import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type OperationName, OPERATIONS } from "./operations.ts";
import { Stores } from "./stores.ts";
import { callOf, hasStrace, needsStrace, nodeArguments, traced } from "./strace.ts";

/** A system call on a file of a store, or the answer of the process. */
interface Step {
  readonly call: string;
  /** The file below the folder of the case; `answer` for what the process says. */
  readonly file: string;
}

const CALLS = ["pwrite64", "write", "fsync", "fdatasync", "ftruncate", "rename", "renameat", "renameat2", "unlink", "unlinkat"];
const STORE = "data/secrets.db";
const LOG = "data/secrets.db-wal";
const KEY = "key/file";

describe.skipIf(!hasStrace)(`T66: what is said to be stored is on the disk${needsStrace}`, () => {
  let stores: Stores;
  beforeAll(async () => {
    stores = await Stores.prepare();
  });
  afterAll(() => stores.remove());

  async function stepsOf(name: OperationName): Promise<Step[]> {
    const folder = stores.begin(OPERATIONS[name].start);
    const { trace, stdout } = await traced(folder, CALLS, undefined, nodeArguments("victim.ts", folder, name), []);
    expect(stdout).toBe("done\n");
    return trace.flatMap((line): Step[] => {
      const call = callOf(line);
      if (call === undefined || !line.includes(" = ")) return [];
      if (line.includes('"done\\n"')) return [{ call, file: "answer" }];
      // Descriptors come with their paths. A rename is known by what it makes.
      const paths = line.split(`${folder}/`).slice(1);
      const path = (call.startsWith("rename") ? paths.at(-1) : paths[0])?.split(/[">]/)[0];
      return path === undefined ? [] : [{ call: call.replace("fdatasync", "fsync").replace(/^rename.*/, "rename"), file: tidy(path) }];
    });
  }

  const first = (steps: readonly Step[], call: string, file: string): number =>
    steps.findIndex((step) => step.call === call && step.file === file);
  const last = (steps: readonly Step[], call: string, file: string): number =>
    steps.findLastIndex((step) => step.call === call && step.file === file);

  /** The whole trace, unless all of these happened, in this order. */
  function disorder(steps: readonly Step[], ...places: readonly number[]): string {
    const inOrder = places.every((place, index) => place > (places[index - 1] ?? -1));
    return inOrder ? "" : `${places.join()}\n${steps.map(({ call, file }, index) => `${index} ${call} ${file}`).join("\n")}`;
  }

  test("a new store: the key, then the store; each is written, synced, given its name, and its name is synced", async () => {
    const steps = await stepsOf("first register");
    const named = first(steps, "rename", STORE);
    expect(
      disorder(
        steps,
        last(steps, "write", "key/.file.tmp"),
        last(steps, "fsync", "key/.file.tmp"),
        first(steps, "rename", KEY),
        last(steps, "fsync", "key"),
        named,
        named + 1 + first(steps.slice(named + 1), "fsync", "data"),
        first(steps, "write", "answer"),
      ),
    ).toBe("");
    expect(disorder(steps, last(steps, "pwrite64", "data/.secrets.db.new"), last(steps, "fsync", "data/.secrets.db.new"), named)).toBe("");
  });

  test.each(["first register", "register", "update", "delete"] as const)("%s: log, sync, answer; only then the file", async (name) => {
    const all = await stepsOf(name);
    const steps = all.slice(first(all, "rename", STORE) + 1);
    const answer = first(steps, "write", "answer");
    expect(
      disorder(
        steps,
        first(steps, "pwrite64", LOG),
        last(steps, "pwrite64", LOG),
        last(steps.slice(0, answer), "fsync", LOG),
        answer,
        first(steps, "pwrite64", STORE),
        last(steps, "pwrite64", STORE),
        last(steps, "fsync", STORE),
        last(steps, "unlink", LOG),
      ),
    ).toBe("");
  });

  test("cleanup: every delete is synced, the last one before the answer", async () => {
    const steps = await stepsOf("cleanup");
    const before = steps.slice(0, first(steps, "write", "answer"));
    const syncs = before.filter(({ call, file }) => call === "fsync" && file === LOG);
    expect(syncs.length).toBeGreaterThanOrEqual(Object.keys(OPERATIONS.cleanup.before).length);
    expect(disorder(steps, last(steps, "pwrite64", LOG), last(before, "fsync", LOG), before.length)).toBe("");
  });

  test("rekey: the new key, the store under it, and only then the old key goes", async () => {
    const steps = await stepsOf("rekey");
    const [added, removed] = [first(steps, "rename", KEY), last(steps, "rename", KEY)];
    expect(
      disorder(
        steps,
        first(steps, "fsync", "key/.file.tmp"),
        added,
        first(steps, "fsync", "key"),
        first(steps, "pwrite64", LOG),
        last(steps, "pwrite64", LOG),
        last(steps.slice(0, removed), "fsync", LOG),
        removed,
        first(steps, "write", "answer"),
      ),
    ).toBe("");
  });
});

/** A path without the UUID in the names of temporary files. */
function tidy(path: string): string {
  return path.replace(/\.[0-9a-f-]{36}\.(new|tmp)/, ".$1");
}
