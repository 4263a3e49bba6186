import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSecretsManager, SecretsError, type SecretsManager } from "@coffer/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { local, localStatus } from "../../src/index.ts";
import type { Report } from "./examiner.ts";
import { examined } from "./cases.ts";
import { CANARY, type OperationName, OPERATIONS, settingsIn } from "./operations.ts";
import { Stores } from "./stores.ts";
import { nodeArguments, run } from "./strace.ts";

let stores: Stores;
beforeAll(async () => {
  stores = await Stores.prepare();
});
afterAll(() => stores.remove());

// From less than the smallest of the files of a store to more than the largest.
const LIMITS_KIB = [0, 1, 4, 8, 16, 20, 24, 28, 32, 36, 48, 64];

describe.skipIf(process.platform === "win32")("T65: no file may grow beyond a limit", () => {
  test.each(["first register", "register", "update", "cleanup", "rekey"] satisfies OperationName[])("%s", async (name) => {
    const { start, before, after } = OPERATIONS[name];
    const outcomes = new Set<string>();
    const folders: string[] = [];
    const expected: Partial<Report>[] = [];
    for (const limit of LIMITS_KIB) {
      const folder = stores.begin(start);
      const limited = ["bash", "-c", `ulimit -f ${limit}; unset NODE_COMPILE_CACHE; exec "$@"`, "limited"];
      const ended = await run([...limited, ...nodeArguments("victim.ts", folder, name)], folder);
      expect({ limit, ...ended }).toMatchObject({ signal: null, stdout: ended.code === 0 ? "done\n" : "" });
      expect(ended.stderr).not.toContain(CANARY);
      const error = ended.code === 0 ? undefined : (JSON.parse(ended.stderr) as { readonly code: string });
      expect(["unavailable", undefined]).toContain(error?.code);
      outcomes.add(error?.code ?? "done");
      folders.push(folder);
      // Of several deletes some may be done.
      const contents = error !== undefined && name === "cleanup" ? {} : { contents: error === undefined ? after : before };
      expected.push({ ...contents, damaged: [], complete: true, leftovers: [] });
    }
    expect(await examined(folders)).toEqual(expected.map((report) => expect.objectContaining(report)));
    expect(outcomes).toEqual(new Set(["unavailable", "done"]));
  });
});

// A file system of its own, which can really be full, needs the right to mount one.
const probe = mkdtempSync(join(tmpdir(), "coffer-mount-"));
const canMount = process.platform === "linux" && process.getuid?.() === 0 && mounted(probe, 64);
if (canMount) unmount(probe);
rmdirSync(probe);
const needsMount = canMount ? "" : " (skipped: no file system can be mounted here)";

describe.skipIf(!canMount)(`T65: a full disk${needsMount}`, () => {
  let folder: string;
  let manager: SecretsManager;
  beforeAll(() => {
    folder = stores.begin("nothing");
    mounted(folder, 400);
    mkdirSync(join(folder, "data"), { mode: 0o700 });
    manager = createSecretsManager(local, settingsIn(folder));
  });
  afterAll(async () => {
    await manager.close();
    unmount(folder);
  });

  test("a store is made whole or not at all", async () => {
    const outcomes = new Set<string>();
    for (const kibibytes of [8, 16, 32, 64, 96, 128, 192, 256, 512]) {
      const small = stores.begin("nothing");
      try {
        expect(mounted(small, kibibytes)).toBe(true);
        const ended = await run(nodeArguments("victim.ts", small, "first register"), small);
        expect(["", "done\n"]).toContain(ended.stdout);
        const error = ended.code === 0 ? undefined : (JSON.parse(ended.stderr) as { readonly code: string });
        expect(["unavailable", undefined]).toContain(error?.code);
        outcomes.add(error?.code ?? "done");
        grow(small);
        const [report] = await examined([small]);
        expect(report).toMatchObject({ damaged: [], complete: true, leftovers: [] });
        expect(report).toHaveProperty("contents", error === undefined ? OPERATIONS["first register"].after : {});
      } finally {
        unmount(small);
      }
    }
    expect(outcomes).toEqual(new Set(["unavailable", "done"]));
  });

  test("what was stored before it was full can be read; what was refused is not there; after some space is freed it goes on", async () => {
    const stored: Record<string, string> = {};
    let refused: SecretsError | undefined;
    for (let number = 0; refused === undefined && number < 1000; number += 1) {
      const text = `${CANARY} ${number} `.repeat(300);
      try {
        await manager.registerSecret({ name: `secret-${number}`, values: { text } });
        stored[`secret-${number}`] = text;
      } catch (error) {
        if (!SecretsError.isInstance(error)) throw error;
        refused = error;
      }
    }
    expect(refused).toMatchObject({ code: "unavailable", outcome: "not_applied", hint: expect.stringContaining("free some space") });
    expect(Object.keys(stored).length).toBeGreaterThan(3);
    expect(await contentsOf(manager)).toEqual(stored);
    await manager.close();
    manager = createSecretsManager(local, settingsIn(folder));
    expect(await contentsOf(manager)).toEqual(stored);
    grow(folder);
    await manager.registerSecret({ name: "afterwards", values: { text: "a" } });
    expect(await contentsOf(manager)).toEqual({ ...stored, afterwards: "a" });
    expect((await localStatus(settingsIn(folder), { verify: true })).verified).toEqual({ damaged: [], complete: true });
  });
});

async function contentsOf(manager: SecretsManager): Promise<Record<string, string>> {
  const contents: Record<string, string> = {};
  for await (const { name } of manager.listSecrets()) contents[name] = (await manager.getSecret(name)).text["text"] ?? "";
  return contents;
}

/** Mounts an empty file system in memory; answers whether that was possible. */
function mounted(folder: string, kibibytes: number): boolean {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return succeeds("mount", "-t", "tmpfs", "-o", `size=${kibibytes}k,mode=700`, "tmpfs", folder);
}

function grow(folder: string): void {
  expect(succeeds("mount", "-o", "remount,size=4m", folder)).toBe(true);
}

function unmount(folder: string): void {
  succeeds("umount", folder);
}

function succeeds(program: string, ...rest: readonly string[]): boolean {
  return spawnSync(program, rest).status === 0;
}
