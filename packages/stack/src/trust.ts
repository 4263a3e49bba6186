import { SecretsError } from "@coffer/core";
import { changeState, recordOf, trustedRecord } from "./change.ts";
import { readConfiguration, type Surroundings } from "./configuration.ts";
import { documentProblems } from "./document.ts";
import { DEFAULT_NAME } from "./model.ts";
import { inspectProject, PROJECT_FILE } from "./project.ts";
import { isObject, misshapen } from "./source-file.ts";

/** What was trusted. */
export interface TrustReport {
  /** The directory of the project. */
  readonly folder: string;
  readonly file: string;
  /** The modules that it names: they may run from now on. */
  readonly modules: readonly string[];
  /** SHA-256 over the file and the modules. */
  readonly digest: string;
  /** The project's stack that is active in it now; `undefined` when the project has no stack called `default`, or the user had chosen one. */
  readonly activated: string | undefined;
}

/** Whether the project around a directory counts; `undefined` where there is none. */
export function isTrusted(surroundings: Surroundings = {}): boolean | undefined {
  const { project } = readConfiguration(surroundings);
  return project === undefined ? undefined : project.status === "trusted";
}

/**
 * Lets the project around a directory count, as it is now: one changed byte in its file or in a module that it names, or another place, and it does not any
 * more. When it has a stack called `default`, that becomes the active one in it.
 * @throws SecretsError `not_found`; `corrupt`, `unsupported` or `untrusted` for what nobody should trust
 */
export async function trustProject(surroundings: Surroundings = {}): Promise<TrustReport> {
  const { project } = readConfiguration(surroundings);
  if (project === undefined) throw new SecretsError("not_found", `There is no ${PROJECT_FILE} here.`, { hint: "coffer init makes one." });
  const { folder, file } = project;
  const { document, modules, digest } = inspectProject(folder);
  const problems = await documentProblems(document, "project");
  if (problems.length > 0) throw misshapen(file, ...problems);
  const hasDefault = ((document["stacks"] ?? []) as readonly { readonly name: string }[]).some(({ name }) => name === DEFAULT_NAME);
  const activated = await changeState(surroundings, (draft) => {
    trustedRecord(draft, folder, digest);
    const record = recordOf(draft, folder);
    if (!hasDefault || record["active"] !== undefined) return undefined;
    // Written down instead of implied: should the file change, commands stop instead of working with another stack.
    record["active"] = { stack: DEFAULT_NAME, origin: "project" };
    return DEFAULT_NAME;
  });
  return { folder, file, modules: modules.map(({ name }) => name), digest, activated };
}

/**
 * Takes the trust in a project back, and the choice of a stack of it.
 * @returns whether it was trusted
 */
export async function revokeTrust(surroundings: Surroundings = {}): Promise<boolean> {
  const { project } = readConfiguration(surroundings);
  if (project === undefined) return false;
  return changeState(surroundings, (draft) => {
    const record = recordOf(draft, project.folder);
    const wasTrusted = record["trusted"] !== undefined;
    delete record["trusted"];
    const active = record["active"];
    if (isObject(active) && active["origin"] === "project") delete record["active"];
    return wasTrusted;
  });
}
