import { SecretsError } from "@coffer/core";
import type { Where } from "./change.ts";
import { checkComponent } from "./component-check.ts";
import { registryFor } from "./components.ts";
import { type Configuration, entriesOf, findStack, readConfiguration } from "./configuration.ts";
import { documentProblems } from "./document.ts";
import { assertStackReachable } from "./locality.ts";
import type { StoredComponent } from "./model.ts";

/** Something that is wrong with the definitions, and the file it is in. */
export interface DefinitionProblem {
  readonly file: string | null;
  readonly problem: string;
}

/**
 * Checks all definitions that count, as a whole: the form of the files, components and their settings, what stacks refer to, the rule of local and remote.
 * Everything that is wrong is told at once; what a flavor that is not installed would say is not known.
 */
export async function checkDefinitions(where: Where = {}): Promise<DefinitionProblem[]> {
  const configuration = readConfiguration(where);
  const found = await Promise.all((["project", "user"] as const).map((origin) => checkFile(configuration, origin, where)));
  return found.flat();
}

async function checkFile(configuration: Configuration, origin: "project" | "user", where: Where): Promise<DefinitionProblem[]> {
  const { project, user, configFile } = configuration;
  const [document, file] = origin === "project" ? [project?.document, project?.file ?? null] : [user, configFile];
  if (document === undefined) return [];
  const form = await documentProblems(document, origin === "project" ? "project" : "config");
  if (form.length > 0) return form.map((problem) => ({ file, problem }));
  const registry = registryFor(configuration, where);
  const problems: DefinitionProblem[] = [];
  const collect = async (place: string, work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!SecretsError.isInstance(error)) throw error;
      problems.push({ file, problem: `${place}: ${error.message}` });
    }
  };
  for (const { value, place } of entriesOf(configuration, origin, "components")) {
    // The form of the document was checked.
    const component = value as unknown as StoredComponent;
    await collect(place, () => checkComponent(component, component.settings ?? {}, registry, origin));
  }
  for (const { value, place } of entriesOf(configuration, origin, "stacks"))
    await collect(place, () => assertStackReachable(findStack(configuration, String(value["name"]), [origin]), registry));
  return problems;
}
