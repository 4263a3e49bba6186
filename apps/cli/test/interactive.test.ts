import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Home } from "./support/home.ts";
import { atTerminal, hasTerminal, type Step } from "./support/terminal.ts";

const CANARY = "cAnArY-71aa04-typed";
const PEM = `-----BEGIN PRIVATE KEY-----\n${Array.from({ length: 28 }, (_, line) => `MIIEvQIBADANBgkqhkiG9w0BAQEFAASC${line}`).join("\n")}\n-----END PRIVATE KEY-----`;

// What plays the person is Python's module `pty`; on a machine without it these tests are skipped, and T6 still runs.
describe.skipIf(!hasTerminal)("at a terminal (skipped without python3)", () => {
  test("78, 84, T4: a schema's keys are asked one by one, unseen; Enter skips an optional one, a required one is asked again", async () => {
    const home = new Home();
    const { status, output, steps, echoAfter } = await atTerminal(
      home,
      ["secret", "register", "web", "--schema=basic_auth", "-i"],
      [
        { expect: "username (text, required): ", send: "\r" },
        { expect: '"username" is required.', send: "" },
        { expect: "username (text, required): ", send: `${CANARY}\r` },
        { expect: "password (text, required): ", send: "p w\r" },
      ],
    );
    expect(status).toBe(0);
    expect(output).not.toContain(CANARY);
    expect(steps.map(({ echo }) => echo)).toEqual([false, false, false, false]);
    expect(echoAfter).toBe(true);
    expect(await home.content("web")).toEqual({ username: CANARY, password: "p w" });
    const optional: Step[] = ["user", "password", "ssl_ca", "ssl_cert", "ssl_key", "ssl_verify_server_cert"].map((key) => ({
      expect: `${key} (`,
      send: key === "user" ? "etl\r" : "\r",
    }));
    // A value that does not fit costs one line, not what was typed before.
    const slipped = [
      ...optional.slice(0, -1),
      { expect: "ssl_verify_server_cert (", send: `${CANARY}\r` },
      { expect: "expected true or false.", send: "" },
      ...optional.slice(-1),
    ];
    const typed = await atTerminal(home, ["secret", "register", "db", "--schema=mysql", "-i"], slipped);
    expect(typed.status).toBe(0);
    expect(typed.output).not.toContain(CANARY);
    expect(await home.content("db")).toEqual({ user: "etl", ssl_verify_server_cert: false });
  });

  test("85: arbitrary keys in a loop; a key that was given is pointed to the update; @FILE is read, @- is not", async () => {
    const home = new Home();
    writeFileSync(join(home.path, "v"), "from a file");
    const { status, output } = await atTerminal(
      home,
      ["secret", "register", "s", "-i"],
      [
        { expect: "Key: ", send: "one\r" },
        { expect: "one (text): ", send: `${CANARY}\r` },
        { expect: "Add another key? [y/N] ", send: "y\r" },
        { expect: "Key: ", send: "one\r" },
        { expect: "was given already", send: "" },
        { expect: "Add another key? [y/N] ", send: "maybe\r" },
        { expect: "Please answer y or n.", send: "" },
        { expect: "Add another key? [y/N] ", send: "yes\r" },
        { expect: "Key: ", send: "1bad\r" },
        { expect: "cannot be a key", send: "" },
        { expect: "Add another key? [y/N] ", send: "y\r" },
        { expect: "Key: ", send: "two\r" },
        { expect: "two (text): ", send: "@-\r" },
        { expect: "@- cannot be used here", send: "" },
        { expect: "two (text): ", send: "@missing\r" },
        { expect: "could not be read (ENOENT)", send: "" },
        { expect: "two (text): ", send: "@v\r" },
        { expect: "Add another key? [y/N] ", send: "y\r" },
        { expect: "Key: ", send: "three\r" },
        { expect: "three (text): ", send: "@@x\r" },
        { expect: "Add another key? [y/N] ", send: "\r" },
      ],
    );
    expect({ status, output }).toMatchObject({ status: 0 });
    expect(output).not.toContain(CANARY);
    expect(await home.content("s")).toEqual({ one: CANARY, two: "from a file", three: "@x" });
  });

  test("78: a name that is taken is said before anything is asked", async () => {
    const home = new Home();
    await home.succeed(["secret", "register", "s", "--a=1"]);
    const { status, output } = await atTerminal(home, ["secret", "register", "s", "-i"], []);
    expect(status).toBe(4);
    expect(output).not.toContain("Key: ");
  });

  test("94, 96: update -i asks for every key; Enter keeps the old value", async () => {
    const home = new Home();
    await home.succeed(["secret", "register", "web", "--schema=basic_auth", "--username=u", "--password=old"]);
    const { status, output } = await atTerminal(
      home,
      ["secret", "update", "web", "-i"],
      [
        { expect: "username (text, Enter keeps the current value): ", send: "\r" },
        { expect: "password (text, Enter keeps the current value): ", send: `${CANARY}\r` },
      ],
    );
    expect({ status, output }).toMatchObject({ status: 0 });
    expect(output).not.toContain(CANARY);
    expect(await home.content("web")).toEqual({ username: "u", password: CANARY });
    const nothing = await atTerminal(
      home,
      ["secret", "update", "web", "-i"],
      [
        { expect: "username (", send: "\r" },
        { expect: "password (", send: "\r" },
      ],
    );
    expect(nothing).toMatchObject({ status: 0, output: expect.stringContaining("Nothing was changed.") });
    expect((await home.succeed(["secret", "history", "web", "-o", "json"])).stdout.match(/"revision"/g)).toHaveLength(2);
  });

  test.each<[string, Step, number, boolean | null]>([
    ["Ctrl-C", { send: "\u0003" }, 130, true],
    ["Ctrl-D", { send: "\u0004" }, 1, true],
    ["SIGINT", { signal: "SIGINT" }, 130, true],
    ["SIGTERM", { signal: "SIGTERM" }, 143, true],
    ["SIGHUP", { signal: "SIGHUP" }, 129, true],
    ["a terminal that goes away", { hangup: true }, 129, null],
  ])("T5: %s in a prompt ends the command, the terminal is as before, nothing is stored", async (_title, step, expected, echoAfter) => {
    const home = new Home();
    const before = home.files();
    const dialogue = await atTerminal(
      home,
      ["secret", "register", "s", "-i"],
      [
        { expect: "Key: ", send: "one\r" },
        { expect: "one (text): ", send: CANARY },
        { expect: "", afterMs: 150, ...step },
      ],
    );
    expect({ status: dialogue.status, echoAfter: dialogue.echoAfter, timedOut: dialogue.timedOut }).toEqual({
      status: expected,
      echoAfter,
      timedOut: false,
    });
    expect(dialogue.output).not.toContain(CANARY);
    expect(dialogue.output).not.toMatch(/ {4}at |bug/);
    expect(home.files()).toEqual(before);
  });

  test("T7: a pasted key of 30 lines is one value where the terminal marks a paste", async () => {
    const home = new Home();
    const pasted = `\u001B[200~${PEM.replaceAll("\n", "\r")}\u001B[201~`;
    const { status, output } = await atTerminal(
      home,
      ["secret", "register", "s", "-i"],
      [
        { expect: "Key: ", send: "pem\r" },
        { expect: "pem (text): ", send: pasted },
        { expect: "", send: "\r" },
        { expect: "Add another key? [y/N] ", send: "\r" },
      ],
    );
    expect({ status, output }).toMatchObject({ status: 0 });
    expect(output).not.toContain("BEGIN PRIVATE");
    expect((await home.succeed(["secret", "get", "s", "--key=pem"])).stdout).toBe(PEM);
  });

  test("T7: where it does not, the paste is refused with a pointer to @FILE: never the first line alone", async () => {
    const home = new Home();
    const { status, output } = await atTerminal(
      home,
      ["secret", "register", "s", "-i"],
      [
        { expect: "Key: ", send: "pem\r" },
        { expect: "pem (text): ", send: PEM.replaceAll("\n", "\r") },
      ],
    );
    expect(status).toBe(2);
    expect(output).toContain("--key=@./FILE");
    expect((await home.succeed(["secret", "list", "-o", "json"])).stdout).toBe("[]\n");
  });
});

describe("T6: without a terminal", () => {
  test.each([["register", "s", "-i"], ["update", "s", "-i"], ["delete", "s"], ["cleanup"]])(
    "secret %s needs one, and says how to do without",
    async (...argv) => {
      const home = new Home();
      await home.succeed(["secret", "register", "s", "--a=1"]);
      for (const input of ["", "y\n"]) {
        const started = performance.now();
        const { status, stdout, stderr } = await home.run(["secret", ...argv], { input });
        expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
        expect(stderr).toMatch(/needs a terminal.*\nhint: Without a terminal .*--/);
        expect(performance.now() - started).toBeLessThan(2000);
      }
      expect(await home.content("s")).toEqual({ a: "1" });
    },
  );
});
