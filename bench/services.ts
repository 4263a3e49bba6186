import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Command, environment, ratioOfProcesses } from "./measure.ts";
import { type Service, SERVICES } from "./service-table.ts";

type Report = (measure: string, anchor: string, goal: number | undefined, ratio: number) => void;

/** How a service is reached that runs in another process. */
interface Reached {
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly env: Readonly<Record<string, string>>;
  /** The stored name of the secret `secret-0042`. */
  readonly storedName: string;
}

interface Options {
  readonly root: string;
  /** The folder of all files that are made. */
  readonly work: string;
  /** The built command line. */
  readonly bin: string;
  readonly pairs: number;
}

const LATENCY_MS = 20;
const SOURCES = "--conditions=@coffer/source";

/** What the services cost, through their integrations: reading a thousand values in a program, and one in a command. */
export async function services(options: Options, report: Report): Promise<void> {
  for (const service of SERVICES) {
    const folder = join(options.work, service.flavor);
    mkdirSync(folder);
    const emulator = fork(join(import.meta.dirname, "emulator.ts"), [service.title, folder], { execArgv: [SOURCES], env: environment });
    try {
      await measure(service, emulator, folder, options, report);
    } finally {
      emulator.disconnect();
    }
  }
}

async function measure(service: Service, emulator: ChildProcess, folder: string, options: Options, report: Report): Promise<void> {
  const { title, values, bareGoal } = service;
  const [message] = await once(emulator, "message");
  const reached = message as Reached;
  const program = (...args: readonly string[]): string =>
    execFileSync(
      process.execPath,
      [SOURCES, join(import.meta.dirname, "service-calls.ts"), args[0] ?? "", title, JSON.stringify(reached.settings), ...args.slice(1)],
      { env: { ...environment, ...reached.env }, stdio: ["ignore", "pipe", "inherit"] },
    ).toString();
  program("fill");

  const coffer = commandLine(service, reached, folder, options);
  const plain = plainScript(service, reached, folder, options.root);
  const bare: Command = { args: ["-e", "0"] };
  report(`secret get, ${title}`, "a plain script with the SDK", 0.9, ratioOfProcesses(coffer, plain, options.pairs));
  report(`secret get, ${title}`, "node -e 0", bareGoal, ratioOfProcesses(coffer, bare, options.pairs));
  report(`a plain script with the SDK, ${title}`, "node -e 0", undefined, ratioOfProcesses(plain, bare, options.pairs));

  emulator.send(LATENCY_MS);
  await once(emulator, "message");
  const anchor = values.anchor === "listing" ? "listing their names" : "reading one by one";
  report(`values of 1,000 secrets, ${title}, ${LATENCY_MS} ms`, anchor, values.goal, Number(program("values", String(options.pairs))));
}

/** `secret get` of a user who has installed the integration and made a stack on the service. */
function commandLine(
  { package: name, folder: integration, flavor }: Service,
  { settings, env }: Reached,
  folder: string,
  { root, bin }: Options,
): Command {
  const home = join(folder, "home");
  const installed = join(home, "config/coffer/integrations");
  mkdirSync(dirname(join(installed, "node_modules", name)), { recursive: true });
  writeFileSync(join(installed, "package.json"), JSON.stringify({ private: true, dependencies: { [name]: "*" } }));
  // As pnpm installs it: a link to where its own dependencies lie beside it.
  symlinkSync(join(root, integration), join(installed, "node_modules", name));
  const own = {
    ...env,
    HOME: home,
    XDG_CACHE_HOME: join(home, "cache"),
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_DATA_HOME: join(home, "data"),
    XDG_STATE_HOME: join(home, "state"),
    COFFER_NO_WARN: "1",
  };
  const coffer = (...args: readonly string[]): void =>
    void execFileSync(process.execPath, [bin, ...args], { env: { ...environment, ...own }, stdio: ["ignore", "ignore", "pipe"] });
  // After two dashes, because some have the names of options.
  const given = Object.entries(settings).map(([setting, value]) => `--${setting}=${String(value)}`);
  coffer("secrets-manager", "register", "service", `--flavor=${flavor}`, "--", ...given);
  coffer("stack", "register", "work", "--secrets-manager=service");
  coffer("stack", "set", "work");
  return { args: [bin, "secret", "get", "secret-0042"], env: own };
}

/** What the user would have written without Coffer, with the same version of the SDK. */
function plainScript({ sdks, folder: integration, plain }: Service, { env, storedName }: Reached, folder: string, root: string): Command {
  const project = join(folder, "plain");
  for (const name of sdks) {
    mkdirSync(dirname(join(project, "node_modules", name)), { recursive: true });
    symlinkSync(realpathSync(join(root, integration, "node_modules", name)), join(project, "node_modules", name));
  }
  const script = join(project, "plain.mjs");
  writeFileSync(script, plain);
  return { args: [script, storedName], env };
}
