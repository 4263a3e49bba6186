import { globSync } from "node:fs";
import { join, resolve } from "node:path";
import { openSecretsManager, Registry, type SecretsManager, type SecretsManagerOptions } from "@coffer/core";
import { announceDiscovered, discoverPackages } from "@coffer/core/discovery";
import { createMemoryService, type MemoryService, memoryIntegration } from "@coffer/testkit";
import { builtInFlavors } from "../../src/built-in.ts";
import { type RunningService, SERVICES } from "./services.ts";

const workspace = resolve(import.meta.dirname, "../../../..");

/** The flavors that there are secrets managers of here: this machine, memory, and every service with an emulator. */
export const FLAVORS: readonly string[] = ["local", "memory", ...SERVICES.map(({ flavor }) => flavor)];

/** Every flavor at once, each on a service of its own. Integrations are found by their manifests, as everywhere. */
export class EveryFlavor {
  readonly memory: MemoryService = createMemoryService();
  readonly #folder: string;
  readonly #services: ReadonlyMap<string, RunningService>;
  readonly #registry = new Registry();
  readonly #opened: SecretsManager[] = [];

  private constructor(folder: string, services: ReadonlyMap<string, RunningService>) {
    this.#folder = folder;
    this.#services = services;
  }

  /** @param folder where the local store and the files with credentials lie */
  static async start(folder: string): Promise<EveryFlavor> {
    const services = new Map<string, RunningService>();
    for (const { flavor, start } of SERVICES) services.set(flavor, await start(folder));
    const every = new EveryFlavor(folder, services);
    await every.#announce();
    return every;
  }

  /** Where the credentials of all services are found. */
  get env(): Readonly<Record<string, string>> {
    return Object.assign({}, ...[...this.#services.values()].map(({ env }) => env)) as Readonly<Record<string, string>>;
  }

  service(flavor: string): RunningService | undefined {
    return this.#services.get(flavor);
  }

  /** Stores something as another tool would, under a name of the service's own. */
  plant(flavor: string, name: string, content: string | Uint8Array): void {
    if (flavor === "memory") this.memory.plant(name, typeof content === "string" ? { text: content } : { bytes: content });
    else this.service(flavor)?.plant(name, content);
  }

  async open(flavor: string, options: SecretsManagerOptions): Promise<SecretsManager> {
    const manager = await openSecretsManager({ ...this.#settings(flavor), flavor }, { ...options, registry: this.#registry });
    this.#opened.push(manager);
    return manager;
  }

  async stop(): Promise<void> {
    for (const manager of this.#opened) await manager.close();
    for (const service of this.#services.values()) await service.stop();
  }

  #settings(flavor: string): Readonly<Record<string, unknown>> {
    if (flavor === "memory") return { service: this.memory };
    if (flavor === "local") return { path: join(this.#folder, "copies.db"), key_file: join(this.#folder, "copies.key") };
    return this.service(flavor)?.settings ?? {};
  }

  async #announce(): Promise<void> {
    const { flavors, package: name = "", schemas } = memoryIntegration;
    const announced = flavors.map((flavor) => ({ type: flavor.type, name: flavor.name }));
    this.#registry.announce(builtInFlavors);
    this.#registry.announce({
      integration: memoryIntegration.name,
      package: name,
      version: "0.0.0",
      flavors: announced,
      schemas: schemas.map(({ type }) => type),
      load: async () => memoryIntegration,
    });
    const { integrations } = await discoverPackages(globSync(join(workspace, "integrations/*/")));
    announceDiscovered(
      this.#registry,
      integrations.map((found) => ({ ...found, manifest: { ...found.manifest, entry: "./src/index.ts" } })),
    );
  }
}
