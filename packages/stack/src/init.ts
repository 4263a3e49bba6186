import { existsSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { printable, SecretsError } from "@coffer/core";
import { changeFile, changeState, trustedRecord } from "./change.ts";
import type { Surroundings } from "./configuration.ts";
import { homeDirectory } from "./directories.ts";
import { digestOf, PROJECT_FILE } from "./project.ts";
import type { TrustReport } from "./trust.ts";

/**
 * Makes an empty `coffer.json` in a directory, and trusts it: nobody else has written it.
 * @throws SecretsError `already_exists`; `unsupported` in the home directory and the root
 */
export async function initProject(surroundings: Surroundings = {}): Promise<TrustReport> {
  const folder = realpathSync(resolve(surroundings.cwd ?? "."));
  const home = homeDirectory(surroundings.env ?? process.env);
  if (dirname(folder) === folder || (home !== undefined && existsSync(home) && realpathSync(home) === folder))
    throw new SecretsError(
      "unsupported",
      `${printable(folder)} cannot be a project: its ${PROJECT_FILE} would count in everything below.`,
      {
        hint: "Go to the directory of a project. For all projects: coffer stack register",
      },
    );
  const file = join(folder, PROJECT_FILE);
  let digest = "";
  await changeFile(
    file,
    "project",
    () => {
      if (existsSync(file))
        throw new SecretsError("already_exists", `There is already a ${printable(file)}.`, { hint: "Look at it, then: coffer trust" });
    },
    async (text) => {
      digest = digestOf(Buffer.from(text), []);
      await changeState(surroundings, (draft) => trustedRecord(draft, folder, digest));
    },
  );
  return { folder, file, modules: [], digest, activated: undefined };
}
