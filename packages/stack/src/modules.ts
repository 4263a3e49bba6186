import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import {
  type ComponentFlavor,
  type FlavorEntry,
  type Integration,
  type LazySecretSchema,
  printable,
  Registry,
  type SchemaEntry,
  type SecretSchema,
  SecretsError,
} from "@coffer/core";
import type { Configuration } from "./configuration.ts";
import { isOpenable } from "./flavors.ts";
import { COMPONENT_TYPES } from "./model.ts";
import { hashOf, moduleNames, type NamedModule } from "./project.ts";

/** The modules that count: those of a trusted project, and those that the user has registered. */
export function modulesOf({ project, user, configFile }: Configuration): NamedModule[] {
  const own = user === undefined ? [] : moduleNames(user, configFile).map((path) => ({ name: path, path, hash: undefined }));
  return [...(project?.modules ?? []), ...own];
}

/** A registry that also knows what the modules bring. They are imported when something is asked for that is known nowhere else. */
export class ModuleRegistry extends Registry {
  readonly #base: Registry;
  readonly #modules: readonly NamedModule[];
  #loading: Promise<void> | undefined;

  constructor(base: Registry, modules: readonly NamedModule[]) {
    super();
    this.#base = base;
    this.#modules = modules;
  }

  /**
   * Imports the modules, once.
   * @throws SecretsError `untrusted` when one is not what was trusted, `invalid_settings` when it cannot be used
   */
  load(): Promise<void> {
    return (this.#loading ??= this.#load());
  }

  async #load(): Promise<void> {
    // What one module exports again of another is there once.
    const seen = new Set<object>();
    const isNew = (value: object): boolean => !seen.has(value) && seen.add(value).has(value);
    // All of them before the first runs: they may import each other.
    for (const module of this.#modules) guard(module);
    for (const module of this.#modules) {
      const { flavors, schemas } = await importModule(module);
      this.add({ specVersion: 1, name: module.name, flavors: flavors.filter(isNew), schemas: schemas.filter(isNew) });
    }
  }

  override async flavor(type: ComponentFlavor["type"], name: string): Promise<ComponentFlavor> {
    try {
      return await this.#base.flavor(type, name);
    } catch (error) {
      // The flavors called `local` are Coffer's own: no module has to run to say that one is not installed.
      const isOurs = this.#modules.length === 0 || name === "local";
      if (isOurs || !SecretsError.isInstance(error) || error.code !== "unknown_flavor") throw error;
      await this.load();
      if (super.flavors().some((flavor) => flavor.type === type && [flavor.name, ...flavor.aliases].includes(name)))
        return super.flavor(type, name);
      throw error;
    }
  }

  override async schema(type: string): Promise<SecretSchema | undefined> {
    const schema = await this.#base.schema(type);
    if (schema !== undefined || this.#modules.length === 0) return schema;
    await this.load();
    return super.schema(type);
  }

  override async requireSchema(type: string): Promise<SecretSchema> {
    return (await this.schema(type)) ?? this.#base.requireSchema(type);
  }

  /** What is known so far; `load` makes the modules known. */
  override flavors(): FlavorEntry[] {
    return [...this.#base.flavors(), ...super.flavors()];
  }

  override schemas(): SchemaEntry[] {
    return [...this.#base.schemas(), ...super.schemas().filter(({ package: from }) => from === null)];
  }
}

/**
 * Imports a module and picks the flavors and schemas that it exports: by name, or in an integration as its default export.
 * @throws SecretsError `untrusted`, `invalid_settings`
 */
export async function importModule(module: NamedModule): Promise<Pick<Integration, "flavors" | "schemas">> {
  const { name, path } = module;
  guard(module);
  let exports: Readonly<Record<string, unknown>>;
  try {
    exports = (await import(pathToFileURL(path).href)) as typeof exports;
  } catch (error) {
    if (SecretsError.isInstance(error)) throw error;
    const cause = error instanceof Error ? { name: error.name } : undefined;
    throw new SecretsError("invalid_settings", `The module ${printable(name)} could not be loaded.`, {
      hint: `Run it to see why: node ${printable(path)}. It may import installed packages and modules that are named beside it.`,
      cause,
      raw: error,
    });
  }
  const flavors: ComponentFlavor[] = [];
  const schemas: (SecretSchema | LazySecretSchema)[] = [];
  for (const value of Object.values(exports)) {
    if (typeof value !== "object" || value === null) continue;
    if (isIntegration(value)) {
      flavors.push(...value.flavors);
      schemas.push(...value.schemas);
    } else if (COMPONENT_TYPES.some((type) => isOpenable(value, type))) flavors.push(value as ComponentFlavor);
    else if (isSchema(value)) schemas.push(value);
  }
  return { flavors: [...new Set(flavors)], schemas: [...new Set(schemas)] };
}

function isIntegration(value: object): value is Integration {
  return "specVersion" in value && "flavors" in value && Array.isArray(value.flavors) && "schemas" in value && Array.isArray(value.schemas);
}

function isSchema(value: object): value is SecretSchema {
  return "type" in value && typeof value.type === "string" && "fields" in value;
}

/** The modules that may run only with the content that was trusted, by URL. */
const guarded = new Map<string, string>();

/**
 * Lets a module run only as it was when its project was read, whatever happens to the file in between, and lets it import only installed packages and modules
 * that the project names as well: a file that nobody has hashed could change without anybody being asked.
 */
function guard({ path, hash }: NamedModule): void {
  if (hash === undefined) return;
  const isFirst = guarded.size === 0;
  guarded.set(pathToFileURL(path).href, hash);
  if (!isFirst) return;
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      const isFile = /^(?:[./#]|file:)/.test(specifier);
      if (isFile && context.parentURL !== undefined && guarded.has(context.parentURL) && !guarded.has(resolved.url))
        throw new SecretsError(
          "untrusted",
          `A module of the project imports ${printable(specifier)}, which its coffer.json does not name.`,
          {
            hint: "Name that file in modules, too; then: coffer trust",
          },
        );
      return resolved;
    },
    load(url, context, next) {
      const loaded = next(url, context);
      const expected = guarded.get(url);
      const { source } = loaded;
      if (expected !== undefined && (source === undefined || source === null || hashOf(bytesOf(source)) !== expected))
        throw new SecretsError("untrusted", "A module of the project has changed since it was trusted.", {
          hint: "Look at it, then: coffer trust",
        });
      return loaded;
    },
  });
}

function bytesOf(source: string | ArrayBuffer | NodeJS.TypedArray): string | Uint8Array {
  if (typeof source === "string") return source;
  return ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : new Uint8Array(source);
}
