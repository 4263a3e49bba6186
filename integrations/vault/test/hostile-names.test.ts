import { DriverError, type SecretsManager } from "@coffer/core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { call, failure, type Laboratory, laboratory } from "./laboratory.ts";

afterEach(() => void vi.unstubAllEnvs());

const BOTH = [
  [2, "secret"],
  [1, "kv1"],
] as const;

// What would lead out of the mount, end the path, add a query or a header, if anything but one segment were made of it.
const LEADS_ELSEWHERE = [
  "a/../../sys/x",
  "../sys/mounts",
  "..",
  ".",
  "a/..",
  "a/./b",
  "a//b",
  "//host/x",
  "https://host.example/x",
  "/a",
  "a/",
];
const BREAKS_A_LINE = ["a\nb", "a\rb", "a\r\nX-Vault-Token: b", "a\0b", "a\u2028b", "a\u0085b", "\ud800"];
const SYNTAX = [
  "a?list=true",
  "a%2e%2e%2fb",
  "%2e%2e",
  "%2e%2e%2fsys%2fmounts",
  "a#b",
  "a;b",
  "a&b=c",
  "a\\..\\b",
  "a:b@c",
  "{{token}}",
  "&#x2F;&#x2F;x",
  "a+b c",
  "…／..",
];
const PLAIN_BUT_TELLING = [
  "sys/health/x",
  "sys/seal",
  "auth/token/lookup-self",
  "data/a",
  "metadata/a",
  "login/x",
  "a=2e",
  "a.b",
  "...",
  "-",
];

/** Every kind of call that takes a name. */
const CALLS: Readonly<Record<string, (manager: SecretsManager, name: string) => Promise<unknown>>> = {
  get: (manager, name) => manager.getSecret(name),
  has: (manager, name) => manager.hasSecret(name),
  register: (manager, name) => manager.registerSecret({ name, values: { a: "b" } }),
  replace: (manager, name) => manager.replaceSecret({ name, schema: "arbitrary", values: { a: "b" } }),
  update: (manager, name) => manager.updateSecret(name, { values: { a: "b" } }),
  delete: (manager, name) => manager.deleteSecret(name),
  rename: (manager, name) => manager.renameSecret("there", name),
};

/** Everything that arrived was about one entry below the mount: nothing of the name has become syntax. */
function expectOneSegmentEach({ emulator }: Laboratory, mount: string, path: string): void {
  const below = path.split("/").map(encodeURIComponent).join("/");
  expect(emulator.seen.length).toBeGreaterThan(0);
  for (const seen of emulator.seen) {
    expect(seen.path.replace(/^\/v1\/secret\/(?:data|metadata)\//, "/v1/secret/")).toBe(`/v1/${mount}/${below}`);
    expect(seen.path).not.toMatch(/[?#;\s]|\/\/|\/\.\.?(?:\/|$)/);
  }
}

describe("T48, T49: names that are made to mislead", () => {
  for (const [kv_version, mount] of BOTH) {
    test(`T48, T49: in a scope of ours they are refused before any request, by every call, in version ${kv_version}`, async () => {
      const one = await laboratory({ mount, kv_version });
      one.mount.write(one.stored("there"), { a: "b" });
      for (const scoped of [one.manager(), one.manager({}, { scope: "global", namespace: undefined })])
        for (const name of [...LEADS_ELSEWHERE, ...BREAKS_A_LINE, ...SYNTAX])
          for (const [what, run] of Object.entries(CALLS))
            expect(await failure(run(scoped, name)), `${what} ${JSON.stringify(name)}`).toMatchObject({
              code: "invalid_name",
              outcome: "not_applied",
            });
      expect(one.emulator.seen.filter(({ path }) => !path.endsWith("/there"))).toEqual([]);
    });

    test(`T48, T49: in scope none what leads elsewhere is refused, too, in version ${kv_version}`, async () => {
      const one = await laboratory({ mount, kv_version });
      const manager = one.manager({}, { scope: "none", namespace: undefined });
      for (const name of [...LEADS_ELSEWHERE, ...BREAKS_A_LINE])
        for (const [what, run] of Object.entries(CALLS).filter(([key]) => key !== "rename"))
          expect(await failure(run(manager, name)), `${what} ${JSON.stringify(name)}`).toMatchObject({ code: "invalid_name" });
      for (const name of [...LEADS_ELSEWHERE, ...BREAKS_A_LINE]) {
        const error = await one.driver.read(name, call({ scope: "none" })).catch((reason: unknown) => reason);
        expect(DriverError.isInstance(error) && error.info.code, `the driver, ${JSON.stringify(name)}`).toBe("invalid_name");
      }
      expect(one.emulator.seen).toEqual([]);
      expect(one.mount.keys()).toEqual([]);
    });

    test(`T48: in scope none what looks like the syntax of a URL is one entry below the mount, in version ${kv_version}`, async () => {
      const names = [...SYNTAX, ...PLAIN_BUT_TELLING, "a..b", "a../..b"];
      // With version 1 only OpenBao takes two dots in a row.
      const one = await laboratory({ mount, kv_version }, { product: kv_version === 1 ? "openbao" : "vault" });
      const manager = one.manager({}, { scope: "none", namespace: undefined });
      for (const name of names) {
        one.emulator.seen.length = 0;
        expect(await manager.hasSecret(name), name).toBe(false);
        await manager.registerSecret({ name, values: { of: name } });
        expect((await manager.getSecret(name)).text["of"], name).toBe(name);
        await manager.replaceSecret({ name, schema: "arbitrary", values: { of: `${name} again` }, adopt: true });
        expectOneSegmentEach(one, mount, name);
        expect(one.mount.read(name)?.data).toEqual({ of: `${name} again` });
      }
      expect(one.mount.keys().toSorted()).toEqual(names.toSorted());
      const listed = await Array.fromAsync(manager.listSecrets());
      expect(listed.map((info) => info.name).toSorted()).toEqual(names.toSorted());
      for (const name of names) {
        one.emulator.seen.length = 0;
        await manager.deleteSecret(name);
        expectOneSegmentEach(one, mount, name);
      }
      expect(one.mount.keys()).toEqual([]);
    });

    test(`T48: in a scope of ours what is plain and telling is an entry of the scope, in version ${kv_version}`, async () => {
      const one = await laboratory({ mount, kv_version });
      const manager = one.manager();
      for (const name of PLAIN_BUT_TELLING.filter((each) => each !== "-")) {
        one.emulator.seen.length = 0;
        await manager.registerSecret({ name, values: { of: name } });
        expect((await manager.getSecret(name)).text["of"]).toBe(name);
        for (const { path } of one.emulator.seen) expect(path).toMatch(new RegExp(`^/v1/${mount}/(?:data/)?coffer/namespace/team/`));
      }
    });
  }

  test("T48: in scope none a name with two dots in a row goes to the server; what Vault refuses with version 1 is refused for good", async () => {
    const one = await laboratory({ mount: "kv1", kv_version: 1, max_retries: 3 });
    const manager = one.manager({}, { scope: "none", namespace: undefined });
    one.mount.write("there", { a: "b" });
    const refused = {
      code: "invalid_name",
      retryable: false,
      outcome: "not_applied",
      message: expect.stringContaining("no two dots in a row") as unknown,
    };
    for (const name of ["a..b", "..a/b", "a\\..\\b"])
      for (const [what, run] of Object.entries(CALLS)) {
        one.emulator.seen.length = 0;
        expect(await failure(run(manager, name)), `${what} ${name}`).toMatchObject(refused);
        // Asked once: no answer would be another one.
        expect(one.emulator.seen.filter(({ path }) => !path.endsWith("/there")).map(({ method }) => method)).toEqual(["GET"]);
      }
    expect(await Array.fromAsync(manager.getSecrets(["a..b", "there"]))).toMatchObject([
      { name: "a..b", error: refused },
      { name: "there", secret: expect.anything() as unknown },
    ]);
    expect(await failure(Array.fromAsync(manager.listSecrets({ prefix: "a..b/" })))).toMatchObject(refused);
    expect(one.mount.keys()).toEqual(["there"]);
  });

  test("T48: names of other tools in a listing cannot lead elsewhere: each is asked for as it is", async () => {
    const one = await laboratory({ kv_version: 2 });
    for (const name of ["a?b", "x%2e%2e/y", "f;g/h#i"]) one.mount.write(name, { of: name });
    const manager = one.manager({}, { scope: "none", namespace: undefined });
    const read = await Array.fromAsync(manager.getSecrets(["a?b", "x%2e%2e/y", "f;g/h#i"]));
    expect(read.map((outcome) => outcome.name).toSorted()).toEqual(["a?b", "f;g/h#i", "x%2e%2e/y"]);
    expect((await Array.fromAsync(manager.listSecrets())).map(({ name }) => name).toSorted()).toEqual(["a?b", "f;g/h#i", "x%2e%2e/y"]);
    for (const { path } of one.emulator.seen) expect(path).toMatch(/^\/v1\/secret\/(?:data|metadata)\/[^?#;]*$/);
  });
});

describe("T48, T49: settings that are made to mislead", () => {
  test("T49: a newline or CR in VAULT_ADDR, or in the address, is refused before any request", async () => {
    const one = await laboratory({ kv_version: 2 });
    for (const end of ["\n", "\r", "\r\nx-injected: 1", "\t", " ", "\0", "/v1\n"]) {
      for (const name of ["VAULT_ADDR", "BAO_ADDR"]) {
        // The environment itself cannot hold a zero byte.
        vi.stubEnv(name, end === "\0" ? " " : `${one.emulator.url}${end}`);
        expect(await failure(one.manager({ address: undefined }).getSecret("a")), JSON.stringify(end)).toMatchObject({
          code: "invalid_settings",
        });
        vi.unstubAllEnvs();
      }
      expect(await failure(one.manager({ address: `${one.emulator.url}${end}` }).getSecret("a"))).toMatchObject({
        code: "invalid_settings",
      });
    }
    expect(one.emulator.server.count()).toBe(0);
  });

  test("T48, T49: a mount, a namespace, a token and a user cannot lead elsewhere either", async () => {
    const one = await laboratory({ kv_version: 2 });
    for (const settings of [
      ...["../sys", "secret/../sys", "a//b", "/secret", "secret/", "secret?x", "secret#x", "secret%2f..", "a\nb", "."].flatMap((path) => [
        { mount: path },
        { vault_namespace: path },
        { auth_mount: path, role_id: "r", token: undefined },
      ]),
      { token: "hvs.a\r\nx-injected: 1" },
      { token: "hvs.ü" },
      { token: undefined, username: "a\nb", password: "p" },
    ])
      expect(await failure(one.manager(settings).getSecret("a")), JSON.stringify(settings)).toMatchObject({ code: "invalid_settings" });
    vi.stubEnv("VAULT_NAMESPACE", "a\nb");
    expect(await failure(one.manager().getSecret("a"))).toMatchObject({ code: "invalid_settings" });
    expect(one.emulator.server.count()).toBe(0);
    vi.unstubAllEnvs();
    for (const username of ["..", ".", "a/../../../sys/seal", "a?b", "a#b"]) {
      one.emulator.seen.length = 0;
      await failure(one.manager({ token: undefined, username, password: "p", kv_version: 2 }).getSecret("a"));
      for (const { path } of one.emulator.seen) expect(path).toMatch(/^\/v1\/auth\/userpass\/login\/[^/?#]+$/);
    }
  });
});
