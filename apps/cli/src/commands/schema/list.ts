import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { printList } from "../../output/list.ts";
import { everythingKnown } from "../known.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const registry = await everythingKnown(context);
  const schemas = registry
    .schemas()
    .map(({ type, integration, package: from, version }) => ({ schema: type, integration, package: from, version }));
  await printList(call, context, [schemas], {
    headings: ["SCHEMA", "INTEGRATION", "PACKAGE"],
    cells: (row) => [row.schema, row.integration, packageText(row)],
  });
}

function packageText(row: { readonly package: string | null; readonly version: string | null }): string {
  return [row.package, row.version].filter((part) => part !== null).join(" ");
}
