import type { Call } from "../command.ts";
import type { Context } from "../context.ts";
import { escapeUnseen } from "./json.ts";
import { lengthOf } from "./table.ts";
import { visible } from "./visible.ts";
import { outputFormat } from "./write.ts";
import { yamlText } from "./yaml.ts";

/** How a list is shown. */
export interface Columns<Row> {
  readonly headings: readonly string[];
  /** The cells of a table's row, each one line. */
  cells(row: Row): readonly string[];
  /** Rows are printed in the order of this, where it is given. */
  sortBy?(row: Row): string;
}

// What is printed holds neither, because control characters are shown, not obeyed.
const BETWEEN_ROWS = "\0";
const BETWEEN_CELLS = "\u0001";
const WRITTEN_AT_ONCE = 65_536;

/**
 * Prints a list when all of it is there: a table, a JSON array with one object per line, or YAML. When the third page fails, nothing was printed that
 * looks like a list. What is kept until then is one text for each page: a hundred thousand small objects take longer to keep than to print.
 * @returns how many rows there were
 */
export async function printList<Row extends object>(
  call: Call,
  context: Context,
  pages: Iterable<readonly Row[]> | AsyncIterable<readonly Row[]>,
  columns: Columns<Row>,
): Promise<number> {
  const format = outputFormat(call);
  const layout = format === "table" ? new TableLayout(columns) : format === "json" ? new JsonLayout<Row>() : new YamlLayout<Row>();
  let texts: string[] = [];
  const keys: string[] = [];
  let last = "";
  let sorted = true;
  let count = 0;
  for await (const page of pages) {
    count += page.length;
    if (columns.sortBy !== undefined) {
      const pageKeys = page.map(columns.sortBy);
      for (const key of pageKeys) {
        sorted &&= last <= key;
        last = key;
      }
      keys.push(pageKeys.join(BETWEEN_ROWS));
    }
    texts.push(layout.page(page));
  }
  // What comes in order, as from most services, is not sorted again.
  if (!sorted) texts = inOrder(texts, keys);
  if (count === 0) await context.writeOut(layout.empty);
  let waiting = "";
  for (const [index, text] of texts.entries()) {
    waiting += layout.printed(text, index === 0, index === texts.length - 1);
    // From a driver that hands out single names every text is one row: not each is worth a write of its own.
    if (waiting.length < WRITTEN_AT_ONCE && index < texts.length - 1) continue;
    await context.writeOut(waiting);
    waiting = "";
  }
  return count;
}

/** The same rows on one page, in the order of their keys. */
function inOrder(texts: readonly string[], keys: readonly string[]): string[] {
  const rows = texts.flatMap((text) => text.split(BETWEEN_ROWS));
  const rowKeys = keys.flatMap((page) => page.split(BETWEEN_ROWS));
  const order = rows.map((row, index) => ({ row, key: rowKeys[index] ?? "" })).sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
  return [order.map(({ row }) => row).join(BETWEEN_ROWS)];
}

/** What a format makes of rows. */
interface Layout<Row> {
  readonly empty: string;
  /** The rows of a page as one text. */
  page(rows: readonly Row[]): string;
  /** What is printed for it, once all pages are there. */
  printed(text: string, first: boolean, last: boolean): string;
}

class TableLayout<Row> implements Layout<Row> {
  readonly empty = "";
  readonly #columns: Columns<Row>;
  readonly #widths: number[];

  constructor(columns: Columns<Row>) {
    this.#columns = columns;
    this.#widths = columns.headings.map((heading) => heading.length);
  }

  page(rows: readonly Row[]): string {
    const table = rows.map((row) => this.#columns.cells(row).map(visible));
    for (const cells of table) for (let column = 0; column < cells.length - 1; column += 1) this.#widen(column, cells[column] ?? "");
    return table.map((cells) => this.#padded(cells)).join(BETWEEN_ROWS);
  }

  printed(text: string, first: boolean): string {
    const [line = ""] = text.split(BETWEEN_ROWS, 1);
    const fits = line
      .split(BETWEEN_CELLS)
      .every((cell, column, { length }) => column === length - 1 || lengthOf(cell) === this.#widths[column]);
    const rows = fits ? text : this.#widened(text);
    const lines = `${rows.replaceAll(BETWEEN_CELLS, "  ").replaceAll(BETWEEN_ROWS, "\n")}\n`.replaceAll(/ +\n/g, "\n");
    return first ? `${this.#padded(this.#columns.headings).replaceAll(BETWEEN_CELLS, "  ")}\n${lines}` : lines;
  }

  #widen(column: number, cell: string): void {
    const length = lengthOf(cell);
    if (length > (this.#widths[column] ?? 0)) this.#widths[column] = length;
  }

  #padded(cells: readonly string[]): string {
    const last = cells.length - 1;
    let line = "";
    for (let column = 0; column < last; column += 1) {
      const cell = cells[column] ?? "";
      line += cell + " ".repeat((this.#widths[column] ?? 0) - lengthOf(cell)) + BETWEEN_CELLS;
    }
    return line + (cells[last] ?? "");
  }

  // A later page had a longer cell. Spaces at the end of a cell are padding, or are not seen there anyway.
  #widened(text: string): string {
    const rows = text.split(BETWEEN_ROWS);
    return rows.map((row) => this.#padded(row.split(BETWEEN_CELLS).map((cell) => cell.trimEnd()))).join(BETWEEN_ROWS);
  }
}

class JsonLayout<Row> implements Layout<Row> {
  readonly empty = "[]\n";

  page(rows: readonly Row[]): string {
    return rows.map((row) => `  ${escapeUnseen(JSON.stringify(row))}`).join(BETWEEN_ROWS);
  }

  printed(text: string, first: boolean, last: boolean): string {
    return `${first ? "[\n" : ",\n"}${text.replaceAll(BETWEEN_ROWS, ",\n")}${last ? "\n]\n" : ""}`;
  }
}

class YamlLayout<Row extends object> implements Layout<Row> {
  readonly empty = "[]\n";

  page(rows: readonly Row[]): string {
    return rows.map((row) => yamlText([row])).join(BETWEEN_ROWS);
  }

  printed(text: string): string {
    return text.replaceAll(BETWEEN_ROWS, "");
  }
}
