import type { Call } from "../command.ts";
import type { Context } from "../context.ts";
import { UsageError } from "../stop.ts";
import { visible } from "../output/visible.ts";
import { readStdinText, readValueFile, readValuesFile } from "./files.ts";
import { sourceOf } from "./pairs.ts";

type Format = "json" | "yaml" | "env";

/** What a command line gives to store, and what is to be said about it. */
export interface GivenValues {
  readonly values: ReadonlyMap<string, string>;
  /** Keys whose values other programs can see in the list of processes. */
  readonly exposed: readonly string[];
  /** Keys whose one-line value ends with a line break that nobody may have meant. */
  readonly endsWithBreak: readonly string[];
}

/**
 * Collects all values of a command line: `--values`, and every `--key=value` with its `@file`, `@-` and `@@literal`.
 * @throws UsageError
 */
export async function readGivenValues(call: Call, context: Context): Promise<GivenValues> {
  const stdinReaders = [
    ...(call.options.value("values") === "@-" ? ["--values"] : []),
    ...call.pairs.filter((pair) => sourceOf(pair.value).from === "stdin").map((pair) => `--${pair.key}`),
  ];
  if (stdinReaders.length > 1)
    throw new UsageError(
      `Only one value can be read from stdin; ${stdinReaders.join(" and ")} both want it.`,
      "Give the others as files: --key=@./FILE",
    );
  const values = new Map<string, string>();
  const exposed: string[] = [];
  const endsWithBreak: string[] = [];
  const given = call.options.value("values");
  if (given !== undefined) {
    const source = sourceOf(given);
    const format = formatOf(call.options.value("values-format"), source.from === "file" ? source.path : undefined);
    const text =
      source.from === "argument"
        ? source.text
        : source.from === "stdin"
          ? await readStdinText(context, "--values")
          : readValuesFile(context, source.path);
    for (const [key, value] of await readValues(text, format)) values.set(key, value);
    if (source.from === "argument") exposed.push(...values.keys());
  }
  for (const { key, value } of call.pairs) {
    if (values.has(key))
      throw new UsageError(
        `The key "${visible(key)}" stands in --values and on the command line.`,
        `Give it once: in --values or as --${key}=@FILE.`,
      );
    const source = sourceOf(value);
    if (source.from === "argument") {
      values.set(key, argumentText(key, source.text));
      if (source.text !== "") exposed.push(key);
      continue;
    }
    const text = source.from === "stdin" ? await readStdinText(context, `"${key}"`) : readValueFile(context, key, source.path);
    values.set(key, text);
    if (/^[^\r\n]+\r?\n$/.test(text)) endsWithBreak.push(key);
  }
  return { values, exposed, endsWithBreak };
}

function argumentText(key: string, text: string): string {
  // Node replaces what is not UTF-8 before anybody can see it. Stored like that, the value would be another one.
  if (text.includes("\uFFFD")) {
    throw new UsageError(
      `The value of "${key}" is not UTF-8 text, or holds the character that stands for such bytes.`,
      `Give it as a file or on stdin: --${key}=@FILE, --${key}=@-`,
    );
  }
  return text;
}

function formatOf(asked: string | undefined, path: string | undefined): Format {
  if (asked !== undefined) return asked === "yaml" || asked === "env" ? asked : "json";
  if (path === undefined || /\.json$/i.test(path)) return "json";
  if (/\.ya?ml$/i.test(path)) return "yaml";
  if (/(?:^|[./])env$|(?:^|\/)\.env\.[^/]*$/i.test(path)) return "env";
  throw new UsageError("The name of the --values file does not tell what is in it.", "Say it: --values-format=json, yaml or env.");
}

/** Reads keys and values from text. Numbers and words stay as they are written; nothing is guessed, nothing is dropped silently. */
async function readValues(text: string, format: Format): Promise<readonly (readonly [string, string])[]> {
  const body = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const entries = format === "json" ? readJson(body) : await (format === "yaml" ? readYaml(body) : readEnv(body));
  if (entries.length === 0) throw new UsageError("There are no keys in --values.", `Write them as ${EXAMPLES[format]}`);
  const seen = new Set<string>();
  for (const [key, value] of entries) {
    if (seen.has(key)) throw new UsageError(`The key "${visible(key)}" stands in --values twice.`, "Give each key once.");
    if (!value.isWellFormed() || !key.isWellFormed())
      throw new UsageError(`The value of "${visible(key)}" holds half of a character (a lone surrogate).`, "Write the character in full.");
    seen.add(key);
  }
  return entries;
}

const EXAMPLES: Readonly<Record<Format, string>> = {
  json: '{"user": "…", "password": "…"}',
  yaml: "user: … and password: … on lines of their own",
  env: "user=… and password=… on lines of their own",
};

function notText(key: string, what: string, format: Format): UsageError {
  return new UsageError(
    `The value of "${visible(key)}" in --values is ${what}; a secret holds text.`,
    `Write a flat map of keys to text: ${EXAMPLES[format]}`,
  );
}

function readJson(text: string): readonly (readonly [string, string])[] {
  let parsed: unknown;
  const sources = new Map<string, string>();
  try {
    // `source` is the text of a number or word as it stands there: 0.10 stays 0.10, and no digit of a long id is lost.
    parsed = JSON.parse(text, function (this: unknown, key: string, value: unknown, { source }: { readonly source?: string }) {
      if (source !== undefined && typeof value !== "string") sources.set(key, source);
      return value;
    } as (this: unknown, key: string, value: unknown) => unknown);
  } catch {
    // The message of JSON.parse quotes the text.
    throw new UsageError(
      "What --values gives is not valid JSON.",
      `Write: ${EXAMPLES.json}. For another format: --values-format=yaml or env`,
    );
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw new UsageError("What --values gives is JSON, but not an object of keys and values.", `Write: ${EXAMPLES.json}`);
  refuseDoubles(text);
  return Object.entries(parsed).map(([key, value]: [string, unknown]) => {
    if (typeof value === "string") return [key, value];
    if (typeof value === "number" || typeof value === "boolean") return [key, sources.get(key) ?? String(value)];
    throw notText(key, value === null ? "null" : Array.isArray(value) ? "a list" : "an object", "json");
  });
}

/** JSON.parse keeps the last of two values and says nothing. The text is known to be valid here, so that counting its tokens is enough. */
function refuseDoubles(text: string): void {
  const seen = new Set<string>();
  let depth = 0;
  let last = "";
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/gs)) {
    if (token === "{" || token === "[") depth += 1;
    else if (token === "}" || token === "]") depth -= 1;
    else if (token === ":" && depth === 1) {
      const key = String(JSON.parse(last));
      if (seen.has(key)) throw new UsageError(`The key "${visible(key)}" stands in --values twice.`, "Give each key once.");
      seen.add(key);
    }
    last = token;
  }
}

async function readYaml(text: string): Promise<readonly (readonly [string, string])[]> {
  const { isAlias, isMap, isScalar, parseAllDocuments } = await import("yaml");
  // The failsafe schema knows no types: 0123, NO and ~ are the text that stands there.
  const documents = parseAllDocuments(text, { schema: "failsafe", uniqueKeys: true, prettyErrors: true });
  const [document] = documents;
  const problem = "empty" in documents ? undefined : documents.flatMap((each) => [...each.errors, ...each.warnings])[0];
  // The message of the parser quotes the line, so only the place is passed on.
  if (problem !== undefined) {
    const place = problem.linePos?.[0];
    throw new UsageError(
      `What --values gives is not valid YAML${place === undefined ? "" : ` (line ${place.line}, column ${place.col})`}.`,
      `Write ${EXAMPLES.yaml}.`,
    );
  }
  if (document === undefined || documents.length !== 1 || !isMap(document.contents))
    throw new UsageError("What --values gives is YAML, but not one map of keys and values.", `Write ${EXAMPLES.yaml}.`);
  return document.contents.items.map(({ key, value }) => {
    if (!isScalar(key)) throw new UsageError("A key in --values is not text.", `Write ${EXAMPLES.yaml}.`);
    const name = String(key.value);
    const node = isAlias(value) ? value.resolve(document) : value;
    if (node === null) return [name, ""];
    if (!isScalar(node)) throw notText(name, "a map or a list", "yaml");
    // `!!binary`, the one tag that the parser acts on in every schema.
    if (typeof node.value !== "string" && node.value !== null) throw notText(name, "marked as something else than text", "yaml");
    return [name, node.value ?? ""];
  });
}

async function readEnv(text: string): Promise<readonly (readonly [string, string])[]> {
  const { parse } = await import("dotenv");
  const seen = new Set<string>();
  for (const [, key = ""] of text.matchAll(/^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*(?:=|:[ \t])/gm)) {
    // The parser keeps the last of two values, and writes to an ordinary object.
    if (seen.has(key)) throw new UsageError(`The key "${key}" stands in --values twice.`, "Give each key once.");
    if (key === "__proto__")
      throw new UsageError("A key called __proto__ cannot be read from an env file.", "Write the values as JSON: --values=@./FILE.json");
    seen.add(key);
  }
  return Object.entries(parse(text));
}
