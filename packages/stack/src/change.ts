import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { printable, type Registry, SecretsError } from "@coffer/core";
import { type Configuration, readConfiguration, type Surroundings } from "./configuration.ts";
import { stateDirectory } from "./directories.ts";
import { type DocumentKind, Draft, plainJson, readDocument, writeDocument } from "./document.ts";
import { withLock } from "./lock.ts";
import { digestOf, moduleNames } from "./project.ts";
import { ensureFolder, replaceFile, sweep } from "./write-file.ts";

/** Where an operation works, and which flavors it knows. */
export interface Where extends Surroundings {
  /** The registry of the process by default. */
  readonly registry?: Registry | undefined;
  /** The file: the user's by default for what is new, the one that defines it for what is there. */
  readonly in?: "user" | "project" | undefined;
}

/**
 * Changes the user's or the project's definitions: reads them again under a lock, lets `change` work on a draft, checks the whole, and replaces the file. What
 * `change` throws leaves it as it was.
 */
export async function changeDefinitions<Result>(
  origin: "user" | "project",
  where: Where,
  change: (draft: Draft, configuration: Configuration) => Promise<Result> | Result,
): Promise<Result> {
  const { configFile, project } = readConfiguration(where);
  if (origin === "user") return changeFile(configFile, "config", (draft) => change(draft, readConfiguration(where)));
  if (project === undefined) throw new SecretsError("not_found", "There is no project here.", { hint: "coffer init makes one." });
  const { folder, file } = project;
  return changeFile(
    file,
    "project",
    (draft) => {
      // Under the lock: what is not trusted now must not become trusted by being written.
      const configuration = readConfiguration(where);
      assertTrusted(configuration);
      // Somebody without the lock wrote between the two readings.
      if (!isDeepStrictEqual(plainJson(draft.document), { ...configuration.project?.document }))
        throw new SecretsError("conflict", `${printable(file)} was changed meanwhile. Nothing was written.`, { hint: "Try again." });
      draft.hashed.push(...(configuration.project?.modules ?? []));
      return change(draft, configuration);
    },
    // Killed just before this, the project counts as changed, and its user is asked once more.
    (text, draft) => changeState(where, (state) => trustedRecord(state, folder, digestOfDraft(text, draft, file))),
  );
}

/** The digest of what was written: of that text and of the modules as they were trusted, not of what lies on the disk by now. */
function digestOfDraft(text: string, draft: Draft, file: string): string {
  const names = moduleNames(draft.document, file);
  return digestOf(
    Buffer.from(text),
    names.flatMap((name) => draft.hashed.find((module) => module.name === name) ?? []),
  );
}

/** Changes the user's state. */
export async function changeState<Result>(where: Surroundings, change: (draft: Draft) => Result): Promise<Result> {
  return changeFile(join(stateDirectory(where.env ?? process.env), "state.json"), "state", change);
}

/** The record of a project in a draft of the state, made when it is missing. */
export function recordOf(draft: Draft, folder: string): Record<string, unknown> {
  const records = draft.list<Record<string, unknown>>("projects");
  let record = records.find(({ path }) => path === folder);
  if (record === undefined) records.push((record = { path: folder }));
  return record;
}

/** Writes into the state that this project counts as it is. */
export function trustedRecord(draft: Draft, folder: string, digest: string): void {
  recordOf(draft, folder)["trusted"] = digest;
}

/** @throws SecretsError `untrusted` */
export function assertTrusted({ project }: Configuration): void {
  if (project === undefined || project.status === "trusted") return;
  throw new SecretsError(
    "untrusted",
    `The project in ${printable(project.folder)} ${project.status === "new" ? "is not trusted" : "has changed since it was trusted"}.`,
    {
      hint: "Look at its coffer.json, then: coffer trust",
    },
  );
}

/**
 * Makes or changes one file under its lock.
 * @param written called with the new text once it is in its place, still under the lock
 */
export async function changeFile<Result>(
  path: string,
  kind: DocumentKind,
  change: (draft: Draft) => Promise<Result> | Result,
  written?: (text: string, draft: Draft) => Promise<void>,
): Promise<Result> {
  const privacy = kind === "project" ? "shared" : "private";
  ensureFolder(dirname(path), privacy);
  // A configuration that is linked into place (from a repository of dotfiles) stays linked.
  const real = kind !== "project" && existsSync(path) ? realpathSync(path) : path;
  return withLock(join(dirname(real), `.${basename(real)}.lock`), async (lock) => {
    sweep(real);
    const text = await readDocument(real, kind);
    const before = existsSync(real) ? JSON.stringify(text.document) : undefined;
    const draft = new Draft(text.document);
    const result = await change(draft);
    if (JSON.stringify(text.document) === before) return result;
    const content = await writeDocument(real, text, kind);
    replaceFile(real, content, privacy, lock.assertHeld);
    await written?.(content, draft);
    return result;
  });
}
