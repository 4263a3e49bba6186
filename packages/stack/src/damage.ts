/** Where a text stops being JSON, or says one key twice. */
export interface Damage {
  readonly line: number;
  readonly column: number;
  readonly problem: "not JSON" | "the same key twice";
}

const TOKEN =
  // eslint-disable-next-line no-control-regex -- exactly these are refused within text
  /[\t\n\r ]*(?:([{}[\],:])|("[^"\\\u0000-\u001F]*(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\u0000-\u001F]*)*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)|$)/y;
const SPACE = /[\t\n\r ]*/y;

type Expected = "value" | "value or ]" | "key" | "key or }" | ":" | ", or end" | "nothing";

/**
 * The first place where the text is not JSON, or where an object has one key twice (`JSON.parse` would drop the first). Messages of `JSON.parse` cannot be
 * used: they quote the text, and many have no position.
 */
export function damageIn(text: string): Damage | undefined {
  // One entry for each open object or list: the keys of an object so far.
  const open: (Set<unknown> | undefined)[] = [];
  let expected: Expected = "value";
  const next = (): Expected => (open.length === 0 ? "nothing" : ", or end");
  TOKEN.lastIndex = 0;
  for (;;) {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    const at = (problem: Damage["problem"]): Damage => placeOf(text, start, problem);
    if (match === null) return at("not JSON");
    const [, mark, string, literal] = match;
    const keys = open.at(-1);
    if (mark === undefined && string === undefined && literal === undefined) return expected === "nothing" ? undefined : at("not JSON");
    if (string !== undefined && (expected === "key" || expected === "key or }")) {
      const key: unknown = JSON.parse(string);
      if (keys?.has(key)) return at("the same key twice");
      keys?.add(key);
      expected = ":";
    } else if (mark === ":" && expected === ":") expected = "value";
    else if (mark === "," && expected === ", or end") expected = keys === undefined ? "value" : "key";
    else if (mark === "}" && keys !== undefined && (expected === ", or end" || expected === "key or }")) {
      open.pop();
      expected = next();
    } else if (mark === "]" && open.length > 0 && keys === undefined && (expected === ", or end" || expected === "value or ]")) {
      open.pop();
      expected = next();
    } else if (expected === "value" || expected === "value or ]") {
      if (mark === "{") {
        open.push(new Set());
        expected = "key or }";
      } else if (mark === "[") {
        open.push(undefined);
        expected = "value or ]";
      } else if (mark === undefined) expected = next();
      else return at("not JSON");
    } else return at("not JSON");
  }
}

function placeOf(text: string, from: number, problem: Damage["problem"]): Damage {
  SPACE.lastIndex = from;
  SPACE.exec(text);
  const before = text.slice(0, SPACE.lastIndex);
  const lines = before.split("\n");
  return { line: lines.length, column: (lines.at(-1) ?? "").length + 1, problem };
}
