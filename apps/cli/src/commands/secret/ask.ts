import { KEY_RULE, parseValues, type SecretSchema, schemaFields, textValues } from "@coffer/core";
import type { Context } from "../../context.ts";
import { readValueFile } from "../../input/files.ts";
import { sourceOf } from "../../input/pairs.ts";
import type { Prompter } from "../../input/prompt.ts";
import { valueText } from "../../output/value-text.ts";
import { visible } from "../../output/visible.ts";
import { UsageError } from "../../stop.ts";

/** What to say when -i is asked for without a terminal. */
export const WITHOUT_TERMINAL = "Without a terminal give the values with --key=@FILE, --key=@- or --values=@FILE.";

/** Asks for every key of a schema. Enter skips an optional one; a required one is asked again, and so is one whose value does not fit. */
export async function askFields(prompter: Prompter, context: Context, schema: SecretSchema): Promise<Map<string, string>> {
  prompter.say("Nothing of what you type is shown. Enter alone skips a key that is optional; @FILE reads a file.");
  const values = new Map<string, string>();
  for (const field of schemaFields(schema)) {
    const note = field.required ? "required" : field.default === undefined ? "optional" : `default ${visible(valueText(field.default))}`;
    const value = await askValue(prompter, context, field.key, { note: `${field.expected}, ${note}`, required: field.required, schema });
    if (value !== undefined) values.set(field.key, value);
  }
  return values;
}

/** Asks for keys and values until there are no more. */
export async function askPairs(prompter: Prompter, context: Context): Promise<Map<string, string>> {
  prompter.say("Values are not shown while you type them; @FILE reads a file.");
  const values = new Map<string, string>();
  do {
    const key = (await prompter.shown("Key: ")).trim();
    const problem = keyProblem(key, values);
    if (problem === undefined) values.set(key, (await askValue(prompter, context, key, { note: "text" })) ?? "");
    else prompter.say(problem);
    if (values.size === 0) continue;
  } while (values.size === 0 || (await prompter.confirm("Add another key?")));
  return values;
}

function keyProblem(key: string, values: ReadonlyMap<string, string>): string | undefined {
  if (key === "") return "A key is needed.";
  if (key === "name") return 'A key cannot be called "name"; `coffer secret register NAME -- --name=VALUE` stores one all the same.';
  if (values.has(key)) return `The key "${visible(key)}" was given already; \`coffer secret update NAME -i\` changes it later.`;
  return NEW_KEY.test(key) ? undefined : `"${visible(key)}" cannot be a key. A key is ${KEY_RULE}.`;
}

// The rule that core applies when it stores the secret; asked here as well, so that a slip costs one line and not the whole dialogue.
const NEW_KEY = /^[A-Za-z_][A-Za-z0-9_.-]{0,254}$/;

/** Asks for new values of these keys; Enter keeps the current one. */
export async function askChanges(
  prompter: Prompter,
  context: Context,
  keys: readonly { readonly key: string; readonly expected: string; readonly set: boolean; readonly required?: boolean }[],
  schema: SecretSchema | undefined,
): Promise<Map<string, string>> {
  prompter.say("Nothing of what you type is shown. Enter alone keeps what is there; @FILE reads a file.");
  const values = new Map<string, string>();
  for (const { key, expected, set, required = false } of keys) {
    const value = await askValue(prompter, context, key, {
      note: `${expected}, ${set ? "Enter keeps the current value" : required ? "required" : "not set"}`,
      required,
      schema,
    });
    if (value !== undefined) values.set(key, value);
  }
  return values;
}

interface Question {
  readonly note: string;
  readonly required?: boolean;
  /** What the value is held against at once, so that a slip costs one line and not the whole dialogue. */
  readonly schema?: SecretSchema | undefined;
}

async function askValue(prompter: Prompter, context: Context, key: string, question: Question): Promise<string | undefined> {
  for (;;) {
    const answer = await prompter.hidden(`${visible(key)} (${question.note}): `);
    if (answer === "") {
      if (question.required !== true) return undefined;
      prompter.say(`"${visible(key)}" is required.`);
      continue;
    }
    const value = readAnswer(prompter, context, key, answer);
    if (value === undefined) continue;
    const expected = await misfit(question.schema, key, value);
    if (expected === undefined) return value;
    prompter.say(`"${visible(key)}" does not fit: expected ${expected}.`);
  }
}

function readAnswer(prompter: Prompter, context: Context, key: string, answer: string): string | undefined {
  const source = sourceOf(answer);
  if (source.from === "argument") return source.text;
  if (source.from === "stdin") {
    prompter.say("@- cannot be used here; type the value, or @FILE.");
    return undefined;
  }
  try {
    return readValueFile(context, key, source.path);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    prompter.say(`${error.message} ${error.hint}`);
    return undefined;
  }
}

/** What the schema expects of this key, when the value is something else. What depends on other keys is for the whole secret's check. */
async function misfit(schema: SecretSchema | undefined, key: string, value: string): Promise<string | undefined> {
  if (schema?.fields === undefined) return undefined;
  const { issues } = await parseValues(schema, textValues([[key, value]]));
  const issue = issues?.find((each) => each.key === key && each.problem === "invalid");
  return issue === undefined ? undefined : (issue.expected ?? "something else");
}
