import { SecretsError } from "@coffer/core";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { StoreDialogue } from "../../local-store.ts";
import { visible } from "../../output/visible.ts";
import { configurationOf, managerOf } from "../../stack.ts";
import { managerOpening } from "@coffer/stack/read";

/**
 * The dialogue with the store that the commands `coffer local …` are about: the one of the stack's secrets manager.
 * @throws SecretsError `unsupported` when that manager is of another flavor
 */
export function localDialogue(call: Call, context: Context): StoreDialogue {
  const component = managerOf(call, configurationOf(context));
  const { flavor, settings } = managerOpening(component, context.env);
  if (flavor !== "local") {
    throw new SecretsError(
      "unsupported",
      `The secrets manager "${visible(component.name)}" is of the flavor ${flavor}, which has no store on this machine.`,
      {
        hint: "Name one of the flavor local: --secrets-manager=NAME",
      },
    );
  }
  const keyFile = call.options.value("key-file");
  return new StoreDialogue(context, keyFile === undefined ? settings : { ...settings, key_file: keyFile });
}
