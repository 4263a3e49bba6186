import { importStack } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { readStdinText, readValuesFile } from "../../input/files.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { UsageError } from "../../stop.ts";
import { sayWarnings, whereOf } from "../where.ts";
import { stackRecord } from "./shown.ts";

export async function run(call: Call, context: Context): Promise<void> {
  const file = call.arguments.get("FILE") ?? "";
  const text = file === "-" ? await readStdinText(context, "the stack") : readValuesFile(context, file);
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    // The message of JSON.parse quotes the text.
    throw new UsageError("The file is not valid JSON.", "`coffer stack export NAME` writes such a file.");
  }
  const { stack, reused, warnings } = await importStack(data, {
    ...whereOf(call, context),
    name: call.options.value("name"),
    rename: renames(call.options.value("rename")),
  });
  sayWarnings(context, warnings);
  const known = reused.length === 0 ? "" : ` Already there, and used: ${reused.map(visible).join(", ")}.`;
  await printDone(call, context, `Imported the stack "${visible(stack.name)}".${known}`, { ...stackRecord(stack), reused });
}

/** `--rename=OLD:NEW,OLD:NEW` */
function renames(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return undefined;
  return Object.fromEntries(
    text.split(",").map((pair) => {
      const [from, to, ...more] = pair.split(":");
      if (!from || !to || more.length > 0)
        throw new UsageError("--rename takes pairs of names.", "Write: --rename=OLD:NEW, or --rename=OLD:NEW,OTHER:ANOTHER");
      return [from, to];
    }),
  );
}
