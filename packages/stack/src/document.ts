import { isUtf8 } from "node:buffer";
import { printable, SecretsError } from "@coffer/core";
import { damageIn } from "./damage.ts";
import { COMPONENT_TYPES, FILE_VERSION, type StoredComponent, type StoredStack } from "./model.ts";
import type { NamedModule } from "./project.ts";
import { isObject, type JsonObject, misshapen, parseFile, readBytes, textOf } from "./source-file.ts";

/** The kinds of file that Coffer writes here. */
export type DocumentKind = "config" | "project" | "state";

/** A file that is being changed. What this version does not know in it stays as it was, to the digits of a number. */
export class Draft {
  readonly document: Record<string, unknown>;
  /** The modules of a project whose content is known. */
  readonly hashed: NamedModule[] = [];

  constructor(document: Record<string, unknown>) {
    this.document = document;
  }

  get components(): StoredComponent[] {
    return this.list("components");
  }

  get stacks(): StoredStack[] {
    return this.list("stacks");
  }

  get modules(): string[] {
    return this.list("modules");
  }

  /** A list of the document, made when it is missing. It was checked before the draft was made. */
  list<Entry>(name: string): Entry[] {
    return (this.document[name] ??= []) as Entry[];
  }

  component(type: string, name: string): StoredComponent | undefined {
    const found = this.components.find((component) => component.type === type && component.name === name);
    // They may be left out in a file that was written by hand.
    if (found !== undefined) found.settings ??= {};
    return found;
  }

  stack(name: string): StoredStack | undefined {
    return this.stacks.find((stack) => stack.name === name);
  }
}

/** A file as text: what it holds, and how it is laid out. */
export interface DocumentText {
  readonly document: Record<string, unknown>;
  readonly indent: string;
}

/**
 * Reads a file to change it, or starts a new one.
 * @throws SecretsError `corrupt` with everything that is wrong, `unsupported`
 */
export async function readDocument(path: string, kind: DocumentKind): Promise<DocumentText> {
  const bytes = readBytes(path, { follow: kind !== "project" });
  if (bytes === undefined) return { document: newDocument(kind), indent: "  " };
  const known = parseFile(path, bytes);
  const text = textOf(bytes);
  // What would get lost in a rewrite is told instead.
  if (!isUtf8(bytes)) throw misshapen(path, "it is not UTF-8");
  const damage = damageIn(text);
  if (damage !== undefined) throw misshapen(path, `line ${damage.line}, column ${damage.column}: ${damage.problem}`);
  await assertDocument(path, known, kind);
  return { document: JSON.parse(text, keepDigits) as Record<string, unknown>, indent: /^\{\r?\n([ \t]+)"/.exec(text)?.[1] ?? "  " };
}

/** The text of a changed file, checked. */
export async function writeDocument(path: string, { document, indent }: DocumentText, kind: DocumentKind): Promise<string> {
  const text = `${JSON.stringify(document, null, indent)}\n`;
  await assertDocument(path, JSON.parse(text) as JsonObject, kind);
  return text;
}

/** The published JSON Schema of a file, for editors. */
export function schemaUrl(kind: "config" | "project"): string {
  return `https://unpkg.com/@coffer/stack/schema/${kind === "config" ? "config" : "coffer"}.schema.json`;
}

/** Everything that is wrong with a document: the form of each field, names that are there twice. */
export async function documentProblems(document: JsonObject, kind: DocumentKind): Promise<string[]> {
  const schemas = await import("./document-schema.ts");
  const result = { config: schemas.configSchema, project: schemas.projectSchema, state: schemas.stateSchema }[kind].safeParse(document);
  // zod's messages are not used: they could repeat what is in the file.
  if (!result.success)
    return result.error.issues.map(({ path, code }) => `${placeOf(path)}: ${PROBLEMS[code] ?? "not a value that is allowed here"}`);
  if (kind === "state") return [];
  const problems: string[] = [];
  const { components = [], stacks = [] } = document as { components?: StoredComponent[]; stacks?: StoredStack[] };
  const seen = new Set<string>();
  const once = (key: string, problem: string): void => {
    if (seen.has(key)) problems.push(problem);
    seen.add(key);
  };
  for (const [index, { type, name, id }] of components.entries()) {
    once(`${type} ${name}`, `components[${index}].name: there are two of type ${type} called "${name}"`);
    once(id.toLowerCase(), `components[${index}].id: there are two components with this id`);
  }
  for (const [index, { name }] of stacks.entries()) once(`stack ${name}`, `stacks[${index}].name: there are two stacks called "${name}"`);
  return problems;
}

const PROBLEMS: Readonly<Record<string, string>> = { invalid_type: "missing, or of another type than expected" };

async function assertDocument(path: string, document: JsonObject, kind: DocumentKind): Promise<void> {
  const problems = await documentProblems(document, kind);
  if (problems.length > 0) throw misshapen(path, ...problems);
}

function newDocument(kind: DocumentKind): Record<string, unknown> {
  return kind === "state" ? { version: FILE_VERSION } : { $schema: schemaUrl(kind), version: FILE_VERSION, components: [], stacks: [] };
}

/** Keeps a number that a double would change (`1.10`, twenty digits) as it is written. */
function keepDigits(this: unknown, _key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  return typeof value === "number" && source !== undefined && String(value) !== source ? rawNumber(source) : value;
}

// Node has it since version 21; the types of this language level do not.
function rawNumber(source: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(source);
}

/** An object of a draft as plain JSON: a number that is kept as it is written is a number again. */
export function plainJson(value: unknown): Record<string, unknown> {
  const plain: unknown = JSON.parse(JSON.stringify(value ?? {}));
  return isObject(plain) ? { ...plain } : {};
}

/**
 * Refuses settings that a file cannot hold as they are.
 * @throws SecretsError `invalid_settings` naming the setting
 */
export function assertJson(settings: JsonObject): void {
  const lost = Object.entries(settings).filter(([, value]) => !isJson(value));
  if (lost.length === 0) return;
  const names = lost.map(([name]) => printable(name));
  throw new SecretsError("invalid_settings", `These settings cannot be written to a file: ${names.join(", ")}.`, {
    keys: lost.map(([name]) => name),
    hint: "Use text, numbers, booleans, and lists and objects of them.",
  });
}

function isJson(value: unknown): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isJson);
}

function placeOf(path: readonly PropertyKey[]): string {
  const place = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${printable(String(part))}`)).join("");
  return place.replace(/^\./, "") || "the top";
}

/** The types, for the order of components in lists. */
export function byTypeAndName(
  a: { readonly type: string; readonly name: string },
  b: { readonly type: string; readonly name: string },
): number {
  const order = (type: string): number => (COMPONENT_TYPES as readonly string[]).indexOf(type);
  return order(a.type) - order(b.type) || (a.name < b.name ? -1 : Number(a.name > b.name));
}
