import { existsSync, realpathSync } from "node:fs";
import { relative, resolve } from "node:path";
import { globalRegistry, printable, SecretsError } from "@coffer/core";
import { changeDefinitions, type Where } from "./change.ts";
import { readConfiguration } from "./configuration.ts";
import { readBytes } from "./source-file.ts";
import { importModule, ModuleRegistry, modulesOf } from "./modules.ts";
import { hashOf, modulePath, type NamedModule } from "./project.ts";

/** What a module brings that was registered. */
export interface ModuleReport {
  /** As it is written down. */
  readonly module: string;
  readonly flavors: readonly { readonly type: string; readonly name: string }[];
  readonly schemas: readonly string[];
}

/**
 * Makes the flavors and schemas of a module known from now on: in the user's configuration by its absolute path, in a project by its path inside it. The module
 * is imported, to see what it brings: whoever registers it trusts it.
 * @param source a path, relative to the working directory
 * @throws SecretsError `not_found`, `invalid_settings` when it cannot be loaded or brings nothing, `already_exists` for a flavor or schema that is known,
 * `untrusted` for a path outside the project
 */
export async function registerModule(source: string, where: Where = {}): Promise<ModuleReport> {
  const origin = where.in ?? "user";
  const { project } = readConfiguration(where);
  const path = resolve(where.cwd ?? ".", source);
  if (!existsSync(path))
    throw new SecretsError("not_found", `There is no module ${printable(source)}.`, {
      hint: "Give the path of a file. Flavors of npm packages need none: install the package, and it is found.",
    });
  const real = realpathSync(path);
  let module: NamedModule = { name: real, path: real, hash: undefined };
  if (origin === "project" && project !== undefined) {
    const name = `./${relative(project.folder, path).replaceAll("\\", "/")}`;
    const inside = modulePath(project.folder, name);
    const bytes = readBytes(inside, { follow: false });
    module = { name, path: inside, hash: bytes === undefined ? undefined : hashOf(bytes) };
  }
  return changeDefinitions(origin, where, async (draft, configuration) => {
    const registry = new ModuleRegistry(where.registry ?? globalRegistry(), modulesOf(configuration));
    await registry.load();
    const { flavors, schemas } = await importModule(module);
    if (flavors.length + schemas.length === 0)
      throw new SecretsError("invalid_settings", `The module ${printable(source)} exports neither a flavor nor a secret schema.`, {
        hint: "Export what defineFlavor or defineSecretSchema returns, or an integration as the default export.",
      });
    const known = [
      ...flavors
        .filter(({ type, name }) => registry.flavors().some((other) => other.type === type && other.name === name))
        .map(({ name }) => `the flavor ${name}`),
      ...schemas.filter(({ type }) => registry.schemas().some((other) => other.type === type)).map(({ type }) => `the schema ${type}`),
    ];
    if (known.length > 0 || draft.modules.includes(module.name))
      throw new SecretsError(
        "already_exists",
        `The module ${printable(source)} brings what is known already: ${known.map(printable).join(", ") || "it is registered"}.`,
        {
          hint: "Give it another name in the module, or remove the other one.",
        },
      );
    draft.modules.push(module.name);
    draft.hashed.push(module);
    return { module: module.name, flavors: flavors.map(({ type, name }) => ({ type, name })), schemas: schemas.map(({ type }) => type) };
  });
}
