import { SecretsError } from "@coffer/core";
import type { PassphraseRequest } from "@coffer/local";
import type { Context } from "../context.ts";
import { visible } from "../output/visible.ts";
import { Prompter } from "./prompt.ts";

/** How a passphrase can be given where nobody can be asked. */
export const WITHOUT_TERMINAL =
  "Run the command in a terminal to be asked, or name a file that holds it: COFFER_PASSPHRASE_FILE=./FILE coffer …";

/**
 * Asks for the passphrase of a store at the terminal, for a new one twice.
 * @throws SecretsError `unauthenticated` when there is no terminal; Stopped when the question was left
 */
export async function askPassphrase(context: Context, request: PassphraseRequest): Promise<string> {
  if (!context.canAsk) {
    throw new SecretsError("unauthenticated", "The store on this machine is protected by a passphrase, and none was given.", {
      flavor: "local",
      hint: WITHOUT_TERMINAL,
    });
  }
  return Prompter.use(context, WITHOUT_TERMINAL, (prompter) =>
    request.purpose === "open" ? askOnce(prompter, context.shortPath(request.path)) : askTwice(prompter),
  );
}

/** The passphrase of a store that exists. */
export async function askOnce(prompter: Prompter, path: string): Promise<string> {
  for (;;) {
    const answer = await prompter.hidden(`Passphrase of ${visible(path)}: `);
    if (answer !== "") return answer;
  }
}

/** A new passphrase, typed twice: a slip in it would lock its owner out. */
export async function askTwice(prompter: Prompter): Promise<string> {
  for (;;) {
    const answer = await prompter.hidden("New passphrase: ");
    if (answer === "") {
      prompter.say("A passphrase has at least one character; several words are better.");
      continue;
    }
    if ((await prompter.hidden("The same again: ")) === answer) return answer;
    prompter.say("The two are not the same.");
  }
}
