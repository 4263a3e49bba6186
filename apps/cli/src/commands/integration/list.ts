import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { discoverInstalled } from "../../integrations.ts";
import { printList } from "../../output/list.ts";
import { outputFormat } from "../../output/write.ts";
import { sayProblems } from "../problems.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const found = await discoverInstalled(context);
  for (const { problems } of found) sayProblems(context, problems);
  const rows = found
    .flatMap(({ integrations }) => integrations)
    .map(({ package: name, version, directory, manifest }) => ({
      package: name,
      version,
      flavors: manifest.flavors.map((flavor) => flavor.name),
      schemas: manifest.schemas,
      folder: directory,
    }));
  // The same folder may be reached on two ways.
  const once = rows.filter((row, index) => rows.findIndex(({ folder }) => folder === row.folder) === index);
  const count = await printList(call, context, once.length === 0 ? [] : [once], {
    headings: ["PACKAGE", "VERSION", "FLAVORS", "SCHEMAS", "FOLDER"],
    cells: (row) => [row.package, row.version, row.flavors.join(", "), row.schemas.join(", "), context.shortPath(row.folder)],
  });
  if (count === 0 && outputFormat(call) === "table")
    context.say("No integration is installed. `coffer integration install aws` (or gcp, azure, vault, or any package) installs one.");
}
