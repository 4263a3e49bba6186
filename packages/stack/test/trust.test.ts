// A project's file never counts by itself. The commands on top show the same end to end.
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  describeStack,
  ignoredProject,
  initProject,
  isTrusted,
  listComponents,
  listStacks,
  modulesOf,
  openStack,
  previewProject,
  readConfiguration,
  registerComponent,
  registerStack,
  revokeTrust,
  setActiveStack,
  trustProject,
  updateComponent,
} from "../src/index.ts";
import { account, type Account, failure, makeFifo } from "./laboratory.ts";

const id = "0b0f6c0e-6f3a-4b6c-9d53-0d9d8a1c2e11";
const evil = {
  version: 1,
  trusted: true,
  active: { stack: "default", origin: "project" },
  projects: [{ path: "/", trusted: "0".repeat(64) }],
  modules: ["./evil.mjs"],
  components: [
    { type: "secrets_manager", name: "default", id, flavor: "vault", settings: { url: "http://attacker.example" } },
    { type: "secrets_manager", name: "team", id: "1b0f6c0e-6f3a-4b6c-9d53-0d9d8a1c2e11", flavor: "evil", settings: {} },
  ],
  stacks: [{ name: "default", secrets_manager: "default" }],
};

/** A checkout that somebody was told to enter. */
function hostile(): Account & { readonly marker: string } {
  const lab = account();
  const marker = join(lab.home, "marker");
  const code = `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(marker)}, "ran"); export default { specVersion: 1, name: "evil", flavors: [], schemas: [] };`;
  lab.write(join(lab.project, "coffer.json"), evil);
  lab.write(join(lab.project, "evil.mjs"), code);
  for (const name of ["@evil/coffer-flavor", "@coffer/vault", "@coffer/evil"]) {
    lab.write(join(lab.project, "node_modules", name, "index.js"), code);
    lab.write(join(lab.project, "node_modules", name, "package.json"), {
      name,
      version: "1.0.0",
      type: "module",
      exports: "./index.js",
      coffer: { specVersion: 1, entry: "./index.js", flavors: [{ type: "secrets_manager", name: "evil" }], schemas: [] },
    });
  }
  lab.write(join(lab.project, "package.json"), { name: "shop", dependencies: { "@evil/coffer-flavor": "*", "@coffer/vault": "*" } });
  lab.write(join(lab.project, ".env"), "VAULT_ADDR=http://attacker.example\nCOFFER_STACK=team\nCOFFER_CONFIG_DIR=.\n");
  return { ...lab, marker };
}

describe("a hostile project", () => {
  test("T100, T102, T103, T105 counts for nothing, whatever it says about itself: the default stack is used, no code runs, one line says so", async () => {
    const { where, project, marker } = hostile();
    const configuration = readConfiguration(where);
    expect(configuration.project).toEqual({ folder: project, file: join(project, "coffer.json"), status: "new" });
    expect(ignoredProject(configuration)).toBe(`${project}/coffer.json is not trusted and is ignored. Look at it, then: coffer trust`);
    expect(isTrusted(where)).toBe(false);
    expect(modulesOf(configuration)).toEqual([]);
    expect(listStacks(where).map(({ name, origin }) => [name, origin])).toEqual([["default", "default"]]);
    expect(listComponents("secrets_manager", where).map(({ name, flavor }) => [name, flavor])).toEqual([["default", "local"]]);
    await using stack = await openStack(where);
    expect(stack.secretsManager.flavor).toBe("local");
    expect(stack.ignoredProject).toBe(ignoredProject(configuration));
    await stack.secretsManager.registerSecret({ name: "db", values: { user: "etl" } });
    expect(existsSync(marker)).toBe(false);
  });

  test("a name that only the project could know is answered with the line", async () => {
    const { where } = hostile();
    expect(await failure(() => openStack({ ...where, name: "prod" }))).toMatchObject({
      code: "not_found",
      hint: expect.stringContaining("coffer trust") as unknown,
    });
  });

  test("cannot be written to, and cannot be registered into", async () => {
    const { where, project } = hostile();
    const before = readFileSync(join(project, "coffer.json"));
    expect(await failure(() => registerStack({ name: "x" }, { ...where, in: "project" }))).toMatchObject({ code: "untrusted" });
    expect(readFileSync(join(project, "coffer.json")).equals(before)).toBe(true);
  });

  test.skipIf(process.platform === "win32")("neither a FIFO nor a link nor damage holds anybody up", async () => {
    for (const plant of [
      makeFifo,
      (file: string): void => symlinkSync("/dev/zero", file),
      (file: string): void => writeFileSync(file, "{ not json canary"),
      (file: string): void => writeFileSync(file, '{"version": 99}'),
      (file: string): void => mkdirSync(file),
    ]) {
      const { where, project } = account();
      plant(join(project, "coffer.json"));
      expect(describeStack(undefined, where).name).toBe("default");
      const error = await failure(() => trustProject(where));
      expect(["corrupt", "unsupported", "permission_denied"]).toContain(error.code);
      expect(error.message).not.toContain("canary");
      expect(isTrusted(where)).toBe(false);
    }
  });

  test("T101 modules outside of the project are refused when it shall be trusted", async () => {
    for (const name of [
      "../x.mjs",
      "/etc/x.mjs",
      "./a/../../x.mjs",
      "file:///x.mjs",
      "data:text/javascript,1.mjs",
      "https://x/y.mjs",
      "@evil/coffer-flavor",
      "./x.js",
      "./a\\..\\x.mjs",
    ]) {
      const { where, project, write } = account();
      write(join(project, "coffer.json"), { version: 1, modules: [name] });
      expect(await failure(() => trustProject(where)), name).toMatchObject({ code: "untrusted" });
    }
    const { where, project, home, write } = account();
    write(join(home, "x.mjs"), "export {}");
    write(join(project, "coffer.json"), { version: 1, modules: ["./x.mjs"] });
    symlinkSync(join(home, "x.mjs"), join(project, "x.mjs"));
    expect(await failure(() => trustProject(where))).toMatchObject({
      code: "untrusted",
      hint: expect.stringContaining("symbolic link") as unknown,
    });
    rmSync(join(project, "x.mjs"));
    mkdirSync(join(project, "x.mjs"));
    expect(await failure(() => trustProject(where))).toMatchObject({ code: "permission_denied" });
  });
});

describe("trust", () => {
  const definitions = {
    version: 1,
    components: [
      { type: "secrets_manager", name: "team", id, flavor: "cloud", scope: "namespace", namespace: "shop", settings: { region: "eu" } },
    ],
    stacks: [
      { name: "default", secrets_manager: "team" },
      { name: "prod", secrets_manager: "team", orchestrator: "default" },
    ],
    modules: ["./coffer.schemas.mjs"],
  };
  function shop(): Account {
    const lab = account();
    lab.write(join(lab.project, "coffer.json"), definitions);
    lab.write(join(lab.project, "coffer.schemas.mjs"), "export {};\n");
    mkdirSync(join(lab.project, "src/deep"), { recursive: true });
    return lab;
  }

  test("a trusted project counts, from everywhere in it; its default stack is the active one there, and only there", async () => {
    const { where, project, home } = shop();
    const report = await trustProject({ ...where, cwd: join(project, "src/deep") });
    expect(report).toMatchObject({
      folder: project,
      file: join(project, "coffer.json"),
      modules: ["./coffer.schemas.mjs"],
      activated: "default",
    });
    expect(report.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(isTrusted(where)).toBe(true);
    expect(ignoredProject(readConfiguration(where))).toBeUndefined();
    expect(describeStack(undefined, { ...where, cwd: join(project, "src") })).toMatchObject({
      secretsManager: { name: "team", origin: "project" },
      origin: "project",
    });
    expect(describeStack("prod", where)).toMatchObject({ orchestrator: { origin: "default" }, file: join(project, "coffer.json") });
    expect(describeStack(undefined, { ...where, cwd: home })).toMatchObject({ secretsManager: { flavor: "local" }, origin: "default" });
    // Definitions only: nothing of this is in the project.
    expect(JSON.parse(readFileSync(join(project, "coffer.json"), "utf8"))).toEqual(definitions);
  });

  test("T104 one changed byte in the file or in a module that it names, and it is asked about again", async () => {
    for (const file of ["coffer.json", "coffer.schemas.mjs"]) {
      const { where, project } = shop();
      await trustProject(where);
      appendFileSync(join(project, file), " ");
      expect(isTrusted(where)).toBe(false);
      expect(ignoredProject(readConfiguration(where))).toContain("has changed since it was trusted");
      await trustProject(where);
      expect(isTrusted(where)).toBe(true);
      rmSync(join(project, file));
      expect(isTrusted(where)).not.toBe(true);
    }
  });

  test("T104 what is trusted is what was looked at, and looking runs nothing", async () => {
    const { where, project } = shop();
    const seen = await previewProject(where);
    expect(seen.modules).toEqual(["./coffer.schemas.mjs"]);
    appendFileSync(join(project, "coffer.json"), " ");
    expect(await failure(() => trustProject(where, seen.digest))).toMatchObject({ code: "conflict" });
    expect(isTrusted(where)).toBe(false);
    await trustProject(where, (await previewProject(where)).digest);
    expect(isTrusted(where)).toBe(true);
  });

  test("T104 after the change commands stop where the project's stack was active, instead of using another one", async () => {
    const { where, project } = shop();
    await trustProject(where);
    appendFileSync(join(project, "coffer.json"), " ");
    for (const call of [() => openStack(where), () => describeStack(undefined, where)]) {
      const error = await failure(call);
      expect(error).toMatchObject({ code: "untrusted", hint: expect.stringContaining("coffer trust") as unknown });
    }
    expect(describeStack("default", where).origin).toBe("default");
    // The user can go on without the project.
    await setActiveStack("default", where);
    expect(describeStack(undefined, where).origin).toBe("default");
  });

  test("T104 the trust is in one place: a copy of the project elsewhere is another one", async () => {
    const { where, project, home } = shop();
    await trustProject(where);
    cpSync(project, join(home, "work/copy"), { recursive: true });
    expect(isTrusted({ ...where, cwd: join(home, "work/copy") })).toBe(false);
    expect(isTrusted(where)).toBe(true);
    symlinkSync(project, join(home, "work/link"));
    expect(isTrusted({ ...where, cwd: join(home, "work/link") })).toBe(true);
  });

  test("can be taken back", async () => {
    const { where } = shop();
    expect(await revokeTrust(where)).toBe(false);
    await trustProject(where);
    expect(await revokeTrust(where)).toBe(true);
    expect(isTrusted(where)).toBe(false);
    expect(describeStack(undefined, where).origin).toBe("default");
  });

  test("the user's choice of a stack stays when the project is trusted", async () => {
    const { where } = shop();
    await trustProject(where);
    await setActiveStack("prod", where);
    await trustProject(where);
    expect(describeStack(undefined, where).name).toBe("prod");
  });

  test("a project's names win in it, and never redirect a stack of the user", async () => {
    const { where } = shop();
    await registerComponent({ type: "secrets_manager", name: "team", flavor: "cloud", settings: { region: "us" } }, where);
    await registerStack({ name: "mine", secretsManager: "team" }, where);
    await trustProject(where);
    expect(describeStack("mine", where).secretsManager).toMatchObject({ settings: { region: "us" }, origin: "user" });
    expect(describeStack("prod", where).secretsManager).toMatchObject({ settings: { region: "eu" }, origin: "project" });
    expect(listComponents("secrets_manager", where).find(({ name }) => name === "team")?.origin).toBe("project");
  });

  test("what we write into a trusted project stays trusted; nobody else's change rides along", async () => {
    const { where, project } = shop();
    await trustProject(where);
    await registerStack({ name: "test", secretsManager: "team" }, { ...where, in: "project" });
    expect(isTrusted(where)).toBe(true);
    // The file that defines a name is the one that is changed.
    await updateComponent("secrets_manager", "team", { settings: { retries: 2 } }, where);
    expect(isTrusted(where)).toBe(true);
    appendFileSync(join(project, "coffer.schemas.mjs"), "// changed\n");
    expect(await failure(() => registerStack({ name: "late" }, { ...where, in: "project" }))).toMatchObject({ code: "untrusted" });
    expect(isTrusted(where)).toBe(false);
  });

  test("nobody trusts what is not valid", async () => {
    const { where, project, write } = account();
    write(join(project, "coffer.json"), { version: 1, components: [{ type: "secrets_manager", name: "x" }] });
    const error = await failure(() => trustProject(where));
    expect(error).toMatchObject({ code: "corrupt" });
    expect(error.message).toContain("components[0].id");
  });
});

describe("init", () => {
  test("makes a file with the schema for editors, trusted, with nothing in it", async () => {
    const { where, project, json } = account();
    const report = await initProject(where);
    expect(report).toMatchObject({ folder: project, modules: [], activated: undefined });
    expect(json(join(project, "coffer.json"))).toEqual({
      $schema: "https://unpkg.com/@coffer/stack/schema/coffer.schema.json",
      version: 1,
      components: [],
      stacks: [],
    });
    expect(isTrusted(where)).toBe(true);
    expect(await failure(() => initProject(where))).toMatchObject({ code: "already_exists" });
  });

  test("the home directory and the root are no projects, and a file there counts in none", async () => {
    const { where, home, write } = account();
    expect(await failure(() => initProject({ ...where, cwd: home }))).toMatchObject({ code: "unsupported" });
    expect(await failure(() => initProject({ ...where, cwd: "/" }))).toMatchObject({ code: "unsupported" });
    write(join(home, "coffer.json"), evil);
    expect(readConfiguration(where).project).toBeUndefined();
  });

  test("the nearest file is the project's", async () => {
    const { where, project, home, write } = account();
    write(join(home, "work/coffer.json"), { version: 1 });
    expect(readConfiguration(where).project?.folder).toBe(join(home, "work"));
    write(join(project, "coffer.json"), { version: 1 });
    expect(readConfiguration(where).project?.folder).toBe(project);
  });
});
