const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]*$/;
// Words that YAML 1.1 readers take for something else than text.
const WORD = /^(?:true|false|null|yes|no|on|off|y|n)$/i;
const UNSEEN = /[\u007F-\u009F\p{Cf}\u2028\u2029]/gu;

/** YAML of plain data. Every text stands in double quotes, so that no reader guesses a type; written by hand because a YAML library costs more than the command. */
export function yamlText(value: unknown): string {
  return `${node(value, "").trimStart()}\n`;
}

function node(value: unknown, indent: string): string {
  if (typeof value === "string") return ` ${quoted(value)}`;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return ` ${String(value)}`;
  if (value instanceof Date) return ` ${quoted(value.toISOString())}`;
  if (Array.isArray(value)) return value.length === 0 ? " []" : value.map((item) => `\n${indent}-${nested(item, `${indent}  `)}`).join("");
  if (typeof value !== "object" || value === null) return " null";
  const entries = Object.entries(value);
  return entries.length === 0 ? " {}" : entries.map(([key, item]) => `\n${indent}${keyText(key)}:${node(item, `${indent}  `)}`).join("");
}

/** An item of a list: a map starts on the line of the dash. */
function nested(item: unknown, indent: string): string {
  const text = node(item, indent);
  return text.startsWith("\n") ? ` ${text.trimStart()}` : text;
}

function keyText(key: string): string {
  return PLAIN_KEY.test(key) && !WORD.test(key) ? key : quoted(key);
}

function quoted(text: string): string {
  return JSON.stringify(text).replace(UNSEEN, (character) => `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, "0")}`);
}
