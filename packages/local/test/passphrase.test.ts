import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type LocalSettings, localStatus, meaningOf, type PassphraseRequest, rekey } from "../src/index.ts";
import {
  canaryOf,
  expectNoLeak,
  failure,
  open,
  passphraseStoreWithOne,
  readOne,
  snapshotOf,
  storeWithOne,
  temporaryFolder,
  temporarySettings,
  type TestSettings,
  using,
} from "./laboratory.ts";

const CANARY = canaryOf("protection");
const PASSPHRASE = canaryOf("passphrase");

const storedOne = (settings?: TestSettings): Promise<TestSettings> => storeWithOne(CANARY, settings);
const cheapStore = (passphrase = PASSPHRASE): Promise<{ readonly path: string }> => passphraseStoreWithOne(CANARY, passphrase);

function fileWith(content: string | Uint8Array): string {
  const path = join(temporaryFolder(), "passphrase");
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

describe("passphrase", () => {
  test("a store is made and opened with it, at full cost", async () => {
    const settings: LocalSettings & { path: string } = { path: temporarySettings().path, protection: "passphrase", passphrase: PASSPHRASE };
    await using(settings, (manager) => manager.registerSecret({ name: "one", values: { key: CANARY } }));
    expect(await readOne({ path: settings.path, passphrase: PASSPHRASE })).toBe(CANARY);
    const status = await localStatus({ path: settings.path });
    expect(status).toMatchObject({ protection: "passphrase", keyFile: null, meaning: meaningOf("passphrase") });
    // Neither it nor a key is anywhere on the disk.
    expect(readdirSync(dirname(dirname(settings.path)))).toEqual(["data"]);
    expect(readFileSync(settings.path).includes(PASSPHRASE)).toBe(false);
    expect(readFileSync(settings.path).includes('{"kdf":"scrypt","cost":17,')).toBe(true);
  });

  test.each([
    ["as text", () => ({ passphrase: PASSPHRASE })],
    ["from a function", () => ({ passphrase: () => PASSPHRASE })],
    [
      "from a function that takes its time",
      () => ({ passphrase: () => new Promise<string>((resolve) => setTimeout(resolve, 20, PASSPHRASE)) }),
    ],
    ["from a file", () => ({ passphrase_file: fileWith(PASSPHRASE) })],
    ["from a file with a line end", () => ({ passphrase_file: fileWith(`${PASSPHRASE}\n`) })],
    ["from a file of Windows", () => ({ passphrase_file: fileWith(`\ufeff${PASSPHRASE}\r\n`) })],
    [
      "from a file descriptor",
      () => {
        const passphrase_fd = openSync(fileWith(`${PASSPHRASE}\n`), "r");
        onTestFinished(() => closeSync(passphrase_fd));
        return { passphrase_fd };
      },
    ],
    [
      "from the file that COFFER_PASSPHRASE_FILE names",
      () => {
        vi.stubEnv("COFFER_PASSPHRASE_FILE", fileWith(`${PASSPHRASE}\n`));
        onTestFinished(() => void vi.unstubAllEnvs());
        return {};
      },
    ],
    [
      "from the settings, when the environment names another one",
      () => {
        vi.stubEnv("COFFER_PASSPHRASE_FILE", fileWith("another one"));
        onTestFinished(() => void vi.unstubAllEnvs());
        return { passphrase_file: fileWith(PASSPHRASE) };
      },
    ],
  ] satisfies [string, () => LocalSettings][])("%s", async (_title, source) => {
    expect(await readOne({ ...(await cheapStore()), ...source() })).toBe(CANARY);
  });

  test("a descriptor is read once, and the key kept as long as the manager lives", async () => {
    const passphrase_fd = openSync(fileWith(PASSPHRASE), "r");
    onTestFinished(() => closeSync(passphrase_fd));
    const manager = open({ ...(await cheapStore()), passphrase_fd });
    for (let read = 0; read < 3; read += 1) expect((await manager.getSecret("one")).text["key"]).toBe(CANARY);
  });

  test("letters that keyboards compose differently are the same passphrase", async () => {
    const composed = "Zürich é Å 각";
    const store = await cheapStore(composed.normalize("NFC"));
    expect(composed.normalize("NFD")).not.toBe(composed.normalize("NFC"));
    expect(await readOne({ ...store, passphrase: composed.normalize("NFD") })).toBe(CANARY);
    expect(await readOne({ ...(await cheapStore(composed.normalize("NFD"))), passphrase: composed.normalize("NFC") })).toBe(CANARY);
    expect((await failure(readOne({ ...store, passphrase: "Zurich e A 각" }))).code).toBe("unauthenticated");
  });

  test("spaces and line ends that are its own are part of it", async () => {
    const store = await cheapStore(" two  lines\nand a tab\t");
    expect(await readOne({ ...store, passphrase_file: fileWith(" two  lines\nand a tab\t\n") })).toBe(CANARY);
    expect((await failure(readOne({ ...store, passphrase: "two  lines\nand a tab" }))).code).toBe("unauthenticated");
  });

  test("a wrong one is refused without being shown, and asked for anew by the next call", async () => {
    const store = await cheapStore();
    const wrong = canaryOf("wrong");
    const answers = [wrong, wrong, PASSPHRASE];
    const asked: PassphraseRequest[] = [];
    const manager = open({
      ...store,
      passphrase: (request) => {
        asked.push(request);
        return answers.shift() ?? "";
      },
    });
    for (const call of [() => manager.getSecret("one"), () => manager.updateSecret("one", { values: { more: "x" } })]) {
      const error = await failure(call);
      expect(error).toMatchObject({ code: "unauthenticated", retryable: false });
      expect(error.message).toContain("not the one of this store");
      await expectNoLeak(error, CANARY, PASSPHRASE, wrong);
    }
    expect((await manager.getSecret("one")).text["key"]).toBe(CANARY);
    expect(asked).toEqual(Array.from({ length: 3 }, () => ({ purpose: "open", path: store.path })));
  });

  test("it is asked for once, however many wait for it", async () => {
    const store = await cheapStore();
    const ask = vi.fn<() => Promise<string>>(async () => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return PASSPHRASE;
    });
    const manager = open({ ...store, passphrase: ask });
    await Promise.all([
      ...Array.from({ length: 20 }, () => manager.getSecret("one")),
      manager.updateSecret("one", { values: { more: "x" } }),
      Array.fromAsync(manager.listSecrets()),
      Array.fromAsync(manager.history("one")),
    ]);
    expect(ask).toHaveBeenCalledOnce();
  });

  test("who no longer wants to wait for it goes, and the others get their answer", async () => {
    const store = await cheapStore();
    const { promise, resolve } = Promise.withResolvers<string>();
    const manager = open({ ...store, passphrase: () => promise });
    const patient = manager.getSecret("one");
    const controller = new AbortController();
    const aborted = failure(manager.getSecret("one", { signal: controller.signal }));
    const late = failure(manager.getSecret("one", { timeoutMs: 20 }));
    controller.abort();
    expect((await aborted).code).toBe("aborted");
    expect((await late).code).toBe("timeout");
    resolve(PASSPHRASE);
    expect((await patient).text["key"]).toBe(CANARY);
  });

  test.each([
    ["nothing", () => ({})],
    ["a function that gives nothing", () => ({ passphrase: () => "" })],
    ["a function that gives no text", () => ({ passphrase: () => undefined as unknown as string })],
    ["an empty file", () => ({ passphrase_file: fileWith("") })],
    ["a file with a line end only", () => ({ passphrase_file: fileWith("\n") })],
    ["a file that is no text", () => ({ passphrase_file: fileWith(Buffer.from([0x66, 0xff, 0xfe, 0x80])) })],
    ["a file that is too long", () => ({ passphrase_file: fileWith("x".repeat(64 * 1024 + 1)) })],
    ["a file without an end", () => ({ passphrase_file: "/dev/zero" })],
    ["a directory", () => ({ passphrase_file: temporaryFolder() })],
    ["no file", () => ({ passphrase_file: join(temporaryFolder(), "absent") })],
    ["a descriptor that is not open", () => ({ passphrase_fd: 987 })],
  ] satisfies [string, () => LocalSettings][])("%s: refused, and no store is made with it", async (_title, source) => {
    vi.stubEnv("COFFER_PASSPHRASE_FILE", "");
    onTestFinished(() => void vi.unstubAllEnvs());
    const settings = source();
    const error = await failure(readOne({ ...(await cheapStore()), ...settings }));
    expect(error).toMatchObject({ code: "unauthenticated", retryable: false });
    expect(error.hint).toBeTruthy();
    await expectNoLeak(error, CANARY, PASSPHRASE);
    const { path } = temporarySettings();
    const create = failure(
      using({ path, protection: "passphrase", ...settings }, (manager) => manager.registerSecret({ name: "one", values: { key: CANARY } })),
    );
    expect((await create).code).toBe("unauthenticated");
    await expectNoLeak(await create, CANARY);
    expect(snapshotOf(dirname(dirname(path)))).toEqual({});
  });

  test("a function that fails: its error is not shown, and nothing is made", async () => {
    const { path } = temporarySettings();
    const passphrase = (): never => {
      throw Object.assign(new Error(`cannot decrypt ${PASSPHRASE}`), { input: PASSPHRASE, cause: new Error(PASSPHRASE) });
    };
    for (const call of [
      async () => readOne({ ...(await cheapStore()), passphrase }),
      () =>
        using({ path, protection: "passphrase", passphrase }, (manager) =>
          manager.registerSecret({ name: "one", values: { key: CANARY } }),
        ),
    ]) {
      const error = await failure(call);
      expect(error).toMatchObject({ code: "aborted", outcome: "not_applied" });
      expect(error.message).toContain('"passphrase"');
      await expectNoLeak(error, CANARY, PASSPHRASE);
    }
    expect(snapshotOf(dirname(dirname(path)))).toEqual({});
  });

  test("a function that gives none is asked with the purpose and the path", async () => {
    const { path } = temporarySettings();
    const asked: PassphraseRequest[] = [];
    const passphrase = (request: PassphraseRequest): string => {
      asked.push(request);
      return "";
    };
    await failure(
      using({ path, protection: "passphrase", passphrase }, (manager) => manager.registerSecret({ name: "one", values: { key: "x" } })),
    );
    const settings = await storedOne();
    await failure(rekey({ ...settings, passphrase }, { protection: "passphrase" }));
    expect(asked).toEqual([
      { purpose: "create", path },
      { purpose: "rekey", path: settings.path },
    ]);
  });
});
