import { expect, test } from "vitest";
import { type Call, Options } from "../command.ts";
import { COMMANDS } from "../app.ts";
import { Context } from "../context.ts";
import { printList } from "./list.ts";

class KeepingContext extends Context {
  readonly written: string[] = [];
  override async writeOut(data: string | Uint8Array): Promise<void> {
    this.written.push(String(data));
  }
}

test("ten thousand pages of one row are printed whole, in order, and not one write for each", async () => {
  const context = new KeepingContext();
  const [command] = COMMANDS;
  const call: Call = { command: command as Call["command"], arguments: new Map(), options: new Options(), more: [], pairs: [], rest: [] };
  const rows = Array.from({ length: 10_000 }, (_, index) => ({ name: `name-${String(index).padStart(5, "0")}` }));
  const pages = rows.toReversed().map((row) => [row]);
  const columns = { headings: ["NAME"], cells: (row: { name: string }) => [row.name] };
  expect(await printList(call, context, pages, columns)).toBe(10_000);
  expect(context.written.join("")).toBe(
    `NAME\n${rows
      .toReversed()
      .map(({ name }) => `${name}\n`)
      .join("")}`,
  );
  expect(context.written.length).toBeLessThan(10);
});
