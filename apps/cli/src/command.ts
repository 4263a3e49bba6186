import type { Context } from "./context.ts";

/** An option of ours. Without `value` it is a switch. */
export interface OptionEntry {
  readonly name: string;
  readonly short?: string;
  /** What its value is called in the help: `TYPE`. */
  readonly value?: string;
  /** The only values it takes. */
  readonly choices?: readonly string[];
  /** What its values are the names of, for the shell's completion. */
  readonly completes?: Completed;
  /** A switch whose name is also that of a setting of some service: with a value it is the setting. */
  readonly isSettingWithValue?: true;
  readonly sentence: string;
}

/** What the names of are known on this machine without asking a secrets manager. */
export type Completed = "schema" | "flavor" | "stack" | "secrets_manager" | "orchestrator";

export interface ArgumentEntry {
  readonly name: string;
  readonly required: boolean;
  /** The only values it takes. */
  readonly choices?: readonly string[];
  readonly completes?: Completed;
  /** Whether more of the same may follow: only of the last one. */
  readonly several?: boolean;
  readonly sentence: string;
}

/** One command, as data. Routing, parsing, help and did-you-mean read it; the code of the command is imported when it runs. */
export interface CommandEntry {
  readonly words: readonly string[];
  readonly arguments: readonly ArgumentEntry[];
  readonly options: readonly OptionEntry[];
  /** Whether every `--key=value` that is no option of ours is a key of the secret. */
  readonly pairs?: boolean;
  /** Whether everything after `--` is handed over as it is. */
  readonly rest?: boolean;
  readonly sentence: string;
  readonly examples: readonly string[];
  /** What people type for it elsewhere; only used to suggest this command. */
  readonly also?: readonly string[];
  /** Left out of the overview. */
  readonly hidden?: boolean;
  load(): Promise<CommandModule>;
}

/** What a command file exports. The number is the exit status; nothing is 0. */
export interface CommandModule {
  run(call: Call, context: Context): Promise<number | void>;
}

/** A `--key=value` of the user. */
export interface Pair {
  readonly key: string;
  readonly value: string;
  /** Written after `--`, where everything is a key. */
  readonly escaped: boolean;
}

/** A command line that was understood. */
export interface Call {
  readonly command: CommandEntry;
  /** By the name of the argument: `NAME`. */
  readonly arguments: ReadonlyMap<string, string>;
  /** What follows the last argument, where several of it may stand. */
  readonly more: readonly string[];
  readonly options: Options;
  readonly pairs: readonly Pair[];
  /** What stands after `--`, for the commands that take it. */
  readonly rest: readonly string[];
}

/** The options of a call. */
export class Options {
  readonly #values = new Map<string, string | true>();
  /** Options with a value that stand as `--name=value` among the keys of a secret, where a schema may have a key of that name. */
  readonly amongKeys = new Set<string>();

  /** `false` when the option was given already. */
  set(name: string, value: string | true): boolean {
    const isNew = !this.#values.has(name) || value === true;
    this.#values.set(name, value);
    return isNew;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The value of an option that takes one. */
  value(name: string): string | undefined {
    const value = this.#values.get(name);
    return value === true ? undefined : value;
  }
}
