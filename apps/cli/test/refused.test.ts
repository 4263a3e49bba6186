import { describe, expect, test } from "vitest";
import { Home } from "./support/home.ts";

const CANARY = "cAnArY-4f9a2b7c-value-of-a-secret";
const content = (home: Home, name: string): Promise<unknown> => home.content(name);

describe("what is refused", () => {
  test("T19, 29, 30, 32: everything that does not fit the schema at once, with keys and types and without a value", async () => {
    const home = new Home();
    const { status, stderr, stdout } = await home.run(["secret", "register", "db", "--schema=basic_auth", `--usrname=${CANARY}`]);
    expect({ status, stdout }).toEqual({ status: 5, stdout: "" });
    for (const key of ["username", "password", "usrname"]) expect(stderr).toContain(key);
    const wrong = await home.run(["secret", "register", "db", "--schema=mysql", `--ssl_verify_server_cert=${CANARY}`]);
    expect(wrong.status).toBe(5);
    expect(wrong.stderr).toMatch(/ssl_verify_server_cert.*true or false/);
    expect(stderr + wrong.stderr).not.toContain(CANARY);
    expect((await home.run(["secret", "list", "--output=json"])).stdout).toBe("[]\n");
  });

  test("38: an unknown schema lists the known ones and how to install one", async () => {
    const { status, stderr } = await new Home().run(["secret", "register", "db", "--schema=aws", "--a=1"]);
    expect(status).toBe(5);
    expect(stderr).toContain("arbitrary, basic_auth, mysql");
    expect(stderr).toContain("npm install @coffer/aws");
  });

  test("2: a name that is taken keeps its old value", async () => {
    const home = new Home();
    await home.run(["secret", "register", "s", "--a=old"]);
    expect(await home.run(["secret", "register", "s", "--a=new"])).toMatchObject({
      status: 4,
      stderr: expect.stringContaining("coffer secret update"),
    });
    expect(await content(home, "s")).toEqual({ a: "old" });
  });

  test.each(["1a", "a b", "a\u00e9", "$a", "-a", ".a"])("89: the key %j is refused with the form", async (key) => {
    const { status, stderr } = await new Home().run(["secret", "register", "s", "--ok=1", `--${key}=${CANARY}`]);
    expect(status).toBe(5);
    expect(stderr).toContain("A key is a letter");
    expect(stderr).not.toContain(CANARY);
  });

  test.each(["../x", "a/../../b", "/etc/x", ".", "..", "", "a\nb", "x\x1B[2J", "x".repeat(300), " x", "a//b", "a/", "\u202Ex"])(
    "T46: the name %j is refused, and nothing is written",
    async (name) => {
      const home = new Home();
      const { status, stdout, stderr } = await home.run(["secret", "register", name, "--a=1"]);
      expect({ status, stdout }).toEqual({ status: 5, stdout: "" });
      // eslint-disable-next-line no-control-regex -- that none is left is what is tested
      expect(stderr).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u202E]/);
      expect((await home.run(["secret", "list", "--output=json"])).stdout).toBe("[]\n");
    },
  );

  test.each(["-rf", "--help", "--x"])("T46: the name %s is an option, or refused", async (name) => {
    const home = new Home();
    const { stdout } = await home.run(["secret", "register", name, "--a=1"]);
    expect(stdout === "" || stdout.startsWith("Store a new secret.")).toBe(true);
    expect((await home.run(["secret", "list", "--output=json"])).stdout).toBe("[]\n");
  });

  test.each([".ssh/key", "CON", "x.", "constructor", "a+b=c@d"])("T47: the name %s is stored and found", async (name) => {
    const home = new Home();
    expect((await home.run(["secret", "register", name, "--a=1"])).status).toBe(0);
    expect(await content(home, name)).toEqual({ a: "1" });
  });

  test("a schema key that an option of the command hides is shown its form", async () => {
    const { status, stderr } = await new Home().run(["secret", "register", "s", "--output=mysecret"]);
    expect(status).toBe(2);
    expect(stderr).toContain("-- --output=VALUE");
    expect(stderr).not.toContain("mysecret");
  });
});
