import { looksSecret, type OpenableFlavor, settingFields } from "@coffer/stack";
import type { Call } from "../../command.ts";
import type { Context } from "../../context.ts";
import { readGivenValues } from "../../input/values.ts";
import { valueText } from "../../output/value-text.ts";
import { visible } from "../../output/visible.ts";

/** The settings on the command line as text: `--key=value`, `--key=@FILE`. */
export async function givenSettings(call: Call, context: Context): Promise<ReadonlyMap<string, string>> {
  const { values } = await readGivenValues(call, context);
  // A setting that stands in a file of its own usually ends with a line break that is no part of it.
  return new Map([...values].map(([key, value]) => [key, value.replace(/^([^\r\n]+)\r?\n$/, "$1")]));
}

/** Asks for every setting of a flavor. Enter skips one that may be left out; one that looks like a secret is not shown. */
export async function askSettings(context: Context, flavor: OpenableFlavor): Promise<ReadonlyMap<string, string>> {
  const fields = (await settingFields(flavor)).filter(({ type }) => type !== "custom");
  const { Prompter } = await import("../../input/prompt.ts");
  return Prompter.use(context, "Without a terminal give the settings as --setting=value.", async (prompter) => {
    if (fields.length > 0) prompter.say("Enter alone skips a setting that is optional.");
    const texts = new Map<string, string>();
    for (const { key, required, expected, default: value } of fields) {
      const note = required ? "required" : value === undefined ? "optional" : `default ${visible(valueText(value))}`;
      const question = `${visible(key)} (${expected}, ${note}): `;
      for (;;) {
        const answer = await (looksSecret(key) ? prompter.hidden(question) : prompter.shown(question));
        if (answer !== "") texts.set(key, answer);
        if (answer !== "" || !required) break;
        prompter.say(`"${visible(key)}" is required.`);
      }
    }
    return texts;
  });
}
