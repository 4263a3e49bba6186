import { SecretsError } from "../errors/secrets-error.ts";
import type { Revision, TextValues } from "../spec.ts";
import { printable } from "./printable.ts";
import { textValues } from "./values.ts";

/** Which schema governs a secret, and whether this process knows it. */
export interface SecretSchemaState {
  /** `arbitrary` when the secret has none. */
  readonly type: string;
  /** `false` when the schema is not registered here: the content is then text. */
  readonly installed: boolean;
  /** The package that brings the schema, where that is known. */
  readonly package: string | null;
}

/** Everything about a secret but its values. */
export interface SecretFacts {
  readonly name: string;
  readonly schema: SecretSchemaState;
  readonly revision: Revision | null;
  readonly createdAt: Date | null;
  readonly updatedAt: Date | null;
  readonly managed: boolean | null;
  readonly encoding: "base64" | null;
}

/** The content of a secret without a schema, or of one whose schema is not known here. */
export type TextContent = Readonly<Record<string, string>>;

/**
 * A secret that was read. It prints as `[secret warehouse: 3 keys]` wherever it goes (a template, JSON, `inspect`, a spread, a structured clone);
 * the values are reached through `content`, `get` and `text` only.
 */
export class Secret<Content = TextContent> {
  readonly #facts: SecretFacts;
  readonly #text: TextValues;
  readonly #parsed: Readonly<Record<string, unknown>>;
  #content: Content | undefined;

  /** Made by a manager. `parsed` is the output of the schema, or the text itself where there is none. */
  constructor(facts: SecretFacts, text: TextValues, parsed: Readonly<Record<string, unknown>> = text) {
    this.#facts = facts;
    this.#text = text;
    this.#parsed = parsed;
  }

  get name(): string {
    return this.#facts.name;
  }

  get schema(): SecretSchemaState {
    return this.#facts.schema;
  }

  /** The service's name for this stored version; `null` where it keeps none. */
  get revision(): Revision | null {
    return this.#facts.revision;
  }

  get createdAt(): Date | null {
    return this.#facts.createdAt;
  }

  get updatedAt(): Date | null {
    return this.#facts.updatedAt;
  }

  /** Whether Coffer wrote it; `null` where the service cannot tell in one call. */
  get managed(): boolean | null {
    return this.#facts.managed;
  }

  /** `base64` when the service held bytes that are no text, and `value` is their base64. */
  get encoding(): "base64" | null {
    return this.#facts.encoding;
  }

  /** Keys and typed values, defaults filled in. Frozen and without a prototype. */
  get content(): Content {
    // The schema's output has exactly this type; it was checked when the secret was read.
    return (this.#content ??= withoutNulls(this.#parsed) as Content);
  }

  /** The stored text of every stored key, byte for byte. Frozen and without a prototype. */
  get text(): TextContent {
    return Object.freeze(textValues(Object.entries(this.#text)));
  }

  /**
   * The typed value of one key.
   * @throws SecretsError `invalid_key`, listing the keys that exist
   */
  get<Key extends keyof Content & string>(key: Key): Content[Key] {
    const content = this.content as object;
    if (key in content) return this.content[key];
    const keys = Object.keys(content);
    throw new SecretsError("invalid_key", `The secret "${printable(this.name)}" has no key "${printable(key)}".`, {
      secretName: this.name,
      keys: [key],
      hint: keys.length === 0 ? "It has no keys at all." : `It has ${keys.map((name) => printable(name)).join(", ")}.`,
    });
  }

  /** The keys of the content, sorted. */
  keys(): string[] {
    return Object.keys(this.content as object).toSorted();
  }

  toString(): string {
    const count = Object.keys(this.#text).length;
    return `[secret ${printable(this.name)}: ${count} ${count === 1 ? "key" : "keys"}]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [Symbol.toPrimitive](): string {
    return this.toString();
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

function withoutNulls(parsed: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const content: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(parsed)) {
    const value = parsed[key];
    if (value !== undefined && value !== null) content[key] = value;
  }
  return Object.freeze(content);
}
