/** Masking, at `@coffer/core/redaction`: one implementation for errors, logs and command output. */

/** What stands in place of a value. Of fixed width, so that not even the length is told. */
export const MASK = "***";

// One or two characters occur everywhere: masking them would make every line unreadable and protect nothing that could not be guessed.
const SHORTEST_VALUE = 3;
const SHORTEST_LINE = 4;

/** Replaces values in text. Knows the forms in which values travel: as they are, line by line, JSON, URL, base64, hexadecimal. */
export interface Redactor {
  /** Also masks these values from now on. Values of one or two characters are never masked. */
  add(values: Iterable<string>): void;
  /** The text without the values. If masking itself fails, the text is dropped rather than shown. */
  redact(text: string): string;
  /** The same for text that arrives in pieces: holds back only what could be the beginning of a value. */
  stream(): { write(chunk: string): string; end(): string };
}

/** Makes a redactor for these values. */
export function createRedactor(values: Iterable<string> = []): Redactor {
  // Each value and each of its lines, with the forms in which it travels; these are made when a text is long enough to hold one.
  const known = new Map<string, ReadonlySet<string> | undefined>();

  const add = (more: Iterable<string>): void => {
    for (const value of more) {
      if (value.length < SHORTEST_VALUE) continue;
      for (const text of [value, ...value.split(/\r\n|\r|\n/).filter((line) => line.length >= SHORTEST_LINE)])
        if (!known.has(text)) known.set(text, undefined);
    }
  };
  const formsKnown = (text: string): ReadonlySet<string> => {
    const forms = known.get(text) ?? formsOf(text);
    known.set(text, forms);
    return forms;
  };
  const longest = (): number => {
    let length = 0;
    for (const value of known.keys()) for (const form of formsKnown(value)) length = Math.max(length, form.length);
    return length;
  };
  /** Where values stand in the text, overlapping ones joined: a match that begins inside another may reach further than it. */
  const spans = (text: string): Span[] => {
    const found: Span[] = [];
    for (const value of known.keys()) {
      // No form is shorter than the value itself.
      if (value.length > text.length) continue;
      for (const form of formsKnown(value)) {
        for (let start = text.indexOf(form); start !== -1; start = text.indexOf(form, start + 1)) join(found, start, start + form.length);
      }
    }
    const joined: Span[] = [];
    for (const [start, end] of found.toSorted(([a], [b]) => a - b)) join(joined, start, end);
    return joined;
  };
  const redact = (text: string): string => {
    try {
      let masked = "";
      let position = 0;
      for (const [start, end] of known.size === 0 ? [] : spans(text)) {
        masked += text.slice(position, start) + MASK;
        position = end;
      }
      return position === 0 ? text : masked + text.slice(position);
    } catch {
      return "[redaction failed]";
    }
  };
  add(values);
  return {
    add,
    redact,
    stream: () => {
      let held = "";
      return {
        write: (chunk) => {
          held += chunk;
          // Everything before the last `longest - 1` characters is complete, unless a match reaches across the cut.
          let cut = Math.max(0, held.length - Math.max(0, longest() - 1));
          for (const [start, end] of spans(held)) if (start < cut && end > cut) cut = start;
          const ready = held.slice(0, cut);
          held = held.slice(cut);
          return redact(ready);
        },
        end: () => {
          const rest = redact(held);
          held = "";
          return rest;
        },
      };
    },
  };
}

type Span = [start: number, end: number];

/** Adds a span to those before it, which begin earlier: as a part of the last one when it begins inside of that. */
function join(spans: Span[], start: number, end: number): void {
  const last = spans.at(-1);
  if (last !== undefined && start >= last[0] && start < last[1]) last[1] = Math.max(last[1], end);
  else spans.push([start, end]);
}

function formsOf(text: string): Set<string> {
  const quoted = JSON.stringify(text).slice(1, -1);
  const forms = new Set([text]);
  for (const json of [quoted, quoted.replaceAll(/[\u0080-\uFFFF]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)]) {
    forms.add(json);
    forms.add(JSON.stringify(json).slice(1, -1));
  }
  // A half surrogate pair has no URL form.
  if (text.isWellFormed()) {
    const encoded = encodeURIComponent(text);
    for (const url of [encoded, encoded.replaceAll(/%[0-9A-F]{2}/g, (digits) => digits.toLowerCase())]) {
      forms.add(url);
      forms.add(url.replaceAll("%20", "+"));
    }
  }
  const bytes = Buffer.from(text, "utf8");
  forms.add(bytes.toString("hex"));
  forms.add(bytes.toString("hex").toUpperCase());
  for (const form of base64Forms(bytes)) forms.add(form);
  return forms;
}

/** The base64 of a value differs with its offset in the encoded whole; the middle, which depends on the value alone, is what can be found. */
function base64Forms(bytes: Buffer): string[] {
  const forms: string[] = [];
  for (let offset = 0; offset < 3; offset += 1) {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    const start = Math.ceil((offset * 8) / 6);
    const end = Math.floor(((offset + bytes.length) * 8) / 6);
    const middle = encoded.slice(start, end);
    if (middle.length < SHORTEST_LINE) continue;
    forms.push(middle, middle.replaceAll("+", "-").replaceAll("/", "_"));
  }
  return forms;
}
