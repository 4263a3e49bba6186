import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { leakScan } from "../src/index.ts";

let home = "";
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "coffer-leaks-"));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const newFolder = (): Promise<string> => mkdtemp(join(home, "folder-"));

test("texts are searched, and a finding says where and how, but not what", async () => {
  const canary = randomUUID();
  const leaks = await leakScan({
    canary,
    texts: { stdout: "all is well", stderr: `failed: ${canary}`, log: Buffer.from(`…${Buffer.from(canary).toString("hex")}`) },
  });
  expect(leaks).toEqual([
    { where: "stderr", form: "raw", offset: 8 },
    { where: "stderr", form: "first 8 characters", offset: 8 },
    { where: "log", form: "hex", offset: 3 },
  ]);
  expect(JSON.stringify(leaks)).not.toContain(canary.slice(0, 8));
});

test("nothing found is an empty answer", async () => {
  const directory = await newFolder();
  await writeFile(join(directory, "file"), "nothing to see");
  expect(await leakScan({ canary: randomUUID(), texts: { stdout: "" }, directories: [directory] })).toEqual([]);
});

test("every one of several canaries is looked for", async () => {
  const canaries = [randomUUID(), randomUUID()];
  const leaks = await leakScan({ canary: canaries, texts: { second: canaries[1] ?? "" } });
  expect(leaks.map(({ where, form }) => `${where} ${form}`)).toContain("second raw");
});

test("files are searched at every depth and whatever they hold, as are their names and the targets of links", async () => {
  const canary = randomUUID();
  const directory = await newFolder();
  const deep = join(directory, "a", ".hidden");
  await mkdir(deep, { recursive: true });
  await writeFile(join(deep, "binary"), Buffer.concat([Buffer.from([0, 255, 254]), Buffer.from(canary), Buffer.from([0])]));
  await writeFile(join(directory, `${canary}.txt`), "");
  await symlink(`/nowhere/${canary}`, join(directory, "link"));
  const found = (await leakScan({ canary, directories: [directory] })).filter(({ form }) => form === "raw");
  expect(found).toEqual(
    expect.arrayContaining([
      { where: join(deep, "binary"), form: "raw", offset: 3 },
      { where: `the name of ${join(directory, `${canary}.txt`)}`, form: "raw", offset: 0 },
      { where: join(directory, "link"), form: "raw", offset: 9 },
    ]),
  );
  expect(found).toHaveLength(3);
});

test("a link is not followed: what it leads to lies elsewhere", async () => {
  const canary = randomUUID();
  const [directory, elsewhere] = [await newFolder(), await newFolder()];
  await writeFile(join(elsewhere, "file"), canary);
  await symlink(elsewhere, join(directory, "link"));
  expect(await leakScan({ canary, directories: [directory] })).toEqual([]);
});

test("what may hold the value is left out", async () => {
  const canary = randomUUID();
  const directory = await newFolder();
  await mkdir(join(directory, "store"));
  await writeFile(join(directory, "store", "data"), canary);
  expect(await leakScan({ canary, directories: [directory], ignore: (path) => path === join(directory, "store") })).toEqual([]);
});

test("a canary that chance could find is refused, and so is none at all", async () => {
  await expect(leakScan({ canary: "short", texts: {} })).rejects.toThrow(TypeError);
  await expect(leakScan({ canary: [randomUUID(), "short"], texts: {} })).rejects.toThrow(TypeError);
  await expect(leakScan({ canary: [], texts: {} })).rejects.toThrow(TypeError);
});

test("a folder that is not there is an error: what was not searched is not clean", async () => {
  await expect(leakScan({ canary: randomUUID(), directories: [join(home, "absent")] })).rejects.toThrow("ENOENT");
});

test("a file that cannot be read is an error as well", async ({ skip }) => {
  skip(process.getuid?.() === 0, "the superuser can read every file");
  const directory = await newFolder();
  await writeFile(join(directory, "closed"), "");
  await chmod(join(directory, "closed"), 0);
  await expect(leakScan({ canary: randomUUID(), directories: [directory] })).rejects.toThrow("EACCES");
});

test("command lines and environments of processes are searched", async ({ skip }) => {
  skip(process.platform !== "linux", "only Linux shows them as files");
  const canary = randomUUID();
  const inArguments = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000); process.stdout.write('up')", canary]);
  const inEnvironment = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000); process.stdout.write('up')"], {
    env: { TOKEN: canary },
  });
  try {
    await Promise.all([inArguments, inEnvironment].map(({ stdout }) => once(stdout, "data")));
    const found = new Set((await leakScan({ canary, processes: true })).map(({ where }) => where));
    expect(found).toEqual(new Set([`/proc/${inArguments.pid}/cmdline`, `/proc/${inEnvironment.pid}/environ`]));
  } finally {
    for (const child of [inArguments, inEnvironment]) child.kill();
  }
});
