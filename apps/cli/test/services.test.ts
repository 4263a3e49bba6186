// The command line on a service, from the sources as a developer of an integration runs it: the whole way from argv to the wire and back.
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Home, runProcess, type Finished, type RunOptions } from "./support/home.ts";
import { type RunningService, type Service, SERVICES } from "./support/services.ts";

const ENTRY = join(import.meta.dirname, "../src/dev.ts");
const CANARY = "cAnArY-5d1c77-service";

/** A home whose active stack keeps its secrets in a service. */
class Desk {
  readonly service: RunningService;
  readonly #home: Home;

  private constructor(home: Home, service: RunningService) {
    this.#home = home;
    this.service = service;
  }

  static async at(
    { flavor, start }: Pick<Service, "flavor" | "start">,
    scope: readonly string[] = ["--scope=namespace", "--namespace=team-a"],
  ): Promise<Desk> {
    const home = new Home();
    const service = await start(home.path);
    onTestFinished(() => service.stop());
    const desk = new Desk(home, service);
    const settings = Object.entries(service.settings).map(([name, value]) => `--${name}=${value}`);
    await desk.succeed(["secrets-manager", "register", "production", `--flavor=${flavor}`, ...settings, ...scope]);
    await desk.succeed(["stack", "register", "live", "-x", "production"]);
    await desk.succeed(["stack", "set", "live"]);
    return desk;
  }

  /** Runs a command, and looks that it shows no credential. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const env = { ...this.#home.env, ...this.service.env, ...options.env };
    const command = [process.execPath, "--conditions=@coffer/source", ENTRY, ...args];
    const finished = await runProcess(command, { ...options, env, cwd: this.#home.path });
    const shown = this.service.credentials.filter((credential) => `${finished.stdout}${finished.stderr}`.includes(credential));
    if (shown.length > 0) throw new Error(`coffer ${args.join(" ")} shows a credential`);
    return finished;
  }

  async succeed(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { status, stdout, stderr } = await this.run(args, options);
    if (status !== 0) throw new Error(`coffer ${args.join(" ")} ended with ${status}: ${stderr}`);
    return stdout;
  }

  async json<Result>(...args: string[]): Promise<Result> {
    return JSON.parse(await this.succeed([...args, "--output=json"])) as Result;
  }

  /** What `coffer doctor` finds of the service. */
  async doctor(
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly status: number | null; readonly found: readonly Finding[] }> {
    const { status, stdout } = await this.run(["doctor", "--output=json"], { env });
    const { findings } = JSON.parse(stdout) as { readonly findings: readonly Finding[] };
    return { status, found: findings.slice(findings.findIndex(({ check }) => check === "open")) };
  }
}

interface Finding {
  readonly check: string;
  readonly state: string;
  readonly found: string;
  readonly hint: string | null;
}

const REVISIONS_LOST = { lost: ["older revisions, if any"] };

const register = (value: string): readonly string[] => ["secret", "register", "db", `--k=${value}`, "--no-warn"];

describe.each(SERVICES)("46: $flavor", (service) => {
  test(
    "every command of `coffer secret`: store, read, list, change, look back, rename, copy to this machine and back",
    { timeout: 120_000 },
    async () => {
      const desk = await Desk.at(service);
      await desk.succeed([
        "secret",
        "register",
        "db",
        "--schema=mysql",
        `--password=${CANARY}`,
        "--ssl_verify_server_cert=yes",
        "--no-warn",
      ]);
      const content = { password: CANARY, ssl_verify_server_cert: true };
      expect(await desk.json("secret", "get", "db")).toMatchObject({ schema: "mysql", content });
      expect(await desk.json("secret", "list")).toMatchObject([{ name: "db" }]);
      const taken = await desk.run(["secret", "register", "db", "--k=v", "--no-warn"]);
      expect(taken).toMatchObject({ status: 4, stdout: "", stderr: expect.stringContaining("coffer secret update db") });
      expect((await desk.run(["secret", "get", "nothing"])).status).toBe(3);
      expect((await desk.run(["secret", "update", "nothing", "--k=v", "--no-warn"])).status).toBe(3);

      await desk.succeed(["secret", "update", "db", "--user=etl", "--no-warn"]);
      expect(await desk.succeed(["secret", "get", "db", "--key=user"])).toBe("etl");
      const revisions = await desk.json<readonly { readonly revision: string; readonly current: boolean }[]>("secret", "history", "db");
      expect(revisions.map(({ current }) => current)).toEqual([true, false]);
      await desk.succeed(["secret", "rollback", "db", revisions[1]?.revision ?? ""]);
      expect((await desk.json<{ readonly content: unknown }>("secret", "get", "db")).content).toEqual(content);
      expect(await desk.json("secret", "history", "db")).toHaveLength(3);

      expect(await desk.json("secret", "rename", "db", "team/warehouse")).toMatchObject({
        from: "db",
        name: "team/warehouse",
        ...REVISIONS_LOST,
      });
      expect((await desk.run(["secret", "get", "db"])).status).toBe(3);
      expect(await desk.json("secret", "copy", "team/warehouse", "--to=default")).toMatchObject(REVISIONS_LOST);
      expect(await desk.json("secret", "copy", "team/warehouse", "back", "--stack=default", "--to=production")).toMatchObject(
        REVISIONS_LOST,
      );
      expect(await desk.json("secret", "get", "back")).toMatchObject({ schema: "mysql", content });
      const multiline = "-----BEGIN X-----\nÜ…\n\n";
      await desk.succeed(["secret", "register", "pem", "--k=@-", "--no-warn"], { input: multiline });
      expect(await desk.succeed(["secret", "get", "pem", "--key=k"])).toBe(multiline);

      expect(await desk.json("secret", "cleanup", "--yes", "--immediate")).toEqual({ deleted: 3 });
      expect(await desk.json("secret", "list")).toEqual([]);
      expect((await desk.run(["secret", "get", "pem"])).status).toBe(3);
    },
  );

  test("T98: SIGINT ends a command that waits for the service, with one word and status 130", { timeout: 120_000 }, async () => {
    const desk = await Desk.at(service);
    const { server } = desk.service;
    server.faults.inject({ kind: "hang" });
    const before = server.count();
    const meanwhile = async (child: ChildProcess): Promise<void> => {
      await vi.waitUntil(() => server.count() > before, { timeout: 60_000 });
      child.kill("SIGINT");
    };
    expect(await desk.run(["secret", "get", "db"], { meanwhile })).toMatchObject({ status: 130, stdout: "", stderr: "Stopped.\n" });
  });

  test("`secret delete --immediate` frees the name", { timeout: 120_000 }, async () => {
    const desk = await Desk.at(service);
    await desk.succeed(register("first"));
    await desk.succeed(["secret", "delete", "db", "--yes", "--immediate"]);
    expect((await desk.run(["secret", "get", "db"])).status).toBe(3);
    await desk.succeed(register("second"));
    expect(await desk.succeed(["secret", "get", "db", "--key=k"])).toBe("second");
  });

  test(
    "`coffer doctor` looks at reach, identity and permissions, and says what is missing as the service says it",
    { timeout: 120_000 },
    async () => {
      const desk = await Desk.at(service);
      const step = (check: string, state = "ok"): object => expect.objectContaining({ check, state });
      const reached = [step("open"), step("reach")];
      const rest = step("integrations");
      expect(await desk.doctor()).toEqual({
        status: 0,
        found: [...reached, step("identity"), step("read"), step("list"), step("write", "note"), rest],
      });

      const { faults } = desk.service.server;
      const missing = (check: string, { permission, grant }: Service["reading"]): object => ({
        check,
        state: "problem",
        found: expect.stringContaining(permission),
        hint: expect.stringContaining(grant),
      });
      const [unread, unlisted] = [missing("read", service.reading), missing("list", service.listing)];
      for (const [permission, read, list] of [
        [undefined, unread, unlisted],
        [service.reading.permission, unread, step("list")],
        [service.listing.permission, step("read"), unlisted],
      ] as const) {
        faults.inject({ kind: "deny", ...(permission === undefined ? {} : { permission }) });
        expect(await desk.doctor()).toEqual({
          status: 10,
          found: [...reached, step("identity"), read, list, step("write", "note"), rest],
        });
      }
      faults.inject({ kind: "deny" });
      const get = await desk.run(["secret", "get", "db"]);
      expect(get).toMatchObject({ status: 6, stdout: "", stderr: expect.stringContaining(service.reading.permission) });
      faults.heal();

      const stranger = await desk.doctor(desk.service.wrongEnv);
      const identity = { check: "identity", state: "problem", found: expect.any(String), hint: expect.stringContaining(service.signIn) };
      expect(stranger).toEqual({ status: 10, found: [...(service.looksAtCredentials ? reached : [step("open")]), identity, rest] });

      const host = new URL(desk.service.server.url).host;
      await desk.service.disconnect();
      const reach = {
        check: "reach",
        state: "problem",
        found: expect.stringContaining(`${host} cannot be reached`),
        hint: expect.any(String),
      };
      expect(await desk.doctor()).toEqual({ status: 10, found: [step("open"), reach, rest] });
    },
  );
});

test.each(SERVICES)("on $flavor a secret of another tool is read and copied, and left as it is", { timeout: 120_000 }, async (service) => {
  const desk = await Desk.at(service, ["--scope=none"]);
  desk.service.plant("plain", "just a password");
  desk.service.plant("rds", '{"username":"admin","port":3306,"nested":{"a":[1]}}');
  expect(await desk.json("secret", "get", "plain")).toMatchObject({ schema: "arbitrary", content: { value: "just a password" } });
  const content = { username: "admin", port: "3306", nested: '{"a":[1]}' };
  expect(await desk.json("secret", "get", "rds")).toMatchObject({ content });
  const change = await desk.run(["secret", "update", "rds", "--port=1", "--no-warn"]);
  expect(change).toMatchObject({ status: 4, stdout: "", stderr: expect.stringContaining("coffer secret copy rds NEW_NAME") });
  expect(change.stderr).toContain("coffer secret update rds --adopt");
  await desk.succeed(["secret", "copy", "rds", "ours"]);
  await desk.succeed(["secret", "update", "ours", "--port=1", "--no-warn"]);
  expect(await desk.json("secret", "get", "ours")).toMatchObject({ content: { ...content, port: "1" } });
  expect(await desk.json("secret", "cleanup", "--yes")).toEqual({ deleted: 1 });
  expect(await desk.json("secret", "get", "rds")).toMatchObject({ content });
  await desk.succeed(["secret", "update", "rds", "--adopt", "--port=2", "--no-warn"]);
  await desk.succeed(["secret", "update", "rds", "--port=3", "--no-warn"]);
  expect(await desk.json("secret", "get", "rds")).toMatchObject({ content: { ...content, port: "3" } });
});

test.each(SERVICES.filter(({ alias }) => alias !== undefined))(
  "47: $alias is another name of $flavor",
  async ({ flavor, alias = "", start }) => {
    const desk = await Desk.at({ flavor: alias, start });
    expect(await desk.json("secrets-manager", "describe", "production")).toMatchObject({ flavor });
  },
);

async function withDeleted(service: Service): Promise<Desk> {
  const desk = await Desk.at(service);
  await desk.succeed(register("first"));
  await desk.succeed(["secret", "delete", "db", "--yes"]);
  return desk;
}

test.each(SERVICES.filter(({ deletesSoftly }) => deletesSoftly))(
  "T89: $flavor keeps the name of a deleted secret, and every way out that is named works",
  { timeout: 120_000 },
  async (service) => {
    const desk = await withDeleted(service);
    expect((await desk.run(["secret", "get", "db"])).status).toBe(3);
    expect((await desk.run(["secret", "delete", "db", "--yes"])).status).toBe(3);
    const again = await desk.run(register("second"));
    expect(again).toMatchObject({ status: 4, stdout: "", stderr: expect.stringContaining("coffer secret restore db") });
    expect(again.stderr).toContain("coffer secret register db --on-deleted=restore");
    await desk.succeed(["secret", "restore", "db"]);
    expect(await desk.succeed(["secret", "get", "db", "--key=k"])).toBe("first");
    expect((await desk.run(["secret", "restore", "db"])).status).not.toBe(0);
    await desk.succeed(["secret", "delete", "db", "--yes"]);
    await desk.succeed([...register("second"), "--on-deleted=restore"]);
    expect(await desk.succeed(["secret", "get", "db", "--key=k"])).toBe("second");
  },
);

test.each(SERVICES.filter(({ deletesSoftly }) => !deletesSoftly))(
  "T89: $flavor deletes at once: the name is free, and `secret restore` says that there is nothing to bring back",
  { timeout: 120_000 },
  async (service) => {
    const desk = await withDeleted(service);
    const restored = await desk.run(["secret", "restore", "db"]);
    expect(restored).toMatchObject({ status: 10, stdout: "", stderr: expect.stringContaining("nothing can be restored") });
    await desk.succeed(register("second"));
    expect(await desk.succeed(["secret", "get", "db", "--key=k"])).toBe("second");
  },
);

test("`coffer doctor` does not say of a service that it answers and accepts the credentials when nothing was sent to it", async () => {
  const service = SERVICES.find(({ flavor }) => flavor === "vault");
  if (service === undefined) throw new Error("There is no Vault.");
  const desk = await Desk.at({
    flavor: service.flavor,
    start: async (folder) => {
      const running = await service.start(folder);
      return { ...running, settings: { ...running.settings, kv_version: 2, token_file: join(folder, "absent") } };
    },
  });
  const { found } = await desk.doctor();
  expect(found.map(({ check, state }) => `${check}: ${state}`)).toEqual(["open: ok", "identity: problem", "integrations: ok"]);
  expect(desk.service.server.count()).toBe(0);
});
