import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Home } from "./support/home.ts";

/** Puts a package into the user's integrations folder; importing it leaves a mark. */
function install(home: Home, options: { readonly manifest?: unknown; readonly code?: string } = {}): { readonly mark: string } {
  const root = join(home.env["XDG_CONFIG_HOME"] ?? "", "coffer/integrations");
  const folder = join(root, "node_modules/coffer-acme");
  const mark = join(home.path, "imported");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(root, "package.json"), JSON.stringify({ dependencies: { "coffer-acme": "1.2.3" } }));
  const manifest = options.manifest ?? {
    specVersion: 1,
    entry: "./index.js",
    flavors: [{ type: "secrets_manager", name: "acme", aliases: ["acme_vault"] }],
    schemas: ["acme_token"],
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "coffer-acme", version: "1.2.3", type: "module", coffer: manifest }));
  const code =
    options.code ??
    `export default { specVersion: 1, name: "acme", schemas: [{ type: "acme_token", fields: z.object({ token: z.string(), retries: z.number() }) }],
       flavors: [{ type: "secrets_manager", name: "acme", settings: undefined, locality: () => "remote", open: async () => { throw new Error("no"); } }] };`;
  writeFileSync(
    join(folder, "index.js"),
    `import { writeFileSync } from "node:fs"; import * as z from ${JSON.stringify(import.meta.resolve("zod"))}; writeFileSync(${JSON.stringify(mark)}, ""); ${code}`,
  );
  return { mark };
}

describe("secrets-manager flavor", () => {
  test("77: the list names flavor, integration, package and version, and imports nothing", async () => {
    const home = new Home();
    const { mark } = install(home);
    expect((await home.succeed(["secrets-manager", "flavor", "list"])).stdout).toMatch(
      /^FLAVOR +INTEGRATION +PACKAGE +ALIASES\nacme +coffer-acme +coffer-acme 1\.2\.3 +acme_vault\nlocal +built-in +@coffer\/local \S+\n$/,
    );
    const { stdout } = await home.succeed(["secrets-manager", "flavor", "list", "--output", "json"]);
    expect(JSON.parse(stdout)).toEqual([
      {
        flavor: "acme",
        type: "secrets_manager",
        integration: "coffer-acme",
        package: "coffer-acme",
        version: "1.2.3",
        aliases: ["acme_vault"],
      },
      {
        flavor: "local",
        type: "secrets_manager",
        integration: "built-in",
        package: "@coffer/local",
        version: expect.any(String),
        aliases: [],
      },
    ]);
    expect(existsSync(mark)).toBe(false);
  });

  test("describe shows the settings that can be written down, and no function", async () => {
    const { stdout } = await new Home().succeed(["secrets-manager", "flavor", "describe", "local", "-o", "json"]);
    const { settings } = JSON.parse(stdout) as { readonly settings: readonly { readonly setting: string; readonly choices: unknown }[] };
    expect(settings.map(({ setting }) => setting)).toContain("path");
    expect(settings.map(({ setting }) => setting)).not.toContain("onCreate");
    expect(settings.find(({ setting }) => setting === "protection")?.choices).toEqual(["key_file", "passphrase", "keychain"]);
  });

  test("an unknown flavor: the known ones and the command that installs it", async () => {
    const { status, stdout, stderr } = await new Home().run(["secrets-manager", "flavor", "describe", "gcp_secrets_manager"]);
    expect({ status, stdout }).toEqual({ status: 10, stdout: "" });
    expect(stderr).toContain("npm install @coffer/gcp");
    expect(stderr).toContain("Known: local");
  });

  test("T100: packages in the folder where the command is run are not even looked at", async () => {
    const home = new Home();
    const folder = join(home.path, "checkout/node_modules/@coffer/vault");
    mkdirSync(folder, { recursive: true });
    const manifest = { specVersion: 1, entry: "./index.js", flavors: [{ type: "secrets_manager", name: "vault" }], schemas: ["evil"] };
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "@coffer/vault", version: "9.9.9", coffer: manifest }));
    writeFileSync(join(folder, "index.js"), `require("node:fs").writeFileSync(${JSON.stringify(join(home.path, "imported"))}, "");`);
    writeFileSync(join(home.path, "checkout/package.json"), JSON.stringify({ dependencies: { "@coffer/vault": "9.9.9" } }));
    const cwd = join(home.path, "checkout");
    expect((await home.succeed(["secrets-manager", "flavor", "list"], { cwd })).stdout).not.toContain("vault");
    expect((await home.run(["secret", "register", "s", "--schema=evil", "--a=1"], { cwd })).status).toBe(5);
    await home.succeed(["secret", "register", "s", "--a=1"], { cwd });
    await home.succeed(["secret", "list"], { cwd });
    expect(existsSync(join(home.path, "imported"))).toBe(false);
  });
});

describe("schema", () => {
  test("37: built in and installed ones, without importing any", async () => {
    const home = new Home();
    const { mark } = install(home);
    const { stdout } = await home.succeed(["schema", "list", "-o", "json"]);
    expect((JSON.parse(stdout) as readonly { readonly schema: string }[]).map(({ schema }) => schema)).toEqual([
      "acme_token",
      "arbitrary",
      "basic_auth",
      "mysql",
    ]);
    expect((await home.succeed(["schema", "list"])).stdout).toMatch(/^SCHEMA +INTEGRATION +PACKAGE\nacme_token +coffer-acme/);
    expect(existsSync(mark)).toBe(false);
  });

  test("36: an installed one is used by its type, and imported then", async () => {
    const home = new Home();
    const { mark } = install(home);
    expect(await home.run(["secret", "register", "s", "--schema=acme_token", "--retries=many"])).toMatchObject({ status: 5 });
    await home.succeed(["secret", "register", "s", "--schema=acme_token", "--token=t", "--retries=3"]);
    expect(existsSync(mark)).toBe(true);
    expect((await home.succeed(["secret", "list"])).stdout).toContain("acme_token");
    expect(await home.content("s")).toEqual({ token: "t", retries: 3 });
  });

  test("a secret whose schema is no longer installed can still be read, as text, and says so", async () => {
    const home = new Home();
    install(home);
    await home.succeed(["secret", "register", "s", "--schema=acme_token", "--token=t", "--retries=3"]);
    rmSync(join(home.env["XDG_CONFIG_HOME"] ?? "", "coffer/integrations"), { recursive: true });
    const { stdout, stderr } = await home.succeed(["secret", "get", "s", "-o", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({ schema: "acme_token", content: { token: "t", retries: "3" } });
    expect(stderr).toMatch(/^note: The schema "acme_token".* is not installed here/);
  });

  test("describe shows the keys in their order, with types and defaults", async () => {
    const home = new Home();
    const { stdout, stderr } = await home.succeed(["schema", "describe", "mysql"]);
    expect(stdout).toMatch(
      /^KEY +REQUIRED +DEFAULT +VALUE\nuser +no +text\npassword[^]*ssl_verify_server_cert +no +false +true or false\n$/,
    );
    expect(stderr).toContain("MySQL");
    expect((await home.succeed(["schema", "describe", "arbitrary"])).stderr).toContain("Any key is allowed.");
    expect(await home.run(["schema", "describe", "nope"])).toMatchObject({ status: 5, stderr: expect.stringContaining("basic_auth") });
  });
});

describe("an integration that cannot be used", () => {
  test("one with a broken manifest is left out, and said so", async () => {
    const home = new Home();
    install(home, { manifest: { specVersion: 1, entry: "../../../evil.js", flavors: [], schemas: [] } });
    const { stdout, stderr } = await home.succeed(["secrets-manager", "flavor", "list"]);
    expect(stdout).not.toContain("acme");
    expect(stderr).toContain("warning: The package coffer-acme was left out");
  });

  test("T39: one that throws when it is imported: one clean error, nothing of its text", async () => {
    const home = new Home();
    install(home, { code: 'throw new Error("cAnArY-import at step()");' });
    const { status, stdout, stderr } = await home.run(["secrets-manager", "flavor", "describe", "acme"]);
    expect({ status, stdout }).toEqual({ status: 10, stdout: "" });
    expect(stderr).toMatch(/^error: .*coffer-acme.*\nhint: .*npm install coffer-acme.*\n$/);
    expect(stderr).not.toContain("cAnArY");
  });
});
