import { SecretsError } from "../errors/secrets-error.ts";
import type * as BuiltinSchemas from "../schema/builtin.ts";
import { printable } from "../secret/printable.ts";
import { isIdentifier } from "../identifier.ts";
import { suggest } from "../suggest.ts";
import { loadSecretSchema } from "./load-schema.ts";
import { type ComponentFlavor, type Integration, type SecretSchema, SPEC_VERSION } from "../spec.ts";

/** Where something in the registry comes from. */
export interface Origin {
  readonly integration: string;
  /** The npm name of the package; `null` for what the application itself registered. */
  readonly package: string | null;
  readonly version: string | null;
}

export interface FlavorEntry extends Origin {
  readonly type: ComponentFlavor["type"];
  readonly name: string;
  readonly aliases: readonly string[];
}

export interface SchemaEntry extends Origin {
  readonly type: string;
}

/** What a manifest tells of a package before any of its code runs; `load` imports it. */
export interface AnnouncedIntegration extends Origin {
  readonly flavors: readonly { readonly type: ComponentFlavor["type"]; readonly name: string; readonly aliases?: readonly string[] }[];
  readonly schemas: readonly string[];
  load(): Promise<Integration>;
}

interface StoredFlavor extends FlavorEntry {
  load(): Promise<ComponentFlavor | undefined>;
  loaded: boolean;
}

interface StoredSchema extends SchemaEntry {
  load(): Promise<SecretSchema | undefined>;
  loaded: boolean;
}

/** The state of a registry: plain data, because several copies of core may share one. */
export interface RegistryState {
  readonly flavors: StoredFlavor[];
  readonly schemas: StoredSchema[];
}

const SPOKEN = String(SPEC_VERSION);
const BUILT_IN: Origin = { integration: "core", package: "@coffer/core", version: null };
const APPLICATION: Origin = { integration: "application", package: null, version: null };

/** Makes the state of an empty registry: the built-in schemas, loaded when first used. */
export function createRegistryState(): RegistryState {
  const schema = (type: string, pick: (module: typeof BuiltinSchemas) => SecretSchema): StoredSchema => ({
    ...BUILT_IN,
    type,
    loaded: false,
    load: async () => pick(await import("../schema/builtin.ts")),
  });
  return {
    flavors: [],
    schemas: [schema("arbitrary", (m) => m.arbitrary), schema("basic_auth", (m) => m.basicAuth), schema("mysql", (m) => m.mysql)],
  };
}

/**
 * Knows flavors and schemas by name. Names that two packages claim are kept both: using such a name fails, naming both; importing never does.
 */
export class Registry {
  readonly #state: RegistryState;

  constructor(state: RegistryState = createRegistryState()) {
    this.#state = state;
  }

  /**
   * Makes an integration known. Adding the same package again changes nothing.
   * @throws SecretsError `unsupported` when the integration was made for another version of the contract
   */
  add(integration: Integration, origin: Partial<Origin> = {}): void {
    if (integration.specVersion !== SPEC_VERSION) {
      throw new SecretsError(
        "unsupported",
        `The integration "${printable(integration.name)}" speaks another version of the contract than this program, which speaks version ${SPOKEN}.`,
        {
          hint: "Update whichever of the two is older.",
        },
      );
    }
    const from: Origin = {
      integration: integration.name,
      package: origin.package ?? integration.package ?? null,
      version: origin.version ?? null,
    };
    for (const flavor of integration.flavors) {
      put(
        this.#state.flavors,
        { ...from, type: flavor.type, name: flavor.name, aliases: flavor.aliases ?? [], loaded: true, load: async () => flavor },
        (entry) => entry.type === flavor.type && entry.name === flavor.name,
      );
    }
    for (const schema of integration.schemas) {
      put(
        this.#state.schemas,
        { ...from, type: schema.type, loaded: true, load: () => loadSecretSchema(schema, nameOf(from)) },
        (entry) => entry.type === schema.type,
      );
    }
  }

  /** Makes an integration known by its manifest; its code is imported when one of its flavors or schemas is used. */
  announce(announced: AnnouncedIntegration): void {
    const from: Origin = { integration: announced.integration, package: announced.package, version: announced.version };
    let loading: Promise<Integration> | undefined;
    const load = (): Promise<Integration> => (loading ??= announced.load());
    for (const { type, name, aliases = [] } of announced.flavors) {
      const find = async (): Promise<ComponentFlavor | undefined> =>
        (await load()).flavors.find((flavor) => flavor.type === type && flavor.name === name);
      put(
        this.#state.flavors,
        { ...from, type, name, aliases, loaded: false, load: find },
        (entry) => entry.type === type && entry.name === name,
      );
    }
    for (const type of announced.schemas) {
      const find = async (): Promise<SecretSchema | undefined> => {
        const schema = (await load()).schemas.find((candidate) => candidate.type === type);
        return schema === undefined ? undefined : loadSecretSchema(schema, nameOf(from));
      };
      put(this.#state.schemas, { ...from, type, loaded: false, load: find }, (entry) => entry.type === type);
    }
  }

  /** Makes a schema of the application known. Registering the same type again replaces the earlier one, with a warning. */
  addSchema(schema: SecretSchema): void {
    const entry: StoredSchema = { ...APPLICATION, type: schema.type, loaded: true, load: async () => schema };
    const index = this.#state.schemas.findIndex((other) => other.type === schema.type && other.package === null);
    if (index === -1) this.#state.schemas.push(entry);
    else {
      process.emitWarning(`The secret schema "${schema.type}" was registered again; the earlier one is replaced.`, {
        code: "COFFER_SCHEMA_REPLACED",
      });
      this.#state.schemas[index] = entry;
    }
  }

  /** All flavors, sorted by name. Runs no code of an integration. */
  flavors(): FlavorEntry[] {
    return this.#state.flavors
      .map(({ type, name, aliases, integration, package: from, version }) => ({ type, name, aliases, integration, package: from, version }))
      .toSorted((a, b) => compare(a.name, b.name) || compare(a.package ?? "", b.package ?? ""));
  }

  /** All schemas, sorted by type. Runs no code of an integration. */
  schemas(): SchemaEntry[] {
    return this.#state.schemas
      .map(({ type, integration, package: from, version }) => ({ type, integration, package: from, version }))
      .toSorted((a, b) => compare(a.type, b.type) || compare(a.package ?? "", b.package ?? ""));
  }

  /**
   * The flavor of this name or alias; imports the package that brings it.
   * @throws SecretsError `unknown_flavor` listing the known ones and the install command; `flavor_ambiguous` naming the packages
   */
  async flavor(type: ComponentFlavor["type"], name: string): Promise<ComponentFlavor> {
    const ofType = this.#state.flavors.filter((entry) => entry.type === type);
    const exact = ofType.filter((entry) => entry.name === name);
    const entry = single(exact.length > 0 ? exact : ofType.filter((candidate) => candidate.aliases.includes(name)), "flavor", name);
    const flavor = await entry?.load();
    if (flavor !== undefined) return flavor;
    if (entry !== undefined)
      throw new SecretsError("unknown_flavor", `${nameOf(entry)} announces the flavor "${printable(name)}" and does not bring it.`, {
        hint: "Install another version of the package.",
      });
    throw unknown(
      "flavor",
      name,
      ofType.map((candidate) => candidate.name),
      ofType.flatMap((candidate) => candidate.aliases),
    );
  }

  /**
   * The schema of this type, or `undefined` when no package that is known brings it.
   * @throws SecretsError `flavor_ambiguous` when two packages bring it, `unknown_schema` when the package cannot load what it announces
   */
  async schema(type: string): Promise<SecretSchema | undefined> {
    return single(
      this.#state.schemas.filter((entry) => entry.type === type),
      "secret schema",
      type,
    )?.load();
  }

  /**
   * The schema of this type, which must exist.
   * @throws SecretsError `unknown_schema` listing the known ones and the install command
   */
  async requireSchema(type: string): Promise<SecretSchema> {
    const schema = await this.schema(type);
    if (schema !== undefined) return schema;
    throw unknown(
      "schema",
      type,
      this.#state.schemas.map((entry) => entry.type),
    );
  }
}

/**
 * The command that installs the integration which, by the naming rule of Coffer's own packages, brings a flavor or schema
 * (`gcp_secrets_manager` is brought by `@coffer/gcp`). A rule, not a list: a stranger's package is named by whoever recommends it.
 */
export function installCommand(name: string): string {
  return `npm install @coffer/${(name.split("_")[0] ?? name).replaceAll(/[^a-z0-9-]/g, "")}`;
}

function unknown(what: "flavor" | "schema", name: string, known: readonly string[], aliases: readonly string[] = []): SecretsError {
  const list = [...new Set(known)].toSorted(compare).join(", ");
  const shown = printable(name.slice(0, 80));
  const near = suggest(name, [...known, ...aliases])[0];
  return new SecretsError(
    what === "flavor" ? "unknown_flavor" : "unknown_schema",
    what === "flavor" ? `The flavor "${shown}" is not installed.` : `The secret schema "${shown}" is not known here.`,
    {
      hint: `${near === undefined ? "" : `Did you mean ${near}? `}Known: ${list === "" ? "none" : list}.${isIdentifier(name) ? ` If an integration brings it, install that: ${installCommand(name)}` : ""}`,
    },
  );
}

function single<Entry extends Origin>(entries: readonly Entry[], what: string, name: string): Entry | undefined {
  if (entries.length < 2) return entries[0];
  const packages = entries.map((entry) => entry.package ?? `${entry.integration} (registered by the program)`).join(" and ");
  throw new SecretsError("flavor_ambiguous", `The ${what} "${printable(name)}" is brought by ${packages}.`, {
    hint: "Remove one of the two packages.",
  });
}

function put<Entry extends Origin & { loaded: boolean }>(entries: Entry[], entry: Entry, sameName: (other: Entry) => boolean): void {
  const index = entries.findIndex((other) => sameName(other) && sameOrigin(other, entry));
  const existing = entries[index];
  if (existing === undefined) entries.push(entry);
  // A package that was announced and is now imported: the loaded one answers faster, but keeps the version that the manifest told.
  else if (!existing.loaded && entry.loaded)
    entries[index] = { ...entry, package: entry.package ?? existing.package, version: entry.version ?? existing.version };
}

function nameOf(from: Origin): string {
  return from.package === null ? `The integration "${printable(from.integration)}"` : `The package ${from.package}`;
}

function sameOrigin(a: Origin, b: Origin): boolean {
  // An imported integration need not know its package's name; then the name of the integration decides.
  return a.package !== null && b.package !== null ? a.package === b.package : a.integration === b.integration;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
