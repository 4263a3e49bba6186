import { type ErrorCode, SecretsError } from "@coffer/core";
import type { Context } from "../context.ts";
import { EXIT, EXIT_OF_CODE, EXIT_OF_SIGNAL } from "../exit-codes.ts";
import { OutputError, Stopped, UsageError } from "../stop.ts";
import { visibleLines } from "./visible.ts";

/** What to do about an error, in terms of the command line; what the library says about its own API would not help here. */
const HINTS: Partial<Record<ErrorCode, string>> = {
  not_found: "`coffer secret list` shows the names that exist.",
  already_exists: "`coffer secret update NAME` changes a secret, `coffer secret delete NAME` makes room for a new one.",
  conflict: "Somebody else was faster: look at it with `coffer secret get NAME` and run the command again.",
  recently_deleted:
    "`coffer secret restore NAME` brings it back; `coffer secret register NAME --on-deleted=restore …` brings it back and writes the new values.",
  schema_violation: "`coffer schema describe TYPE` shows the keys of a schema.",
  schema_mismatch: "`coffer secret get NAME --no-validate` shows the stored text; `coffer secret update NAME` mends it.",
  unavailable: "Run the command again later.",
  timeout: "Run the command again later.",
  throttled: "Run the command again later.",
};

/** What to do about a revision that is not there. */
export const NO_REVISION_HINT = "`coffer secret history NAME` lists the revisions that are kept.";

/** What to do about a secret that is not ours to change. */
const FOREIGN_HINT =
  "To change it all the same, so that it is ours then: coffer secret update NAME --adopt … To leave it and make one of your own from it: coffer secret copy NAME NEW_NAME (--to=MANAGER puts it elsewhere).";

/** What the library says to do in terms of its API, said in commands. */
const COMMAND_FOR: Readonly<Record<string, string>> = {
  "List the secrets to see which names exist.": "`coffer secret list` shows the names that exist.",
  "List its history to see which revisions are kept.": NO_REVISION_HINT,
};

// Where the library's own hint names the API, the table above stands in for it; everywhere else it knows more than the table.
const TABLE_FIRST: ReadonlySet<ErrorCode> = new Set(["already_exists", "conflict", "recently_deleted", "schema_mismatch", "timeout"]);

/** Reports an error on stderr in at most a few lines, never with a value or a stack, and answers the exit status. */
export function reportFailure(error: unknown, context: Context): number {
  if (error instanceof UsageError) return fail(context, error.message, error.hint, EXIT.usage);
  if (error instanceof OutputError)
    return fail(
      context,
      `The result could not be written to stdout (${error.code}).`,
      "Make room or write somewhere else, then run the command again.",
      EXIT.output,
    );
  if (SecretsError.isInstance(error)) return reportSecretsError(error, context);
  if (context.stoppedBy !== undefined) return stopped(context, EXIT_OF_SIGNAL[context.stoppedBy]);
  if (error instanceof Stopped) {
    if (error.by === "SIGPIPE") return EXIT.brokenPipe;
    if (error.by === "end of input")
      return fail(
        context,
        "The input ended before everything was answered.",
        "Run the command again, or give the values with --key=@FILE.",
        EXIT.failed,
      );
    return stopped(context, EXIT_OF_SIGNAL[error.by]);
  }
  return reportBug(error, context);
}

/** Reports an error of our own making. Its message is not shown, because nobody has checked that it holds no value. */
export function reportBug(error: unknown, context: Context): number {
  const kind = error instanceof Error ? error.name : typeof error;
  const hint =
    "Please report this with the command and the version (coffer --version), without the values. COFFER_DEBUG=1 shows where it happened.";
  const status = fail(context, `A bug in coffer itself (${kind}); the command may not have done its work.`, hint, EXIT.bug);
  if (context.env["COFFER_DEBUG"] === "1" && error instanceof Error) {
    context.say(
      (error.stack ?? "")
        .split("\n")
        .filter((line) => /^\s+at /.test(line))
        .join("\n"),
    );
  }
  return status;
}

function reportSecretsError(error: SecretsError, context: Context): number {
  // The message may say already that the change may have happened.
  const maybe = error.message.includes("may have happened") ? "" : " It may have been done all the same.";
  const lost = error.outcome === "unknown" ? `${maybe} Look before you repeat it.` : "";
  if (error.code === "aborted" && context.stoppedBy !== undefined) return stopped(context, EXIT_OF_SIGNAL[context.stoppedBy], lost);
  const hint = hintOf(error) ?? "`coffer --help` shows what there is.";
  return fail(context, `${error.message}${lost}`, hint, EXIT_OF_CODE[error.code] ?? EXIT.failed);
}

/** What to do about an error of the library, said in commands where there is one; `undefined` where nobody knows. */
export function hintOf(error: SecretsError): string | undefined {
  const fromTable = HINTS[error.code];
  const own = error.hint === undefined ? undefined : (COMMAND_FOR[error.hint] ?? error.hint);
  if (error.code === "conflict" && !error.retryable && /\badopt\b/.test(own ?? "")) return withName(FOREIGN_HINT, error.secretName);
  // What is no operation on a secret (a component that is in use, a name of a stack that is taken) has a hint of its own.
  const tableFirst = TABLE_FIRST.has(error.code) && error.operation !== undefined && (error.code !== "conflict" || error.retryable);
  const hint = tableFirst ? (fromTable ?? own) : (own ?? fromTable);
  return hint === undefined ? undefined : withName(hint, error.secretName);
}

/** A hint that can be copied into the shell as it stands. */
function withName(hint: string, name: string | undefined): string {
  return name !== undefined && /^[\w.@+=/-]+$/.test(name) ? hint.replaceAll(" NAME", ` ${name}`) : hint;
}

function stopped(context: Context, status: number, more = ""): number {
  context.say(`Stopped.${more}`);
  return status;
}

function fail(context: Context, message: string, hint: string, status: number): number {
  const [bold, plain] = colours(context) ? ["\x1B[1;31m", "\x1B[0m"] : ["", ""];
  context.say(`${bold}error:${plain} ${visibleLines(message)}\nhint: ${visibleLines(hint)}`);
  return status;
}

function colours(context: Context): boolean {
  const { env } = context;
  return !env["NO_COLOR"] && !env["CI"] && env["TERM"] !== "dumb" && context.isTerminal("stderr");
}
