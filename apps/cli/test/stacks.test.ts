import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Home, inPairs } from "./support/home.ts";
import { atTerminal, hasTerminal } from "./support/terminal.ts";

const CANARY = "cAnArY-6be1d2-stack";

/** Runs commands that must succeed, one after the other. */
async function succeed(home: Home, commands: readonly (readonly string[])[], cwd?: string): Promise<void> {
  for (const command of commands) await home.succeed(command, cwd === undefined ? {} : { cwd });
}

const configOf = (home: Home): string => join(home.path, ".config/coffer/config.json");

describe("several secrets managers", () => {
  test("103: stacks are isolated, switched with one word, and secrets are copied between them with their schema", async () => {
    const home = new Home();
    await succeed(home, [
      ["secrets-manager", "register", "one", "--flavor=local"],
      ["secrets-manager", "register", "two", "--flavor=local"],
      ["stack", "register", "first", "-x", "one"],
      ["stack", "register", "second", "--secrets_manager=two"],
      ["stack", "set", "first"],
      ["secret", "register", "db", "--schema=mysql", "--user=etl", "--ssl_verify_server_cert=yes", "--no-warn"],
      ["stack", "set", "second"],
    ]);
    expect((await home.run(["secret", "get", "db"])).status).toBe(3);
    await home.succeed(["secret", "copy", "db", "--stack=first", "--to=two"]);
    expect(await home.content("db")).toEqual({ user: "etl", ssl_verify_server_cert: true });
    await home.succeed(["secret", "copy", "db", "moved", "--secrets-manager=one", "--to=two"]);
    const listed = await home.succeed(["secret", "list", "--output=json"]);
    expect((JSON.parse(listed.stdout) as { name: string; schema: string }[]).map(({ name, schema }) => [name, schema])).toEqual([
      ["db", "mysql"],
      ["moved", "mysql"],
    ]);
    const named = await home.succeed(["secret", "list", "--output=json"], { env: { COFFER_STACK: "default" } });
    expect(JSON.parse(named.stdout)).toEqual([]);
    // A rename keeps the id, and with it the store.
    await home.succeed(["secrets-manager", "rename", "two", "second-one"]);
    expect(await home.content("moved")).toEqual({ user: "etl", ssl_verify_server_cert: true });
  });

  test("103: a stack is changed with `update -x`, and loses a component with `remove-component -x`", async () => {
    const home = new Home();
    await succeed(home, [
      ["secrets-manager", "register", "m", "--flavor=local"],
      ["stack", "register", "s", "-x", "default"],
      ["stack", "update", "s", "-x", "m"],
    ]);
    const described = async (): Promise<unknown> =>
      (JSON.parse((await home.succeed(["stack", "describe", "s", "--output=json"])).stdout) as { secretsManager: unknown }).secretsManager;
    expect(await described()).toEqual({ name: "m", flavor: "local" });
    await home.succeed(["stack", "remove-component", "s", "-x"]);
    expect(await described()).toBeNull();
    expect((await home.run(["stack", "remove-component", "s", "-x"])).status).toBe(3);
  });

  test("100: a stack without a secrets manager says so, with the stack and the command that adds one, and its own exit status", async () => {
    const home = new Home();
    await succeed(home, [
      ["stack", "register", "bare", "--orchestrator=default"],
      ["stack", "set", "bare"],
    ]);
    for (const command of [["list"], ["get", "x"], ["register", "x", "--k=v"], ["delete", "x", "-y"]]) {
      const { status, stdout, stderr } = await home.run(["secret", ...command]);
      expect({ status, stdout }).toEqual({ status: 10, stdout: "" });
      expect(stderr).toContain('error: The stack "bare" has no secrets manager.\nhint: coffer stack update bare --secrets-manager=NAME');
    }
  });

  test("102: a setting that the flavor does not have, of another type, a missing flavor: told without a value, and nothing is written", async () => {
    const home = new Home();
    for (const [args, expected] of [
      [["--flavor=local", `--pathh=${CANARY}`], /pathh: not a setting of this flavor.*\nhint: Allowed: path, .*namespace/],
      [["--flavor=local", `--revisions=${CANARY}`], /revisions: expected number/],
      [["--flavor=local", "--scope=namespace"], /needs a namespace/],
      [["--flavor=aws"], /The flavor "aws" is not installed.*npm install @coffer\/aws/s],
      [[], /--flavor is missing/],
    ] as const) {
      const { status, stderr } = await home.run(["secrets-manager", "register", "m", ...args]);
      expect(status).toBeGreaterThan(1);
      expect(stderr).toMatch(expected);
      expect(stderr).not.toContain(CANARY);
    }
    expect(existsSync(configOf(home))).toBe(false);
  });

  test("101: values from files, numbers and switches as the flavor wants them; what looks like a secret is masked", async () => {
    const home = new Home();
    writeFileSync(join(home.path, "path"), join(home.path, "own/secrets.db\n"));
    await home.succeed(["secrets-manager", "register", "m", "--flavor=local", "--path=@path", "--revisions=7"]);
    const { stderr } = await home.succeed(["secrets-manager", "update", "m", `--passphrase=${CANARY}`]);
    expect(stderr).toMatch(/look like secrets and are stored in clear text: passphrase/);
    const { stdout } = await home.succeed(["secrets-manager", "describe", "m", "--output=json"]);
    expect((JSON.parse(stdout) as { settings: unknown }).settings).toEqual({
      path: join(home.path, "own/secrets.db"),
      revisions: 7,
      passphrase: "***",
    });
    expect((await home.succeed(["stack", "register", "s", "-x", "m"])).stdout).toBe("");
    const exported = await home.succeed(["stack", "export", "s"]);
    expect(exported.stdout + exported.stderr).not.toContain(CANARY);
    expect(exported.stderr).toContain('The setting "passphrase" of "m" looks like a secret and was left out.');
    expect(statSync(configOf(home)).mode & 0o777).toBe(0o600);
  });

  test.skipIf(!hasTerminal)("101: -i asks for every setting; what looks like a secret is not shown (skipped without python3)", async () => {
    const home = new Home();
    const { status, output } = await atTerminal(
      home,
      ["secrets-manager", "register", "m", "--flavor=local", "-i"],
      [
        { expect: "path (text, optional): ", send: "/tmp/there.db\r" },
        { expect: "protection (", send: "\r" },
        { expect: "key_file (", send: "\r" },
        { expect: "passphrase (", send: `${CANARY}\r` },
        { expect: "passphrase_file (", send: "\r" },
        { expect: "passphrase_fd (", send: "\r" },
        { expect: "revisions (", send: "3\r" },
      ],
    );
    expect(status, output).toBe(0);
    expect(output).not.toContain(CANARY);
    expect(output).toContain("/tmp/there.db");
    expect(JSON.parse(readFileSync(configOf(home), "utf8"))).toMatchObject({
      components: [{ name: "m", settings: { path: "/tmp/there.db", passphrase: CANARY, revisions: 3 } }],
    });
  });
});

describe.skipIf(!hasTerminal)("secret references (skipped without python3)", () => {
  // A flavor of somebody's own: its settings take anything, as those of a pipeline runner may.
  const RUNNER = `export const runner = {
    type: "orchestrator", name: "acme_runner", settings: { "~standard": { validate: (value) => ({ value }) } },
    locality: () => "remote", open: async () => ({}),
  };\n`;

  test("104: register-secrets asks for what is missing, keeps what is there, and a typed secret keeps its schema", async () => {
    const home = new Home();
    writeFileSync(join(home.path, "runner.mjs"), RUNNER);
    await succeed(home, [
      ["secrets-manager", "flavor", "register", "./runner.mjs"],
      ["secrets-manager", "register", "m", "--flavor=local"],
      ["secret", "register", "db", "--schema=mysql", "--user=etl", "--no-warn", "--secrets-manager=m"],
      ["orchestrator", "register", "r", "--flavor=acme_runner", "--login={{db.user}}", "--password={{db.password}}", "--token={{api#a.b}}"],
    ]);
    // A remote orchestrator cannot reach a store on this machine: so says the stack when it is made.
    const refused = await home.run(["stack", "register", "s", "-x", "m", "--orchestrator=r"]);
    expect(refused.status).toBe(10);
    expect(refused.stderr).toMatch(/"r".*acme_runner.*"m".*local|"m".*local.*"r".*acme_runner/s);
    writeFileSync(join(home.path, "runner.mjs"), RUNNER.replace('"remote"', '"local"'));
    const registered = await home.succeed(["stack", "register", "s", "-x", "m", "--orchestrator=r"]);
    expect(registered.stderr).toMatch(
      /warning: The stack "s" refers to what does not exist: the key "password" of the secret "db".*; the secret "api"/,
    );
    const invalid = await home.run(["stack", "validate", "s"]);
    expect([invalid.status, invalid.stderr]).toEqual([3, expect.stringContaining("coffer stack register-secrets s asks for them")]);
    expect((await home.run(["stack", "validate", "s"], { env: { COFFER_SECRET_VALIDATION_LEVEL: "NONE" } })).status).toBe(0);
    const asked = await atTerminal(
      home,
      ["stack", "register-secrets", "s"],
      [
        { expect: "a.b (text, required): ", send: "\r" },
        { expect: '"a.b" is required.', send: `${CANARY}\r` },
        { expect: "password (text, required): ", send: `${CANARY}\r` },
        { expect: "user (text, Enter keeps the current value): ", send: "\r" },
      ],
    );
    expect(asked.status, asked.output).toBe(0);
    expect(asked.output).not.toContain(CANARY);
    const get = async (name: string): Promise<unknown> =>
      JSON.parse((await home.succeed(["secret", "get", name, "--stack=s", "--output=json"])).stdout);
    expect(await get("db")).toMatchObject({ schema: "mysql", content: { user: "etl", password: CANARY, ssl_verify_server_cert: false } });
    expect(await get("api")).toMatchObject({ schema: "arbitrary", content: { "a.b": CANARY } });
    expect((await home.run(["stack", "validate", "s"])).status).toBe(0);
    const again = await atTerminal(home, ["stack", "register-secrets", "s", "--skip-existing"], []);
    expect(again.output).toContain("Every secret that the stack refers to is there");
  });
});

describe("a project", () => {
  test("T100, T101, T102, T103, T105, T106: a hostile folder runs nothing and sends nothing; one line on stderr says that it is ignored", async () => {
    const home = new Home();
    const project = join(home.path, "hostile");
    const marker = join(home.path, "marker");
    const touch = `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(marker)}, "");`;
    for (const name of ["@coffer/vault", "@evil/coffer-flavor"]) {
      const folder = join(project, "node_modules", name);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "index.js"), touch);
      const manifest = { specVersion: 1, entry: "./index.js", flavors: [{ type: "secrets_manager", name: "vault" }], schemas: ["mysql"] };
      writeFileSync(join(folder, "package.json"), JSON.stringify({ name, version: "1.0.0", type: "module", coffer: manifest }));
    }
    writeFileSync(join(project, "package.json"), JSON.stringify({ dependencies: { "@coffer/vault": "1", "@evil/coffer-flavor": "1" } }));
    writeFileSync(join(project, "module.mjs"), touch);
    writeFileSync(join(project, ".env"), "VAULT_ADDR=http://127.0.0.1:9\nNODE_OPTIONS=--require=./module.mjs\nCOFFER_STACK=default\n");
    for (const tool of ["git", "node", "vault", "npm"]) {
      writeFileSync(join(project, tool), `#!/bin/sh\ntouch '${marker}'\n`);
      chmodSync(join(project, tool), 0o755);
    }
    writeFileSync(
      join(project, "coffer.json"),
      JSON.stringify({
        version: 1,
        trusted: true,
        modules: ["./module.mjs", "../../evil.mjs"],
        components: [
          {
            type: "secrets_manager",
            name: "default",
            id: "11111111-1111-4111-8111-111111111111",
            flavor: "vault",
            settings: { address: "http://127.0.0.1:9" },
          },
        ],
        stacks: [{ name: "default", secrets_manager: "default" }],
      }),
    );
    const env = { PATH: `.:${process.env["PATH"] ?? ""}` };
    for (const command of [
      ["secret", "list"],
      ["secret", "register", `s-${Math.random()}`.replace(".", ""), "--k=v", "--no-warn"],
      ["stack", "list"],
      ["secrets-manager", "describe"],
      ["schema", "describe", "mysql"],
      ["secrets-manager", "flavor", "list"],
      ["doctor"],
    ]) {
      const { status, stderr } = await home.run(command, { cwd: project, env });
      expect({ command, status }).toEqual({ command, status: 0 });
      const lines = stderr.split("\n").filter((line) => line.includes("coffer.json"));
      expect(lines.length).toBe(1);
      for (const line of lines) expect(line).toMatch(/is not trusted and is ignored\. Look at it, then: coffer trust$/);
    }
    expect(existsSync(marker)).toBe(false);
    // Nobody can even be talked into trusting a way out of the project.
    const trust = await home.run(["trust", "--yes"], { cwd: project, env });
    expect(trust.status).toBe(8);
    expect(trust.stderr).toContain("../../evil.mjs");
    expect(existsSync(marker)).toBe(false);
  });

  test("T104: after `coffer trust` it counts, its module runs when it is needed, and one changed byte in either asks again", async () => {
    const home = new Home();
    const project = join(home.path, "project");
    mkdirSync(join(project, "deep/down"), { recursive: true });
    const marker = join(home.path, "marker");
    writeFileSync(
      join(project, "schemas.mjs"),
      `import { appendFileSync } from "node:fs"; appendFileSync(${JSON.stringify(marker)}, "x");
export const ours = { type: "ours", fields: undefined };\n`,
    );
    await home.succeed(["init"], { cwd: project });
    const file = join(project, "coffer.json");
    writeFileSync(file, readFileSync(file, "utf8").replace('"version": 1', '"version": 1,\n  "modules": ["./schemas.mjs"]'));
    await succeed(home, [["trust", "--yes"]], project);
    await succeed(
      home,
      [
        ["secrets-manager", "register", "shared", "--flavor=local", "--project"],
        ["stack", "register", "ours", "-x", "shared", "--project"],
        ["stack", "set", "ours"],
      ],
      project,
    );
    const deep = join(project, "deep/down");
    // Commands that need nothing of the module do not run it.
    await home.succeed(["secret", "list"], { cwd: deep });
    expect(existsSync(marker)).toBe(false);
    await home.succeed(["secret", "register", "a", "--schema=ours", "--k=v", "--no-warn"], { cwd: deep });
    expect(readFileSync(marker, "utf8")).toBe("x");
    expect((await home.succeed(["stack", "get"], { cwd: home.path })).stdout).toBe("default\n");
    for (const changed of [file, join(project, "schemas.mjs")]) {
      const before = readFileSync(changed);
      appendFileSync(changed, "\n");
      const { status, stdout, stderr } = await home.run(["secret", "list"], { cwd: deep });
      expect({ status, stdout }).toEqual({ status: 8, stdout: "" });
      expect(stderr).toMatch(/^note: .*has changed since it was trusted and is ignored[^\n]*\nerror: The active stack "ours" comes from/);
      expect((await home.run(["secret", "list", "--stack=default"], { cwd: deep })).status).toBe(0);
      writeFileSync(changed, before);
      await home.succeed(["secret", "list"], { cwd: deep });
    }
    expect(readFileSync(marker, "utf8")).toBe("x");
  });

  test.skipIf(!hasTerminal)(
    "T42: `coffer trust` shows what the file would do before it asks, control characters visible (skipped without python3)",
    async () => {
      const home = new Home();
      mkdirSync(join(home.path, "project"));
      writeFileSync(
        join(home.path, "project/coffer.json"),
        JSON.stringify({
          version: 1,
          components: [
            {
              type: "secrets_manager",
              name: "prod",
              id: "11111111-1111-4111-8111-111111111111",
              flavor: "vault",
              settings: { address: "https://evil.example\u001B[2K\u202E" },
            },
          ],
        }),
      );
      const script = `cd project && '${process.execPath}' "$0" trust`;
      const { cofferBin } = await import("./support/bundle.ts");
      const { terminalDialogue } = await import("./support/terminal.ts");
      const bin = await cofferBin();
      const { output, status } = await terminalDialogue(
        home,
        ["/bin/sh", "-c", script, bin],
        [{ expect: "Trust it, as it is now? [y/N] ", send: "n\r" }],
      );
      expect(status).toBe(0);
      expect(output).toContain("secrets manager  prod (vault) address=");
      expect(output).toContain("https://evil.example\\u001b[2K\\u202e");
      expect(output).toContain("It is not trusted, and stays ignored.");
    },
  );
});

describe("the files of definitions", () => {
  test("damaged, newer, of somebody else's making: a clear error, and not a byte changes", async () => {
    const home = new Home();
    await home.succeed(["secrets-manager", "register", "m", "--flavor=local"]);
    const file = configOf(home);
    for (const [content, status, message] of [
      [`{"version": 1, "components": [{"name": "${CANARY}"`, 9, /line 1, column/],
      [`{"version": 99, "components": "${CANARY}"}`, 10, /newer/],
      [`{"version": 1, "components": {"x": "${CANARY}"}}`, 9, /components: /],
      ["", 9, /config\.json/],
    ] as const) {
      writeFileSync(file, content);
      for (const command of [
        ["secret", "list"],
        ["secrets-manager", "register", "n", "--flavor=local"],
        ["stack", "list"],
      ]) {
        const run = await home.run(command);
        expect({ content, status: run.status, stdout: run.stdout }).toEqual({ content, status, stdout: "" });
        expect(run.stderr).toMatch(message);
        expect(run.stderr).not.toContain(CANARY);
        expect(run.stderr).not.toMatch(/ {4}at /);
      }
      expect(readFileSync(file, "utf8")).toBe(content);
      expect((await home.run(["doctor"])).status).not.toBe(0);
    }
  });

  test("twenty processes that register at once lose nothing, and unknown fields stay", async () => {
    const home = new Home();
    await home.succeed(["secrets-manager", "register", "first", "--flavor=local"]);
    const file = configOf(home);
    writeFileSync(file, readFileSync(file, "utf8").replace('"version": 1', '"version": 1,\n  "later": { "digits": 1.10 }'));
    await inPairs(Array.from({ length: 10 }), async (_nothing, index) => {
      const runs = [`a${index}`, `b${index}`].map((name) => home.succeed(["secrets-manager", "register", name, "--flavor=local"]));
      await Promise.all(runs);
    });
    const { components } = JSON.parse(readFileSync(file, "utf8")) as { components: { name: string }[] };
    expect(components.length).toBe(21);
    expect(readFileSync(file, "utf8")).toContain('"digits": 1.10');
  });
});

test("doctor says what is wrong, what mends it, and ends with a status that tells", async () => {
  const home = new Home();
  await succeed(home, [
    ["secrets-manager", "register", "m", "--flavor=local"],
    ["stack", "register", "s", "-x", "m"],
    ["stack", "set", "s"],
    ["secret", "register", "a", "--k=v", "--no-warn"],
  ]);
  expect((await home.succeed(["doctor", "--output=json"])).stdout).toContain('"healthy": true');
  const { stdout } = await home.succeed(["local", "status", "--output=json"]);
  chmodSync((JSON.parse(stdout) as { path: string }).path, 0o644);
  const sick = await home.run(["doctor", "--output=json"]);
  expect(sick.status).toBe(10);
  const { findings } = JSON.parse(sick.stdout) as { findings: { check: string; state: string; hint: string | null }[] };
  const problem = findings.find(({ state }) => state === "problem");
  expect(problem).toMatchObject({ check: "store", hint: expect.stringContaining("chmod") });
});
