import { visible } from "./visible.ts";

/** What stands for a value that is not shown: always the same, so that its length tells nothing. */
export const MASK = "***";

/**
 * Rows under a heading, columns aligned, one line per row; only the last column may hold several lines, which then stand under each other.
 * Control characters are shown, not obeyed. Yields pieces of text, so that a long table can be written while it is made.
 */
export function* tableText(headings: readonly string[], rows: readonly (readonly string[])[]): Generator<string> {
  const last = headings.length - 1;
  const safe = rows.map((row) => row.map((cell, column) => (column === last ? cell : visible(cell))));
  const widths = headings.map((heading, column) =>
    safe.reduce((width, row) => Math.max(width, lengthOf(row[column] ?? "")), heading.length),
  );
  const pad = (cell: string, column: number): string =>
    column === last ? cell : cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - lengthOf(cell)));
  const margin = " ".repeat(widths.slice(0, last).reduce((sum, width) => sum + width + 2, 0));
  yield `${headings.map(pad).join("  ").trimEnd()}\n`;
  for (const row of safe) {
    const lines = (row[last] ?? "").split("\n").map(visible);
    yield `${[...row.slice(0, last).map(pad), lines.join(`\n${margin}`)].join("  ").trimEnd()}\n`;
  }
}

/** How many characters a text has; what it takes on a terminal, but for wide ones. */
export function lengthOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let length = 0;
  for (const _character of text) length += 1;
  return length;
}
