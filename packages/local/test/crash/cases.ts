import { rmSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import type { Report, Unusable } from "./examiner.ts";
import { CANARY, type Contents, type Operation, type OperationName, OPERATIONS } from "./operations.ts";
import type { Stores } from "./stores.ts";
import { ALL_CALLS, callOf, countCalls, type Ended, nodeArguments, run, spread, traced } from "./strace.ts";

/** What is done to a victim at one of its system calls. */
export interface Fault {
  readonly title: string;
  /** What strace is told about it, without the call and its number. */
  readonly inject: string;
  /** Not only the chosen call fails but every one of its kind that follows. */
  readonly lasting?: true;
  /** The victim tries again in the same process, which must then succeed. */
  readonly again?: true;
  /** The codes of the errors that it may be reported as. */
  readonly codes: readonly string[];
}

/** One victim and its end. */
interface Case {
  readonly title: string;
  readonly folder: string;
  readonly call: string;
  readonly number: number;
  readonly ended: Ended;
}

/** The kinds of system calls that every operation makes, by the names that they have on some machine. */
export const ALWAYS_MADE = [/^openat$/, /^pwrite64$/, /^f(?:data)?sync$/, /^ftruncate$/, /^unlink/].map((name): unknown =>
  expect.stringMatching(name),
);

const MOST_OF_A_KIND = 25;
const AT_A_TIME = 3;

/** What an operation does to the files of its store when nothing goes wrong. */
export async function dryRun(stores: Stores, name: OperationName): Promise<Ended> {
  const folder = stores.begin(OPERATIONS[name].start);
  const ended = await traced(folder, ALL_CALLS, undefined, nodeArguments("victim.ts", folder, name));
  const [report] = await examined([folder]);
  const problems = problemsOf({ title: name, folder, call: "", number: 0, ended }, OPERATIONS[name], undefined, report);
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return ended;
}

/** What came of all the victims of one operation and one fault. */
export interface Exercise {
  readonly problems: readonly string[];
  /** The kinds of system calls that were tried. */
  readonly calls: readonly string[];
}

/** Runs an operation once for every chosen system call, with the fault at that call. */
export async function exercise(stores: Stores, name: OperationName, fault: Fault): Promise<Exercise> {
  const operation: Operation = OPERATIONS[name];
  const counts = countCalls((await dryRun(stores, name)).trace);
  const plan = [...counts].flatMap(([call, count]) => spread(count, operation.most ?? MOST_OF_A_KIND).map((number) => ({ call, number })));
  const cases = await inParallel(plan, async ({ call, number }): Promise<Case> => {
    const folder = stores.begin(operation.start);
    const inject = `${call}:${fault.inject}:when=${number}${fault.lasting === true ? "+" : ""}`;
    const victim = nodeArguments("victim.ts", folder, name, ...(fault.again === true ? ["again"] : []));
    const title = `${name}, ${call} ${number} of ${counts.get(call)}`;
    return { title, folder, call, number, ended: await traced(folder, [call], inject, victim) };
  });
  const reports = await examined(cases.map(({ folder }) => folder));
  const problems = cases.flatMap((one, index) => problemsOf(one, operation, fault, reports[index]));
  for (const { folder } of cases) rmSync(folder, { recursive: true });
  return { problems, calls: [...counts.keys()] };
}

/** One fresh process looks at all folders. */
export async function examined(folders: readonly string[]): Promise<(Report | Unusable)[]> {
  const { code, stdout, stderr } = await run(nodeArguments("examiner.ts", ...folders), folders[0] ?? "");
  if (code !== 0) throw new Error(`The examiner failed: ${stderr}`);
  return JSON.parse(stdout) as (Report | Unusable)[];
}

function problemsOf(victim: Case, operation: Operation, fault: Fault | undefined, report: Report | Unusable | undefined): string[] {
  const { title, ended } = victim;
  const problems: string[] = [];
  if (fault !== undefined && !hasFired(victim, fault))
    problems.push(`the fault was not injected: ${ended.trace.join(" ")} ${ended.stderr}`);
  if (`${ended.stdout}${ended.stderr}`.includes(CANARY)) problems.push("a value was printed");
  const expected = expectedContents(victim, operation, fault);
  if (typeof expected === "string") problems.push(expected);
  if (report === undefined || "problem" in report) problems.push(`the store cannot be used: ${report?.problem}`);
  else {
    const { contents, afterNextWrite, afterRekey } = report;
    if (typeof expected !== "string" && !expected(contents))
      problems.push(`after ${JSON.stringify(ended.stderr)} it holds ${Object.keys(contents).join()}`);
    if (report.damaged.length > 0 || !report.complete) problems.push("the store is damaged");
    if (!isDeepStrictEqual(afterNextWrite, { ...contents, next: { written: "afterwards" } }))
      problems.push("the next write lost something");
    if (!isDeepStrictEqual(afterRekey, afterNextWrite)) problems.push("the next change of the key lost something");
    if (report.leftovers.length > 0) problems.push(`left over: ${report.leftovers.join()}`);
  }
  return problems.map((problem) => `${title}: ${problem}`);
}

function hasFired({ call, number, ended: { trace, signal } }: Case, { inject }: Fault): boolean {
  const lines = trace.filter((line) => callOf(line) === call);
  if (!inject.startsWith("signal=")) return lines.length >= number && trace.some((line) => line.endsWith("(INJECTED)"));
  // The call was entered, never returned, and was the last one.
  return signal === "SIGKILL" && lines.length === number && !/ = -?\d/.test(lines.at(-1) ?? "");
}

/** What the store may hold after such an end, or what is wrong with the end itself. */
function expectedContents(
  { call, ended: { code, signal, stdout, stderr } }: Case,
  operation: Operation,
  fault: Fault | undefined,
): string | ((contents: Contents) => boolean) {
  const { before, after } = operation;
  const isNew = (contents: Contents): boolean => isDeepStrictEqual(contents, after);
  const isOld = (contents: Contents): boolean => isDeepStrictEqual(contents, before);
  // Of several steps any number may have been taken, the rest not.
  const isPart = (contents: Contents): boolean =>
    Object.entries(contents).every(([name, values]) => isDeepStrictEqual(values, before[name])) && operation.stepwise === true;
  const isEither = (contents: Contents): boolean => isOld(contents) || isNew(contents) || isPart(contents);
  if (stdout === "done\n") return code === 0 || signal === "SIGKILL" ? isNew : `it ended with ${code} although it was done: ${stderr}`;
  if (signal === "SIGKILL") return isEither;
  if (code !== 1 || fault === undefined || fault.again === true) return `it ended with ${code} ${signal}: ${stderr}`;
  const error = parsedError(stderr);
  // SQLite does not tell why it could not open a file.
  const codes = call === "openat" ? [...fault.codes, "permission_denied"] : fault.codes;
  if (error === undefined || !codes.includes(error.code)) return `not a clean error: ${stderr}`;
  return error.outcome === "unknown" ? isEither : isOld;
}

function parsedError(stderr: string): { readonly code: string; readonly outcome: string } | undefined {
  try {
    return JSON.parse(stderr) as { code: string; outcome: string };
  } catch {
    return undefined;
  }
}

async function inParallel<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next;
      next += 1;
      // Within the bounds, as the loop has just said.
      results[index] = await work(items[index] as Item);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return results;
}
