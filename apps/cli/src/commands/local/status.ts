import { nameInScope, scopePrefix } from "@coffer/core";
import type { LocalStatus } from "@coffer/local";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { EXIT } from "../../exit-codes.ts";
import { tableText } from "../../output/table.ts";
import { visible } from "../../output/visible.ts";
import { printRecord } from "../../output/write.ts";
import { localDialogue } from "./dialogue.ts";

export async function run(call: Call, context: Context): Promise<number> {
  const dialogue = localDialogue(call, context);
  const verify = call.options.has("verify");
  const settings = verify ? await dialogue.settingsWithPassphrase() : dialogue.settings();
  const { localStatus } = await import("@coffer/local");
  const found = await localStatus(settings, { verify, signal: context.signal }).catch((error: unknown) => {
    throw dialogue.left ?? error;
  });
  const status =
    found.verified === null ? found : { ...found, verified: { ...found.verified, damaged: found.verified.damaged.map(shortName) } };
  await printRecord(call, context, status, () => tableText(["STORE", visible(status.path)], rowsOf(status)));
  const { verified } = status;
  if (verified === null || (verified.complete && verified.damaged.length === 0)) return EXIT.done;
  context.say("error: The store is damaged; the other secrets can still be read by name.\nhint: Restore the file from a backup.");
  return EXIT.corrupt;
}

/** A store may serve several scopes; names of the usual one are shown as they are everywhere else. */
function shortName(stored: string): string {
  return nameInScope(stored, scopePrefix({})) ?? stored;
}

function rowsOf({ exists, protection, meaning, keyFile, secrets, bytes, format, verified }: LocalStatus): readonly (readonly string[])[] {
  if (!exists)
    return [
      ["state", "not there yet; the first secret makes it"],
      ["protection", `${protection} (unless the settings say otherwise)`],
    ];
  return [
    ["protection", `${protection}\n${meaning}`],
    ...(keyFile === null ? [] : [["key file", keyFile]]),
    ["secrets", secrets === null ? "" : secrets.toLocaleString("en")],
    ["size", `${bytes.toLocaleString("en")} bytes`],
    ["format", format === null ? "" : String(format)],
    ...(verified === null ? [] : [["verified", verifiedText(verified)]]),
  ];
}

function verifiedText({ damaged, complete }: NonNullable<LocalStatus["verified"]>): string {
  const problems = [...damaged.map((name) => `damaged: ${visible(name)}`), ...(complete ? [] : ["secrets were taken out or exchanged"])];
  return problems.length === 0 ? "every secret opens, and none is missing" : problems.join("\n");
}
