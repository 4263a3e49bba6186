import { describe, expect, test } from "vitest";
import { Home } from "./support/home.ts";

const CANARY = "cAnArY-33c0de-value";

describe("secret update", () => {
  test("94, 95, T16: it merges: keys that are not named keep their values; new ones are added, an empty value is a value", async () => {
    const home = new Home();
    await home.succeed(["secret", "register", "s", "--a=1", "--b=2"]);
    const { stdout, stderr } = await home.succeed(["secret", "update", "s", "--b=@-", "--c=3"], { input: CANARY });
    expect(stdout).toBe("");
    expect(stderr).toContain('In the secret "s" these keys will be set:\nKEY  VALUE\nb    ***\nc    ***\n');
    expect(stderr).toContain('The secret "s" has been updated.');
    expect(stderr).not.toContain(CANARY);
    expect(await home.content("s")).toEqual({ a: "1", b: CANARY, c: "3" });
    await home.succeed(["secret", "update", "s", "--a="]);
    expect(await home.content("s")).toEqual({ a: "", b: CANARY, c: "3" });
  });

  test("--remove-keys takes keys away, together with new values or alone", async () => {
    const home = new Home();
    await home.succeed(["secret", "register", "s", "--a=1", "--b=2", "--c=3"]);
    await home.succeed(["secret", "update", "s", "--remove-keys=a, b", "--d=4"]);
    expect(await home.content("s")).toEqual({ c: "3", d: "4" });
    expect(await home.run(["secret", "update", "s", "--remove-keys=c", "--c=5"])).toMatchObject({ status: 2 });
    expect((await home.run(["secret", "update", "s", "--remove-keys=absent"])).status).not.toBe(70);
    expect(await home.content("s")).toEqual({ c: "3", d: "4" });
  });

  test("97: the stored schema is applied again; what does not fit changes nothing", async () => {
    const home = new Home();
    await home.succeed(["secret", "register", "web", "--schema=basic_auth", "--username=u", "--password=p"]);
    for (const wrong of [[`--nonsense=${CANARY}`], ["--remove-keys=password"]]) {
      const { status, stderr } = await home.run(["secret", "update", "web", ...wrong]);
      expect(status).toBe(5);
      expect(stderr).toMatch(/nonsense|password/);
      expect(stderr).toMatch(/\nhint: /);
      expect(stderr).not.toContain(CANARY);
    }
    expect(await home.content("web")).toEqual({ username: "u", password: "p" });
  });

  test("97: an option that is also a key of the stored schema is never captured silently", async () => {
    const home = new Home();
    await home.succeed(["secret", "register", "db", "--schema=mysql", "--user=u"]);
    // `schema` is no option here: the schema cannot change, so it is taken for a key, which the schema refuses.
    expect(await home.run(["secret", "update", "db", "--schema=basic_auth"])).toMatchObject({
      status: 5,
      stderr: expect.stringContaining("schema"),
    });
  });

  test("94: a missing secret is not made", async () => {
    const home = new Home();
    expect(await home.run(["secret", "update", "s", "--a=1"])).toMatchObject({ status: 3, stdout: "" });
    expect(await home.run(["secret", "get", "s"])).toMatchObject({ status: 3 });
  });
});

describe("many at once", () => {
  test("T69: 20 updates of different keys: every one of them counts", async () => {
    const home = new Home();
    await home.succeed(["secret", "register", "s", "--start=0"]);
    const keys = Array.from({ length: 20 }, (_, index) => `key${index}`);
    const finished = await Promise.all(keys.map((key) => home.run(["secret", "update", "s", `--${key}=${key}`, "--no-warn"])));
    expect(finished.map(({ status }) => status)).toEqual(keys.map(() => 0));
    expect(await home.content("s")).toEqual({ start: "0", ...Object.fromEntries(keys.map((key) => [key, key])) });
  });

  test("20 first registrations: one store, nothing lost", async () => {
    const home = new Home();
    const names = Array.from({ length: 20 }, (_, index) => `s${index}`);
    const finished = await Promise.all(names.map((name) => home.run(["secret", "register", name, "--a=1"])));
    expect(finished.map(({ status }) => status)).toEqual(names.map(() => 0));
    const listed = JSON.parse((await home.succeed(["secret", "list", "-o", "json"])).stdout) as readonly { readonly name: string }[];
    expect(listed.map(({ name }) => name)).toEqual(names.toSorted());
    expect(finished.filter(({ stderr }) => stderr.includes("note: This makes a new")).length).toBeGreaterThan(0);
  });
});

describe("names", () => {
  test("T59: names that differ in case are two secrets; neither overwrites the other", async () => {
    const home = new Home();
    await home.succeed(["secret", "register", "Api", "--k=upper"]);
    await home.succeed(["secret", "register", "api", "--k=lower"]);
    expect(await home.content("Api")).toEqual({ k: "upper" });
    expect(await home.content("api")).toEqual({ k: "lower" });
  });

  test.each([
    ["composed", "caf\u00e9"],
    ["decomposed", "cafe\u0301"],
    ["a fullwidth @", "a\uFF20b"],
  ])("T50: a name with a letter that has several forms (%s) is refused, so that no two look the same", async (_form, name) => {
    const home = new Home();
    const { status, stderr } = await home.run(["secret", "register", name, "--a=1"]);
    expect(status).toBe(5);
    expect(stderr).toMatch(/A-Z|letters/);
  });
});
