/** The object in a text of JSON; `undefined` for anything else. */
export function jsonIn(text: string): object | undefined {
  try {
    const body: unknown = JSON.parse(text, exactNumbers);
    return typeof body === "object" && body !== null ? body : undefined;
  } catch {
    return undefined;
  }
}

// Node 22 has it; the es2024 library of TypeScript does not know it yet.
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** Keeps a number that a double cannot hold as it is written: other tools store 64-bit ids as numbers. */
function exactNumbers(this: unknown, _key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || context?.source === undefined || String(value) === context.source) return value;
  return rawJSON(context.source);
}
