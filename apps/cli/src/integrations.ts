import { type ComponentFlavor, Registry, type SecretSchema } from "@coffer/core";
import type { Configuration } from "@coffer/stack/read";
import type { Discovery, DiscoveryProblem } from "@coffer/core/discovery";
import type { Context } from "./context.ts";
import { builtInFlavors } from "./built-in.ts";

/**
 * Knows what is built in, and looks for installed integrations only when something else is asked for: most commands need none. What is found is
 * announced by its manifest; code of an integration runs when its flavor or schema is used.
 */
export class InstalledRegistry extends Registry {
  readonly #context: Context;
  #problems: Promise<readonly DiscoveryProblem[]> | undefined;

  constructor(context: Context) {
    super();
    this.#context = context;
    this.announce(builtInFlavors);
  }

  /** Looks for installed integrations, once. Answers what calls itself one and cannot be used. */
  discover(): Promise<readonly DiscoveryProblem[]> {
    return (this.#problems ??= this.#discover());
  }

  async #discover(): Promise<readonly DiscoveryProblem[]> {
    const { announceDiscovered } = await import("@coffer/core/discovery");
    const problems: DiscoveryProblem[] = [];
    for (const { integrations, problems: found } of await discoverInstalled(this.#context)) {
      announceDiscovered(this, integrations);
      problems.push(...found);
    }
    return problems;
  }

  override async flavor(type: ComponentFlavor["type"], name: string): Promise<ComponentFlavor> {
    if (!this.flavors().some((entry) => entry.type === type && entry.name === name)) await this.discover();
    return super.flavor(type, name);
  }

  override async schema(type: string): Promise<SecretSchema | undefined> {
    if (!this.schemas().some((entry) => entry.type === type)) await this.discover();
    return super.schema(type);
  }
}

/** What is installed, and what the modules bring that the user or a trusted project names. */
export async function registryOf(context: Context, configuration: Configuration): Promise<Registry> {
  return withModules(new InstalledRegistry(context), configuration);
}

/** What is known already, and those modules. */
export async function withModules(installed: InstalledRegistry, configuration: Configuration): Promise<Registry> {
  const { user, project } = configuration;
  // Most have none, and then nothing of it is loaded.
  if (user?.["modules"] === undefined && (project?.modules ?? []).length === 0) return installed;
  const { ModuleRegistry, modulesOf } = await import("@coffer/stack");
  return new ModuleRegistry(installed, modulesOf(configuration));
}

/**
 * Where integrations count: the installation that this CLI runs from, and the user's own folder. Never the current directory: entering a checkout must not
 * load its code.
 */
export async function discoverInstalled(context: Context): Promise<readonly Discovery[]> {
  const { discoverDependencies, discoverPackages } = await import("@coffer/core/discovery");
  const found: Discovery[] = [await discoverDependencies(context.packageFolder)];
  for (const modules of context.ownNodeModules()) {
    // Beside a package.json (a project, a pnpm prefix) its dependencies count; in a bare prefix (npm -g) everything that was installed there.
    found.push(
      modules.application === undefined
        ? await discoverPackages(context.packagesIn(modules.folder))
        : await discoverDependencies(modules.application),
    );
  }
  found.push(await discoverDependencies(`${context.configFolder}/integrations`));
  for (const folder of context.integrationFolders) found.push(fromSources(await discoverPackages(context.packagesIn(folder))));
  return found;
}

/** The integrations of this repository run from their sources, as the development entry does: nothing has to be built. */
function fromSources({ integrations, problems }: Discovery): Discovery {
  return { integrations: integrations.map((found) => ({ ...found, manifest: { ...found.manifest, entry: "./src/index.ts" } })), problems };
}
