import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { Home } from "./support/home.ts";
import { atTerminal, hasTerminal } from "./support/terminal.ts";

const PASSPHRASE = "cAnArY correct horse 4711";

interface Status {
  readonly path: string;
  readonly exists: boolean;
  readonly protection: string;
  readonly keyFile: string | null;
  readonly secrets: number | null;
  readonly verified: { readonly damaged: readonly string[]; readonly complete: boolean } | null;
}

async function status(home: Home, ...options: readonly string[]): Promise<Status> {
  return JSON.parse((await home.succeed(["local", "status", "-o", "json", ...options])).stdout) as Status;
}

async function homeWithSecret(): Promise<Home> {
  const home = new Home();
  await home.succeed(["secret", "register", "s", "--a=1", "--no-warn"]);
  return home;
}

/** A file with the passphrase, as COFFER_PASSPHRASE_FILE names it. */
function passphraseFile(home: Home, text = PASSPHRASE, name = "passphrase"): string {
  const path = join(home.path, name);
  writeFileSync(path, `${text}\n`, { mode: 0o600 });
  return path;
}

describe("the first write", () => {
  test("T124: says on stderr what protects the store and what that means, before anything is there; later ones do not", async () => {
    const home = new Home();
    const first = await home.succeed(["secret", "register", "s", "--a=1", "--no-warn"]);
    expect(first.stdout).toBe("");
    expect(first.stderr).toContain(
      "note: This makes a new encrypted store, ~/.local/share/coffer/local/secrets.db, protected by a key file.",
    );
    expect(first.stderr).toMatch(/whoever can read your files.*\n +Key file: ~\/\.local\/state\/coffer/);
    expect(first.stderr.indexOf("note:")).toBeLessThan(first.stderr.indexOf("Registered"));
    const second = await home.succeed(["secret", "register", "t", "--a=1", "--no-warn"]);
    expect(second.stderr).not.toContain("note:");
  });

  test("T124: when stderr cannot be written the store is made all the same; when the disk is read-only nothing is", async () => {
    const home = new Home();
    expect((await home.shell("coffer secret register s --a=1 2> /dev/full")).status).toBe(0);
    expect(await home.content("s")).toEqual({ a: "1" });
  });
});

describe("coffer local status", () => {
  test("without a store it says so and makes none", async () => {
    const home = new Home();
    const before = home.files();
    expect(await status(home)).toMatchObject({ exists: false, protection: "key_file", path: home.store, secrets: null });
    expect((await home.succeed(["local", "status"])).stdout).toContain("not there yet");
    expect(home.files()).toEqual(before);
  });

  test("where it lies, what protects it, how many there are; --verify opens all of them", async () => {
    const home = await homeWithSecret();
    const { stdout } = await home.succeed(["local", "status"]);
    expect(stdout).toMatch(/^STORE +\S+\/secrets\.db\nprotection +key_file\n +The secrets are encrypted/);
    expect(stdout).toMatch(/\nsecrets +1\n/);
    const found = await status(home, "--verify");
    expect(found).toMatchObject({ exists: true, secrets: 1, verified: { damaged: [], complete: true } });
    expect(statSync(found.keyFile ?? "").mode & 0o777).toBe(0o600);
    expect((await home.succeed(["local", "status", "--verify"])).stdout).toContain("every secret opens, and none is missing");
  });

  test("--verify on a damaged store: what is damaged, and the exit code of damage", async () => {
    const home = await homeWithSecret();
    await home.succeed(["secret", "register", "t", "--a=2", "--no-warn"]);
    // The value of one secret is put under the name of another.
    const database = new DatabaseSync(home.store);
    database.exec("UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE name LIKE '%/s') WHERE name LIKE '%/t'");
    database.close();
    const bytes = readFileSync(home.store);
    const { status: code, stdout, stderr } = await home.run(["local", "status", "--verify"]);
    expect(code).toBe(9);
    expect(stdout).toContain("damaged: t");
    expect(stderr).toMatch(/error: .*\nhint: /);
    expect((await home.run(["secret", "get", "t"])).status).toBe(9);
    expect(await home.content("s")).toEqual({ a: "1" });
    expect(readFileSync(home.store).equals(bytes)).toBe(true);
  });
});

describe("coffer local rekey, without a terminal", () => {
  test("needs a store, and --yes", async () => {
    const home = new Home();
    expect(await home.run(["local", "rekey", "-y"])).toMatchObject({
      status: 5,
      stderr: expect.stringContaining("coffer secret register"),
    });
    await home.succeed(["secret", "register", "s", "--a=1"]);
    expect(await home.run(["local", "rekey"])).toMatchObject({ status: 2, stderr: expect.stringContaining("--yes") });
    expect(await home.run(["local", "rekey", "-y", "--protection=plain"])).toMatchObject({ status: 2 });
    expect(await home.run(["local", "rekey", "-y", "--passphrase-file=x"])).toMatchObject({ status: 2 });
  });

  test("a new key under the same protection: the old key file no longer opens anything", async () => {
    const home = await homeWithSecret();
    const { keyFile } = await status(home);
    const old = readFileSync(keyFile ?? "", "utf8");
    const { stderr } = await home.succeed(["local", "rekey", "-y"]);
    expect(stderr).toContain("It stays protected by a key file, with a new key.");
    expect(stderr).toContain("The store is protected by a key file now; 1 secret was encrypted anew.");
    expect(readFileSync(keyFile ?? "", "utf8")).not.toBe(old);
    expect(await home.content("s")).toEqual({ a: "1" });
    writeFileSync(keyFile ?? "", old);
    expect(await home.run(["secret", "get", "s"])).toMatchObject({ status: 6, stdout: "" });
  });

  test("to a passphrase and back; without it there is an error that names the ways, and no value", async () => {
    const home = await homeWithSecret();
    const file = passphraseFile(home);
    const given = { env: { COFFER_PASSPHRASE_FILE: file } };
    const changed = await home.succeed(["local", "rekey", "-y", "--protection=passphrase", `--passphrase-file=${file}`, "-o", "json"]);
    expect(JSON.parse(changed.stdout)).toMatchObject({ before: "key_file", after: "passphrase", keyFile: null, secrets: 1 });
    expect(home.files().filter((path) => path.endsWith(".key"))).toEqual([]);
    const refused = await home.run(["secret", "get", "s"]);
    expect(refused).toMatchObject({ status: 6, stdout: "", stderr: expect.stringContaining("COFFER_PASSPHRASE_FILE=./FILE") });
    expect((await home.succeed(["secret", "get", "s", "-k", "a"], given)).stdout).toBe("1");
    const wrong = await home.run(["secret", "get", "s"], { env: { COFFER_PASSPHRASE_FILE: passphraseFile(home, "another one", "wrong") } });
    expect(wrong).toMatchObject({ status: 6, stdout: "", stderr: expect.stringContaining("not the one of this store") });
    expect((await home.shell(`COFFER_PASSPHRASE_FILE=<(printf %s '${PASSPHRASE}') coffer secret get s -k a`)).stdout).toBe("1");
    const newer = passphraseFile(home, "a newer one", "newer");
    await home.succeed(["local", "rekey", "-y", `--passphrase-file=${newer}`], given);
    expect((await home.run(["secret", "get", "s"], given)).status).toBe(6);
    await home.succeed(["local", "rekey", "-y", "--protection=key_file"], { env: { COFFER_PASSPHRASE_FILE: newer } });
    expect(await home.content("s")).toEqual({ a: "1" });
    for (const { stdout, stderr } of [changed, refused, wrong]) expect(stdout + stderr).not.toContain(PASSPHRASE);
  });

  test("COFFER_KEY_FILE: a key that lies elsewhere", async () => {
    const home = await homeWithSecret();
    const { keyFile } = await status(home);
    const elsewhere = join(home.path, "stick.key");
    expect((await home.shell(`mv '${keyFile ?? ""}' '${elsewhere}'`)).status).toBe(0);
    expect(await home.run(["secret", "get", "s"])).toMatchObject({ status: 6 });
    expect((await home.succeed(["secret", "get", "s", "-k", "a"], { env: { COFFER_KEY_FILE: elsewhere } })).stdout).toBe("1");
    expect(await status(home, "--verify", `--key-file=${elsewhere}`)).toMatchObject({ keyFile: elsewhere, verified: { damaged: [] } });
  });
});

// What plays the person is Python's module `pty`.
describe.skipIf(!hasTerminal)("the passphrase, at a terminal (skipped without python3)", () => {
  test("rekey tells what changes and asks; the new passphrase twice, unseen; then every command asks for it", async () => {
    const home = await homeWithSecret();
    const declined = await atTerminal(home, ["local", "rekey", "--protection=passphrase"], [{ expect: "Go on? [y/N] ", send: "n\r" }]);
    expect(declined).toMatchObject({ status: 0, output: expect.stringContaining("Nothing was changed.") });
    expect(await status(home)).toMatchObject({ protection: "key_file" });
    const changed = await atTerminal(
      home,
      ["local", "rekey", "--protection=passphrase"],
      [
        { expect: "Now it is protected by a key file.", send: "" },
        { expect: "Then by a passphrase.", send: "" },
        { expect: "Go on? [y/N] ", send: "y\r" },
        { expect: "New passphrase: ", send: `${PASSPHRASE}\r` },
        { expect: "The same again: ", send: "a slip\r" },
        { expect: "not the same", send: "" },
        { expect: "New passphrase: ", send: `${PASSPHRASE}\r` },
        { expect: "The same again: ", send: `${PASSPHRASE}\r` },
        { expect: "protected by a passphrase now", send: "" },
      ],
    );
    expect(changed).toMatchObject({ status: 0, echoAfter: true });
    const shown = await atTerminal(
      home,
      ["secret", "get", "s", "-k", "a"],
      [{ expect: "Passphrase of ~/.local/share/coffer/local/secrets.db: ", send: `${PASSPHRASE}\r` }],
    );
    expect({ status: shown.status, last: shown.output.trimEnd().at(-1) }).toEqual({ status: 0, last: "1" });
    const left = await atTerminal(home, ["secret", "get", "s"], [{ expect: "Passphrase", send: "\u0003" }]);
    expect(left).toMatchObject({ status: 130, echoAfter: true });
    const added = await atTerminal(
      home,
      ["secret", "register", "t", "-i"],
      [
        { expect: "Passphrase", send: `${PASSPHRASE}\r` },
        { expect: "Key: ", send: "k\r" },
        { expect: "k (text): ", send: "v\r" },
        { expect: "[y/N] ", send: "\r" },
      ],
    );
    expect(added).toMatchObject({ status: 0, echoAfter: true });
    for (const { output } of [declined, changed, shown, left, added]) expect(output).not.toContain(PASSPHRASE);
  });
});
