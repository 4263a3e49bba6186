import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { printList } from "../../output/list.ts";
import { everythingKnown } from "../known.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const registry = await everythingKnown(context);
  const flavors = registry
    .flavors()
    .filter((entry) => entry.type === "secrets_manager")
    .map(({ type, name, aliases, integration, package: from, version }) => ({
      flavor: name,
      type,
      integration,
      package: from,
      version,
      aliases,
    }));
  await printList(call, context, [flavors], {
    headings: ["FLAVOR", "INTEGRATION", "PACKAGE", "ALIASES"],
    cells: (row) => [
      row.flavor,
      row.integration,
      [row.package, row.version].filter((part) => part !== null).join(" "),
      row.aliases.join(", "),
    ],
  });
}
