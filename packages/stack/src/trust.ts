import { printable, SecretsError } from "@coffer/core";
import { changeState, recordOf, trustedRecord } from "./change.ts";
import { readConfiguration, type Surroundings } from "./configuration.ts";
import { documentProblems } from "./document.ts";
import { DEFAULT_NAME, type StoredComponent, type StoredStack } from "./model.ts";
import { inspectProject, type InspectedProject, PROJECT_FILE } from "./project.ts";
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

/** What a project would define, for whoever is asked to trust it. */
export interface ProjectPreview {
  readonly file: string;
  readonly components: readonly StoredComponent[];
  readonly stacks: readonly StoredStack[];
  /** The modules whose code would run. */
  readonly modules: readonly string[];
  /** Hand it to `trustProject`, so that nothing else is trusted than what was shown. */
  readonly digest: string;
}

/**
 * Looks into the project around a directory, whether or not it is trusted. Runs nothing.
 * @throws SecretsError `not_found`; `corrupt`, `unsupported` or `untrusted` for what nobody should trust
 */
export async function previewProject(surroundings: Surroundings = {}): Promise<ProjectPreview> {
  const { file, document, modules, digest } = await inspected(surroundings);
  // The form of the document was checked.
  const { components = [], stacks = [] } = document as { readonly components?: StoredComponent[]; readonly stacks?: StoredStack[] };
  return { file, components, stacks, modules: modules.map(({ name }) => name), digest };
}

/**
 * Lets the project around a directory count, as it is now: one changed byte in its file or in a module that it names, or another place, and it does not any
 * more. When it has a stack called `default`, that becomes the active one in it.
 * @param seen the digest of what its user has seen; anything else is refused
 * @throws SecretsError `not_found`; `corrupt`, `unsupported` or `untrusted` for what nobody should trust; `conflict` when it is not what was seen
 */
export async function trustProject(surroundings: Surroundings = {}, seen?: string): Promise<TrustReport> {
  const { folder, file, document, modules, digest } = await inspected(surroundings);
  if (seen !== undefined && seen !== digest)
    throw new SecretsError("conflict", `${printable(file)} has changed while you looked at it.`, { hint: "Look again: coffer trust" });
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

async function inspected(surroundings: Surroundings): Promise<InspectedProject & { readonly folder: string; readonly file: string }> {
  const { project } = readConfiguration(surroundings);
  if (project === undefined) throw new SecretsError("not_found", `There is no ${PROJECT_FILE} here.`, { hint: "coffer init makes one." });
  const { folder, file } = project;
  const found = inspectProject(folder);
  const problems = await documentProblems(found.document, "project");
  if (problems.length > 0) throw misshapen(file, ...problems);
  return { ...found, folder, file };
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
