import type { ArgumentEntry, OptionEntry } from "./command.ts";

const OUTPUT: OptionEntry = {
  name: "output",
  short: "o",
  value: "FORMAT",
  choices: ["table", "json", "yaml"],
  sentence: "How to print the result: table (the default), json or yaml.",
};
/** For every command. */
export const HELP: OptionEntry = { name: "help", short: "h", sentence: "Show this help." };
/** For the commands that work on a stack. */
export const STACK: OptionEntry = {
  name: "stack",
  value: "STACK",
  completes: "stack",
  sentence: "Use this stack instead of the active one (also COFFER_STACK).",
};
const MANAGER: OptionEntry = {
  name: "secrets-manager",
  value: "NAME",
  completes: "secrets_manager",
  sentence: "Use this secrets manager instead of the stack's.",
};

/** For commands that take values. */
export const NO_WARN: OptionEntry = {
  name: "no-warn",
  sentence: "No warnings about values on the command line (also COFFER_NO_WARN=1).",
};
/** For commands that ask before they act. */
export const YES: OptionEntry = { name: "yes", short: "y", sentence: "Do not ask." };
/** For commands that can ask for values. */
export const INTERACTIVE: OptionEntry = {
  name: "interactive",
  short: "i",
  sentence: "Ask for the values at the terminal, without showing them.",
};
/** Values from a file or from stdin. */
export const VALUES: OptionEntry = {
  name: "values",
  short: "v",
  value: "@FILE",
  sentence: "Take keys and values from a file (.json, .yaml, .env) or from stdin (@-).",
};
/** The format of those. */
export const VALUES_FORMAT: OptionEntry = {
  name: "values-format",
  value: "FORMAT",
  choices: ["json", "yaml", "env"],
  sentence: "What --values holds, where the file's name does not tell; stdin is json.",
};
/** For commands that delete. */
export const IMMEDIATE: OptionEntry = { name: "immediate", sentence: "Skip the recovery window of services that have one." };
/** For commands that change what may be another tool's. */
export const ADOPT: OptionEntry = { name: "adopt", sentence: "Also change a secret that another tool has written; it is ours then." };
/** For commands that show values. */
export const MASKED: OptionEntry = { name: "masked", sentence: "Print *** instead of every value." };

/** For the commands about the store on this machine. */
export const KEY_FILE: OptionEntry = {
  name: "key-file",
  value: "FILE",
  sentence: "Where the key file lies, when that is not its usual place (also COFFER_KEY_FILE).",
};

/** For commands that define something. */
export const PROJECT: OptionEntry = {
  name: "project",
  isSettingWithValue: true,
  sentence: "Write to the project's coffer.json instead of the user's configuration.",
};
/** The kind of a component. */
export const FLAVOR: OptionEntry = {
  name: "flavor",
  short: "f",
  value: "FLAVOR",
  completes: "flavor",
  sentence: "What kind of service it is; `coffer secrets-manager flavor list` shows the kinds.",
};
/** Which part of a service's names a secrets manager owns. */
export const SCOPE: OptionEntry = {
  name: "scope",
  value: "SCOPE",
  choices: ["global", "namespace", "component", "none"],
  sentence: "Which secrets of the service are its own: global (the default), namespace, component or none.",
};
/** The name of that part. */
export const NAMESPACE: OptionEntry = { name: "namespace", value: "NAME", sentence: "The namespace, for --scope=namespace." };

/** Options that may also stand before the words of the command, where they are never mistaken for a key. */
export const GLOBAL_OPTIONS: readonly OptionEntry[] = [
  OUTPUT,
  STACK,
  MANAGER,
  NO_WARN,
  HELP,
  { name: "version", sentence: "Show the version." },
];
/** Options of every command. */
export const EVERYWHERE: readonly OptionEntry[] = [OUTPUT, HELP];
/** Options of the commands that work on a secrets manager. */
export const ON_A_MANAGER: readonly OptionEntry[] = [STACK, MANAGER, ...EVERYWHERE];

/** An argument that must be there. */
export const required = (name: string, sentence: string): ArgumentEntry => ({ name, required: true, sentence });
/** The argument of most commands. */
export const NAME: ArgumentEntry = required("NAME", "The name of the secret.");
