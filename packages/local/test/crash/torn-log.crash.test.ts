import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSecretsManager } from "@coffer/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { local } from "../../src/index.ts";
import { examined } from "./cases.ts";
import { ADDED, OPERATIONS, settingsIn } from "./operations.ts";
import { copyStore, FRAME_BYTES, Stores } from "./stores.ts";

const LOG_HEADER_BYTES = 32;

// When the power fails, any part of what was not yet synced may be on the disk. No process can be made to leave that: it is put there.
describe("a power failure before the log was synced leaves the old or the new state", () => {
  let stores: Stores;
  let whole: string;
  let log: Buffer;
  beforeAll(async () => {
    stores = await Stores.prepare();
    whole = stores.begin("at rest");
    const manager = createSecretsManager(local, settingsIn(whole));
    await manager.updateSecret("beta", { values: ADDED });
    log = readFileSync(`${settingsIn(whole).path}-wal`);
    copyStore(whole, join(stores.root, "updated"));
    await manager.close();
  });
  afterAll(() => stores.remove());

  /** The store with a log that was changed, as the next process finds it. */
  function withLog(changed: Uint8Array): string {
    const folder = stores.begin("nothing");
    copyStore(join(stores.root, "updated"), folder);
    // The file as it was before: the log alone holds the update.
    copyFileSync(settingsIn(join(stores.root, "at rest")).path, settingsIn(folder).path);
    writeFileSync(`${settingsIn(folder).path}-wal`, changed, { mode: 0o600 });
    return folder;
  }

  async function statesOf(folders: readonly string[]): Promise<string[]> {
    const { before, after } = OPERATIONS.update;
    const reports = await examined(folders);
    return reports.map((report) => {
      if ("problem" in report) return report.problem;
      const sound = report.complete && report.damaged.length === 0 && report.leftovers.length === 0;
      const told = JSON.stringify(report.contents);
      if (sound && told === JSON.stringify(after)) return "new";
      return sound && told === JSON.stringify(before) ? "old" : told;
    });
  }

  test("the whole log is the new state", async () => {
    expect(await statesOf([withLog(log)])).toEqual(["new"]);
  });

  test("the log is cut anywhere", async () => {
    const frames = Math.floor((log.length - LOG_HEADER_BYTES) / FRAME_BYTES);
    const ends = Array.from({ length: frames + 1 }, (_, frame) => LOG_HEADER_BYTES + frame * FRAME_BYTES);
    const cuts = [0, 1, 16, ...ends.flatMap((end) => [end - 1, end, end + 1, end + 24, end + 2000])].filter((cut) => cut < log.length);
    const states = await statesOf(cuts.map((cut) => withLog(log.subarray(0, cut))));
    expect(cuts.length).toBeGreaterThan(20);
    expect(new Set(states)).toEqual(new Set(["old"]));
  });

  test("any page of the log was not written, or only half of it", async () => {
    const frames = Math.floor((log.length - LOG_HEADER_BYTES) / FRAME_BYTES);
    const holes = Array.from({ length: frames }, (_, frame) => LOG_HEADER_BYTES + frame * FRAME_BYTES).flatMap((start) => [
      [start, start + FRAME_BYTES],
      [start, start + 24],
      [start + 24 + 512, start + FRAME_BYTES],
    ]);
    const states = await statesOf(holes.map(([from, to]) => withLog(Buffer.from(log).fill(0, from, to))));
    expect(holes.length).toBeGreaterThan(10);
    expect(new Set(states)).toEqual(new Set(["old"]));
  });
});
