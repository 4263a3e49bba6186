import { previewProject, revokeTrust, trustProject } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { tableText } from "../../output/table.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { confirmed } from "../confirm.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const surroundings = { cwd: context.cwd, env: context.env };
  if (call.options.has("revoke")) {
    const revoked = await revokeTrust(surroundings);
    await printDone(call, context, revoked ? "The project is not trusted any more." : "The project was not trusted.", {
      trusted: false,
      revoked,
    });
    return;
  }
  // What the file would do is shown before anybody says yes to it.
  const { file, components, stacks, modules, digest } = await previewProject(surroundings);
  context.say(`${visible(context.shortPath(file))} defines:`);
  const rows = [
    ...components.map(({ type, name, flavor, settings }) => [
      type.replace("_", " "),
      `${name} (${flavor}) ${Object.entries(settings)
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .join(" ")}`,
    ]),
    ...stacks.map(({ name, secrets_manager, orchestrator }) => [
      "stack",
      `${name}: ${[secrets_manager, orchestrator].filter(Boolean).join(", ")}`,
    ]),
    ...modules.map((name) => ["module", `${name}, whose code will run`]),
  ];
  context.say(rows.length === 0 ? "nothing" : [...tableText(["WHAT", "NAME"], rows)].join("").trimEnd());
  if (!(await confirmed(call, context, "Trust it, as it is now?"))) {
    context.say("It is not trusted, and stays ignored.");
    return;
  }
  const report = await trustProject(surroundings, digest);
  const active = report.activated === undefined ? "" : ` Its stack "${visible(report.activated)}" is the active one here.`;
  await printDone(
    call,
    context,
    `Trusted ${visible(context.shortPath(report.file))}. When it changes you are asked again.${active}`,
    report,
  );
}
