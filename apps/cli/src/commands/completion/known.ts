import { schemaFields } from "@coffer/core";
import type { Completed } from "../../command.ts";
import type { Context } from "../../context.ts";
import { InstalledRegistry } from "../../integrations.ts";

/** The names that exist on this machine. Manifests and configuration are read; no secrets manager is opened, and no code of an integration runs. */
export class Known {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  async names(what: Completed): Promise<readonly string[]> {
    if (what === "stack" || what === "secrets_manager" || what === "orchestrator") {
      const { componentNames, stackNames, readConfiguration } = await import("@coffer/stack/read");
      const configuration = readConfiguration({ cwd: this.#context.cwd, env: this.#context.env });
      return what === "stack" ? stackNames(configuration) : componentNames(configuration, what);
    }
    const registry = new InstalledRegistry(this.#context);
    await registry.discover();
    if (what === "schema") return registry.schemas().map(({ type }) => type);
    const flavors = registry.flavors().filter(({ type }) => type === "secrets_manager");
    return flavors.map(({ name }) => name);
  }

  /** The keys of a schema that comes with Coffer; those of an integration would need its code. */
  async keys(type: string): Promise<readonly string[]> {
    const { arbitrary, basicAuth, mysql } = await import("@coffer/core/schemas");
    const schema = [arbitrary, basicAuth, mysql].find((known) => known.type === type);
    return schema === undefined ? [] : schemaFields(schema).map(({ key }) => key);
  }
}
