import { SecretsError } from "@coffer/core";
import {
  activeChoice,
  checkDefinitions,
  type Component,
  type Configuration,
  currentStack,
  managerOpening,
  type StackDefinition,
} from "@coffer/stack";
import { about } from "../about.ts";
import type { Call } from "../command.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { InstalledRegistry } from "../integrations.ts";
import { StoreDialogue } from "../local-store.ts";
import { tableText } from "../output/table.ts";
import { printRecord } from "../output/write.ts";
import { withSession } from "../session.ts";
import { configurationOf, managerOf } from "../stack.ts";
import { originText } from "./component/name.ts";
import { scopeText } from "./component/shown.ts";
import { type Finding, lookAtService, problem } from "./doctor-service.ts";

/** Looks at everything that a command depends on, step by step, and says what is wrong and what mends it. Changes nothing. */
export async function run(call: Call, context: Context): Promise<number> {
  const findings: Finding[] = [];
  const note = (check: string, found: string, hint: string | null = null): void =>
    void findings.push({ check, state: hint === null ? "ok" : "note", found, hint });
  const look = async (check: string, work: () => Promise<string> | string): Promise<void> => {
    try {
      findings.push({ check, state: "ok", found: await work(), hint: null });
    } catch (error) {
      if (!SecretsError.isInstance(error) || error.code === "aborted") throw error;
      findings.push(problem(check, error));
    }
  };

  note("coffer", `${about.version} on Node ${context.nodeVersion}, from ${context.shortPath(context.packageFolder)}`);
  let configuration: Configuration | undefined;
  await look("configuration", () => {
    configuration = configurationOf(context);
    return context.shortPath(configuration.configFile) + (configuration.user === undefined ? " (none yet: the default stack is used)" : "");
  });
  if (configuration !== undefined) await lookAtStack(call, context, configuration, { findings, look, note });
  const registry = new InstalledRegistry(context);
  const problems = await registry.discover();
  const packages = new Set(registry.flavors().map((flavor) => flavor.package));
  note("integrations", [...packages].join(", "));
  for (const { package: name, reason } of problems)
    findings.push({ check: "integration", state: "problem", found: `${name}: ${reason}`, hint: "Update it, or tell its author." });

  const healthy = findings.every(({ state }) => state !== "problem");
  await printRecord(call, context, { healthy, findings }, () =>
    tableText(
      ["CHECK", "STATE", "FOUND"],
      findings.map(({ check, state, found, hint }) => [check, state, hint === null ? found : `${found}\n→ ${hint}`]),
    ),
  );
  return healthy ? EXIT.done : EXIT.setup;
}

/** Where findings are gathered. */
interface Findings {
  readonly findings: Finding[];
  look(check: string, work: () => Promise<string> | string): Promise<void>;
  note(check: string, found: string, hint?: string | null): void;
}

async function lookAtStack(call: Call, context: Context, configuration: Configuration, { findings, look, note }: Findings): Promise<void> {
  const { project } = configuration;
  if (project === undefined) note("project", "none here");
  else if (project.status === "trusted") note("project", `${context.shortPath(project.file)}, trusted`);
  else
    note(
      "project",
      `${context.shortPath(project.file)}, ${project.status === "new" ? "not trusted" : "changed since it was trusted"}: ignored`,
      "coffer trust",
    );
  await look("definitions", async () => {
    const problems = await checkDefinitions({ cwd: context.cwd, env: context.env, registry: new InstalledRegistry(context) });
    if (problems.length === 0) return "valid";
    throw new SecretsError(
      "invalid_settings",
      problems.map(({ file, problem }) => `${file === null ? "" : `${context.shortPath(file)}: `}${problem}`).join("\n"),
    );
  });
  let stack: StackDefinition | undefined;
  await look("stack", () => {
    stack = currentStack(configuration, call.options.value("stack"));
    const explicit = call.options.value("stack") ?? (context.env["COFFER_STACK"] || undefined);
    const why = explicit === undefined ? (activeChoice(configuration).origin === "default" ? "the default" : "active") : "asked for";
    return `${stack.name} (${why}), ${originText(context, stack)}`;
  });
  let manager: Component | undefined;
  await look("secrets manager", () => {
    manager = managerOf(call, configuration);
    return `${manager.name}, flavor ${manager.flavor}, scope ${scopeText(manager)}, ${originText(context, manager)}`;
  });
  if (manager === undefined) return;
  if (manager.flavor === "local") await look("store", () => storeText(context, managerOpening(manager as Component, context.env).settings));
  try {
    await withSession(call, context, async ({ manager: opened }) => {
      for await (const finding of lookAtService(opened, context.signal)) findings.push(finding);
    });
  } catch (error) {
    if (!SecretsError.isInstance(error) || error.code === "aborted") throw error;
    findings.push(problem(findings.some(({ check }) => check === "open") ? "close" : "open", error));
  }
}

async function storeText(context: Context, settings: Readonly<Record<string, unknown>>): Promise<string> {
  const { localStatus } = await import("@coffer/local");
  const { path, exists, protection, meaning } = await localStatus(new StoreDialogue(context, settings).settings(), {
    signal: context.signal,
  });
  return exists
    ? `${context.shortPath(path)}, protected by ${protection}. ${meaning}`
    : `${context.shortPath(path)}, not there yet; the first secret makes it`;
}
