import { COMMANDS } from "./app.ts";
import { Context } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { reportBug, reportFailure } from "./output/failure.ts";
import { parse } from "./parse.ts";

/** Runs the command line of this process. `integrationFolders` is for the development entry. */
export async function main(integrationFolders: readonly string[] = []): Promise<void> {
  const context = new Context(integrationFolders);
  context.onCrash((error) => reportBug(error, context));
  let status: number;
  try {
    status = await run(context);
  } catch (error) {
    status = reportFailure(error, context);
  }
  context.end(status);
}

async function run(context: Context): Promise<number> {
  const request = parse(context.argv, COMMANDS);
  if (request.kind === "call") {
    const { run: command } = await request.call.command.load();
    return (await command(request.call, context)) ?? EXIT.done;
  }
  const { about } = await import("./about.ts");
  if (request.kind === "version") await context.writeOut(`${about.version}\n`);
  else {
    const { helpText } = await import("./help.ts");
    await context.writeOut(helpText(request.command, request.words));
  }
  return EXIT.done;
}
