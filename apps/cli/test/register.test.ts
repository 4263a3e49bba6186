import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Home } from "./support/home.ts";

const CANARY = "cAnArY-4f9a2b7c-value-of-a-secret";
const content = (home: Home, name: string): Promise<unknown> => home.content(name);

describe("what is stored", () => {
  test("79, 92: keys and values are stored and shown in clear", async () => {
    const home = new Home();
    const { status, stdout } = await home.run(["secret", "register", "db", "--key1=value1", "--key2=value2"]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    expect(await home.run(["secret", "get", "db"])).toMatchObject({
      status: 0,
      stderr: "",
      stdout: "KEY   VALUE\nkey1  value1\nkey2  value2\n",
    });
  });

  test("80, 83, 31: the command of the documentation, typed, with a file", async () => {
    const home = new Home();
    const pem = "-----BEGIN CERTIFICATE-----\nMIIC=\n-----END CERTIFICATE-----\n";
    writeFileSync(join(home.path, "ca.pem"), pem);
    const { status, stdout } = await home.run([
      "secret",
      "register",
      "db",
      "--schema=mysql",
      "--user=etl",
      "--password=pw",
      "--ssl_ca=@./ca.pem",
      "--ssl_verify_server_cert=true",
    ]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    const shown = await home.run(["secret", "get", "db", "--output", "json"]);
    expect(shown.stdout).toContain('"ssl_verify_server_cert": true');
    expect(JSON.parse(shown.stdout)).toEqual({
      name: "db",
      schema: "mysql",
      content: { user: "etl", password: "pw", ssl_ca: pem, ssl_verify_server_cert: true },
      revision: expect.any(String),
      updatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
  });

  test("28: an optional key that is left out has its default, also as one key", async () => {
    const home = new Home();
    await home.run(["secret", "register", "db", "--schema=mysql", "--user=etl"]);
    expect(await content(home, "db")).toEqual({ user: "etl", ssl_verify_server_cert: false });
    expect((await home.run(["secret", "get", "db", "--key=ssl_verify_server_cert"])).stdout).toBe("false");
  });

  test("81, T9: @@x stores @x", async () => {
    const home = new Home();
    await home.run(["secret", "register", "s", "--pw=@@x", "--two=@@@y"]);
    expect(await content(home, "s")).toEqual({ pw: "@x", two: "@@y" });
  });

  test("90: a value may hold equals signs", async () => {
    const home = new Home();
    await home.run(["secret", "register", "s", "--url=postgres://u:p@h/db?a=b&c=d==", "--b64=YQ=="]);
    expect(await content(home, "s")).toEqual({ url: "postgres://u:p@h/db?a=b&c=d==", b64: "YQ==" });
  });

  test("T11: after -- everything is a key", async () => {
    const home = new Home();
    await home.run([
      "secret",
      "register",
      "s",
      "--",
      "--schema=x",
      "--name=y",
      "--help=z",
      "--interactive=i",
      "--output=json",
      "--no-warn=n",
    ]);
    expect(await content(home, "s")).toEqual({ schema: "x", name: "y", help: "z", interactive: "i", output: "json", "no-warn": "n" });
  });

  test("T17: names of prototypes are data", async () => {
    const home = new Home();
    const { status, stderr } = await home.run(["secret", "register", "s", "--__proto__=p", "--constructor=c", "--a.__proto__.b=1"]);
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const { stdout } = await home.run(["secret", "get", "s", "--output=json"]);
    expect(stdout).toContain('"__proto__": "p"');
    expect((await home.run(["secret", "get", "s", "--key=__proto__"])).stdout).toBe("p");
    writeFileSync(join(home.path, "v.json"), '{"__proto__": "q", "toString": "r"}');
    expect((await home.run(["secret", "register", "t", "--values=@v.json"])).status).toBe(0);
    expect((await home.run(["secret", "get", "t", "--key=__proto__"])).stdout).toBe("q");
    expect((await home.run(["secret", "get", "t", "--key=hasOwnProperty"])).status).toBe(3);
  });

  test.each(["constructor", "__proto__", "toString", "hasOwnProperty"])("T18: a secret called %s", async (name) => {
    const home = new Home();
    expect((await home.run(["secret", "get", name])).status).toBe(3);
    expect((await home.run(["secret", "register", name, "--a=1"])).status).toBe(0);
    expect(await content(home, name)).toEqual({ a: "1" });
    expect((await home.run(["secret", "list"])).stdout).toContain(`${name}  arbitrary`);
  });

  test("T16, T20: an empty value, an absent key, keys that differ in case", async () => {
    const home = new Home();
    await home.run(["secret", "register", "s", "--empty=", "--Key=1", "--key=2"]);
    expect(await content(home, "s")).toEqual({ empty: "", Key: "1", key: "2" });
    expect((await home.run(["secret", "get", "s", "--key=empty"])).bytes).toHaveLength(0);
    expect(await home.run(["secret", "get", "s", "--key=absent"])).toMatchObject({
      status: 3,
      stdout: "",
      stderr: expect.stringContaining("It has Key, empty, key."),
    });
  });
});

describe("what is said", () => {
  test("T2: values on the command line work and are warned about once, by key", async () => {
    const home = new Home();
    const { status, stdout, stderr } = await home.run(["secret", "register", "s", `--pw=${CANARY}`, "--empty=", "--two=2"]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    expect(stderr.match(/^warning:/gm)).toHaveLength(1);
    expect(stderr).toMatch(/warning: .*: pw, two\./);
    expect(stderr).not.toContain(CANARY);
    expect((await home.run(["secret", "update", "s", "--pw=x", "--no-warn"])).stderr).not.toContain("warning");
    expect((await home.run(["secret", "update", "s", "--pw=x"], { env: { COFFER_NO_WARN: "1" } })).stderr).not.toContain("warning");
  });

  test("91: what will be stored is announced on stderr, masked", async () => {
    const { stderr, stdout } = await new Home().run(["secret", "register", "db", "--schema=mysql", `--user=${CANARY}`, "--password=x"]);
    expect(stdout).toBe("");
    expect(stderr).toContain('The secret "db" (schema mysql) will be registered:\nKEY       VALUE\nuser      ***\npassword  ***\n');
    expect(stderr).toContain('Registered the secret "db" (2 keys).');
    expect(stderr).not.toContain(CANARY);
  });

  test("T24: stdout holds the result alone, with every warning provoked", async () => {
    const home = new Home();
    const { stdout, stderr } = await home.run(["secret", "register", "s", "--pw=x", "--schem=y", "--output=json"]);
    expect(JSON.parse(stdout)).toEqual({ name: "s", schema: "arbitrary", revision: expect.any(String) });
    expect(stderr).toContain("The option is called --schema");
  });
});
