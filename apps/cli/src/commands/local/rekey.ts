import { SecretsError } from "@coffer/core";
import type { LocalStatus, Protection } from "@coffer/local";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { readPassphraseFile } from "../../input/files.ts";
import { askOnce, askTwice, WITHOUT_TERMINAL } from "../../input/passphrase.ts";
import { Prompter } from "../../input/prompt.ts";
import { PROTECTION_NAMES, WHILE_TYPING_MS } from "../../local-store.ts";
import { visible } from "../../output/visible.ts";
import { printDone } from "../../output/write.ts";
import { UsageError } from "../../stop.ts";
import { localDialogue } from "./dialogue.ts";

/** What was asked before anything is changed. */
interface Answers {
  readonly confirmed: boolean;
  readonly oldPassphrase?: string;
  readonly newPassphrase?: string;
}

export async function run(call: Call, context: Context): Promise<void> {
  const { signal } = context;
  const dialogue = localDialogue(call, context);
  const settings = dialogue.settings();
  const { localStatus, meaningOf, PROTECTIONS, rekey } = await import("@coffer/local");
  const status = await localStatus(settings, { signal });
  if (!status.exists) {
    throw new SecretsError("invalid_request", `There is no store yet (${visible(status.path)}).`, {
      hint: "The first secret makes it: coffer secret register NAME -i",
    });
  }
  const after = PROTECTIONS.find((known) => known === call.options.value("protection")) ?? status.protection;
  const file = call.options.value("passphrase-file");
  if (file !== undefined && after !== "passphrase") {
    throw new UsageError("--passphrase-file is for a store that is protected by a passphrase.", "Add --protection=passphrase.");
  }
  const fromFile = file === undefined ? undefined : readPassphraseFile(context, file);
  context.say(whatChanges(context, status, after, meaningOf(after)));
  const answers = await ask(call, context, status, {
    needsNew: after === "passphrase" && fromFile === undefined,
    canOpen: dialogue.hasPassphrase,
  });
  if (!answers.confirmed) {
    context.say("Nothing was changed.");
    return;
  }
  const { oldPassphrase, newPassphrase = fromFile } = answers;
  const report = await rekey(
    { ...settings, ...(oldPassphrase === undefined ? {} : { passphrase: oldPassphrase }) },
    { protection: after, passphrase: newPassphrase },
    { signal, timeoutMs: WHILE_TYPING_MS },
  );
  const count = `${report.secrets} ${report.secrets === 1 ? "secret was" : "secrets were"} encrypted anew`;
  await printDone(
    call,
    context,
    `The store is protected by ${PROTECTION_NAMES[report.after]} now; ${count}.${keyPlace(context, report.keyFile)}`,
    report,
  );
}

function whatChanges(
  context: Context,
  { path, protection, meaning, secrets }: LocalStatus,
  after: Protection,
  meaningAfter: string,
): string {
  const count = secrets === null ? "" : ` (${secrets} ${secrets === 1 ? "secret" : "secrets"})`;
  const change =
    protection === after
      ? [`It stays protected by ${PROTECTION_NAMES[after]}, with a new key.`]
      : [`Now it is protected by ${PROTECTION_NAMES[protection]}. ${meaning}`, `Then by ${PROTECTION_NAMES[after]}. ${meaningAfter}`];
  return [
    `Every secret of the store ${visible(context.shortPath(path))}${count} will be encrypted with a new key.`,
    ...change,
    "Copies of the store that were made before still open with the old key.",
  ].join("\n");
}

/** One dialogue for everything, before anything is changed. */
async function ask(
  call: Call,
  context: Context,
  { protection, path }: LocalStatus,
  { needsNew, canOpen }: { readonly needsNew: boolean; readonly canOpen: boolean },
): Promise<Answers> {
  const confirm = !call.options.has("yes");
  const needsOld = protection === "passphrase" && !canOpen;
  // A passphrase that lies in a file opens the store, and is also the new one unless another is given.
  const asksNew = needsNew && !canOpen;
  if (!confirm && !needsOld && !asksNew) return { confirmed: true };
  const how = confirm && !needsOld && !asksNew ? "Without a terminal say it beforehand: coffer local rekey … --yes" : WITHOUT_TERMINAL;
  return Prompter.use(context, how, async (prompter) => {
    if (confirm && !(await prompter.confirm("Go on?"))) return { confirmed: false };
    return {
      confirmed: true,
      ...(needsOld ? { oldPassphrase: await askOnce(prompter, context.shortPath(path)) } : {}),
      ...(asksNew ? { newPassphrase: await askTwice(prompter) } : {}),
    };
  });
}

function keyPlace(context: Context, keyFile: string | null): string {
  return keyFile === null ? "" : ` Key file: ${visible(context.shortPath(keyFile))}`;
}
