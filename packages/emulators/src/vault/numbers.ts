// Node 22 has them; the es2024 library of TypeScript does not know them yet.
const { rawJSON, isRawJSON } = JSON as unknown as {
  rawJSON(text: string): WrittenNumber;
  isRawJSON(value: unknown): value is WrittenNumber;
};

/** A number that a double would change, as it was written: `9007199254740993`, `1.0`. As JSON it is written so again. */
export interface WrittenNumber {
  readonly rawJSON: string;
}

/** Reads JSON without changing a number. Throws a `SyntaxError` when it is none. */
export function parseExactly(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) =>
    typeof value === "number" && context?.source !== undefined && String(value) !== context.source ? rawJSON(context.source) : value,
  );
}

/** Whether this is a number that is kept as it was written. */
export function isWrittenNumber(value: unknown): value is WrittenNumber {
  return isRawJSON(value);
}

/** What a value is as a whole number; `NaN` when it is written like none. */
export function wholeNumber(value: unknown): number {
  if (isWrittenNumber(value)) return wholeNumber(value.rawJSON);
  if (typeof value === "string" ? !/^-?\d+$/.test(value) : typeof value === "object" && value !== null) return Number.NaN;
  const number = Number(value);
  return Number.isInteger(number) ? number : Number.NaN;
}
