import { SecretsError } from "@coffer/core";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { discoverInstalled } from "../../integrations.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { confirmed } from "../confirm.ts";
import { packageOf, placeOf } from "./place.ts";

/** `coffer integration install` and `uninstall`: with the package manager of the place, after showing what it will run. */
export async function run(call: Call, context: Context): Promise<void> {
  const removing = call.command.words[1] === "uninstall";
  const packages = [call.arguments.get("NAME") ?? "", ...call.more].map(packageOf);
  const place = placeOf(context);
  const there = (await discoverInstalled(context)).flatMap(({ integrations }) => integrations.map((found) => found.package));
  const wanted = packages.filter((name) => there.includes(name) === removing);
  for (const name of packages)
    if (!wanted.includes(name)) context.say(`${visible(name)} ${removing ? "is not installed." : "is installed already."}`);
  if (wanted.length > 0) {
    const args = [...(removing ? place.uninstall : place.install), ...wanted];
    context.say(`In ${visible(context.shortPath(place.folder))} this will run: ${[place.program, ...args].join(" ")}`);
    if (!(await confirmed(call, context, "Run it?"))) {
      context.say("Nothing was changed.");
      return;
    }
    if (!removing) context.ensureFile(place.folder, "package.json", '{ "private": true }\n');
    const status = await context.runProgram(place.program, args, place.folder);
    if (status !== 0) throw failed(place.program, status);
  }
  const done = removing ? "Uninstalled" : "Installed";
  await printDone(call, context, wanted.length === 0 ? "Nothing was changed." : `${done}: ${wanted.join(", ")}`, {
    folder: place.folder,
    packages: wanted,
  });
}

function failed(program: string, status: number | { readonly problem: string }): SecretsError {
  const why = typeof status === "number" ? `ended with ${status}` : `could not be started (${status.problem})`;
  return new SecretsError("unavailable", `${program} ${why}; what it said stands above.`, {
    hint: "Install the package by hand beside coffer, then look with: coffer integration list",
  });
}
