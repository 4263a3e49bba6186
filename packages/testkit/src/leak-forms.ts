/** One way in which a value travels. */
export interface LeakForm {
  readonly form: "raw" | "first 8 characters" | "JSON" | "URL" | "hex" | "base64";
  readonly text: string;
}

// Shorter pieces occur by chance.
const SHORTEST_PIECE = 6;
const HEAD = 8;

/**
 * The forms in which a value can leak: as it is, its first 8 characters, JSON-escaped once and twice, URL-encoded, hexadecimal, and base64 at each of
 * the three offsets that it can have in a longer text.
 */
export function leakForms(value: string): LeakForm[] {
  const bytes = Buffer.from(value, "utf8");
  const escaped = JSON.stringify(value).slice(1, -1);
  const encoded = encodeURIComponent(value);
  const forms: LeakForm[] = [
    { form: "raw", text: value },
    { form: "first 8 characters", text: value.slice(0, HEAD) },
    { form: "JSON", text: escaped },
    { form: "JSON", text: JSON.stringify(escaped).slice(1, -1) },
    { form: "URL", text: encoded },
    { form: "URL", text: encoded.replaceAll("%20", "+") },
    { form: "hex", text: bytes.toString("hex") },
    { form: "hex", text: bytes.toString("hex").toUpperCase() },
    ...base64Pieces(bytes).map((text) => ({ form: "base64" as const, text })),
  ];
  const seen = new Set<string>();
  return forms.filter(({ text }) => text.length >= SHORTEST_PIECE && !seen.has(text) && seen.add(text));
}

/** The characters of the base64 that depend on the value alone, whatever stands before and after it. */
function base64Pieces(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    const piece = encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
    return [piece, piece.replaceAll("+", "-").replaceAll("/", "_")];
  });
}
