import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Home } from "./support/home.ts";

const CANARY = "cAnArY-4f9a2b7c-value-of-a-secret";
const content = (home: Home, name: string): Promise<unknown> => home.content(name);

describe("files and stdin", () => {
  test("T1: a value from stdin is stored exactly, and was on no command line", async () => {
    const home = new Home();
    const { status, stdout, stderr } = await home.run(["secret", "register", "s", "--pw=@-"], { input: CANARY });
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    expect(stderr).not.toContain(CANARY);
    expect(stderr).not.toContain("warning");
    expect((await home.run(["secret", "get", "s", "--key=pw"])).stdout).toBe(CANARY);
  });

  test("a line break at the end of one line is kept, and said", async () => {
    const home = new Home();
    const { stderr } = await home.run(["secret", "register", "s", "--pw=@-"], { input: `${CANARY}\n` });
    expect(stderr).toMatch(/warning: Ends with a line break.*pw/);
    expect((await home.run(["secret", "get", "s", "--key=pw"])).stdout).toBe(`${CANARY}\n`);
  });

  test("T8: a password that starts with @ is never repeated", async () => {
    const { status, stderr } = await new Home().run(["secret", "register", "s", `--pw=@${CANARY}`]);
    expect(status).toBe(2);
    expect(stderr).toContain('"pw"');
    expect(stderr).toContain("ENOENT");
    expect(stderr).toContain("@@");
    expect(stderr).not.toContain(CANARY);
  });

  test("82, T10: a directory, a FIFO, a device, a file without permissions, a large file: refused in bounded time", async () => {
    const home = new Home();
    const path = (name: string): string => join(home.path, name);
    mkdirSync(path("dir"));
    execFileSync("mkfifo", [path("fifo")]);
    writeFileSync(path("large"), Buffer.alloc(100 * 1024 * 1024, 65));
    writeFileSync(path("limit"), "x".repeat(10_240));
    writeFileSync(path("over"), "x".repeat(10_241));
    for (const [file, reason] of [
      ["dir", "not a regular file"],
      ["fifo", "not a regular file"],
      ["large", "larger than 10,240 bytes"],
      ["over", "larger than 10,240 bytes"],
      ["absent", "ENOENT"],
    ] as const) {
      const { status, stderr } = await home.run(["secret", "register", "s", `--pw=@${file}`]);
      expect(status).toBe(2);
      expect(stderr).toContain(reason);
      expect(stderr).toContain('"pw"');
    }
    expect((await home.run(["secret", "register", "s", "--pw=@/dev/zero"])).stderr).toContain("not a regular file");
    expect((await home.run(["secret", "register", "s", "--pw=@over"])).stderr).toContain("--pw=@- < FILE");
    expect((await home.run(["secret", "register", "s", "--pw=@limit"])).status).toBe(0);
  });

  test("~ and relative paths; a larger value comes from stdin", async () => {
    const home = new Home();
    mkdirSync(join(home.path, "sub"));
    writeFileSync(join(home.path, "v"), "from a file");
    expect((await home.run(["secret", "register", "s", "--a=@~/v", "--b=@../v"], { cwd: join(home.path, "sub") })).status).toBe(0);
    expect(await content(home, "s")).toEqual({ a: "from a file", b: "from a file" });
    const large = "é".repeat(200_000);
    expect((await home.run(["secret", "update", "s", "--large=@-"], { input: large })).status).toBe(0);
    expect((await home.run(["secret", "get", "s", "--key=large"])).bytes.equals(Buffer.from(large))).toBe(true);
    expect(await home.run(["secret", "update", "s", "--large=@-"], { input: Buffer.alloc(1024 * 1024 + 1, 65) })).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("1,048,576"),
    });
  });

  test("T14: bytes that are no UTF-8 are refused, wherever they come from; a NUL and a byte order mark are kept", async () => {
    const home = new Home();
    writeFileSync(join(home.path, "bad"), Buffer.from([0x61, 0xff, 0x62]));
    writeFileSync(join(home.path, "odd"), "\uFEFFa\0b");
    expect((await home.run(["secret", "register", "s", "--pw=@bad"])).stderr).toContain("not UTF-8");
    expect((await home.run(["secret", "register", "s", "--pw=@-"], { input: Buffer.from([0xff]) })).stderr).toContain("not UTF-8");
    const inArgv = await home.shell("coffer secret register s --pw=$'a\\xffb'");
    expect(inArgv).toMatchObject({ status: 2, stderr: expect.stringContaining("not UTF-8") });
    expect((await home.run(["secret", "register", "s", "--pw=@odd"])).status).toBe(0);
    expect((await home.run(["secret", "get", "s", "--key=pw"])).bytes.equals(readFileSync(join(home.path, "odd")))).toBe(true);
  });

  test("T12: stdin is not touched unless it is asked for", async () => {
    const home = new Home();
    await home.run(["secret", "register", "s", "--k=v"]);
    const { stdout } = await home.shell(
      "printf '1\\n2\\n3\\n' > lines; while read -r l; do coffer secret get s --key k; echo \" $l\"; done < lines",
    );
    expect(stdout).toBe("v 1\nv 2\nv 3\n");
  });
});
