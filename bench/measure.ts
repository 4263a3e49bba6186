import { spawnSync } from "node:child_process";

/** A command to time from start to exit. */
export interface Command {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What to run; this Node unless told. */
  readonly program?: string;
  /** Makes each run its own, where a command cannot be repeated (registering a name). */
  readonly vary?: (run: number) => readonly string[];
}

// This file is parsed at every start of old Nodes and makes every ratio look better than it is.
const { NODE_EXTRA_CA_CERTS: _dropped, NODE_OPTIONS: _alsoDropped, ...kept } = process.env;
/** The environment of everything that is measured. */
export const environment: Readonly<Record<string, string | undefined>> = kept;
let runs = 0;

function time(command: Command): number {
  const args = [...command.args, ...(command.vary?.((runs += 1)) ?? [])];
  const started = performance.now();
  const result = spawnSync(command.program ?? process.execPath, args, {
    env: { ...environment, ...command.env },
    cwd: command.cwd,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const elapsed = performance.now() - started;
  if (result.status !== 0) throw new Error(`${args.join(" ")} failed: ${result.stderr.toString()}`);
  return elapsed;
}

/** The median of the ratios of alternated pairs: only figures taken side by side mean anything on a machine that others share. */
export function ratioOfProcesses(measured: Command, anchor: Command, pairs: number): number {
  for (let warmUp = 0; warmUp < 2; warmUp += 1) {
    time(anchor);
    time(measured);
  }
  const ratios: number[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    // Who goes first changes from pair to pair, so that neither profits from the other's warm caches.
    const measuredFirst = pair % 2 === 0;
    const first = time(measuredFirst ? measured : anchor);
    const second = time(measuredFirst ? anchor : measured);
    ratios.push(measuredFirst ? first / second : second / first);
  }
  return median(ratios);
}

/** The same for functions in this process: alternated batches, each long enough for the clock. */
export async function ratioOfLoops(measured: () => unknown, anchor: () => unknown, batches = 40, milliseconds = 15): Promise<number> {
  const size = async (run: () => unknown): Promise<number> => {
    let count = 16;
    for (;;) {
      const elapsed = await batch(run, count);
      if (elapsed >= milliseconds) return count;
      count = Math.ceil(count * Math.max(2, Math.min(8, milliseconds / Math.max(elapsed, 0.1))));
    }
  };
  const [measuredCount, anchorCount] = [await size(measured), await size(anchor)];
  const ratios: number[] = [];
  for (let round = 0; round < batches; round += 1) {
    const a = (await batch(measured, measuredCount)) / measuredCount;
    const b = (await batch(anchor, anchorCount)) / anchorCount;
    ratios.push(a / b);
  }
  return median(ratios);
}

async function batch(run: () => unknown, count: number): Promise<number> {
  const asynchronous = run() instanceof Promise;
  const started = performance.now();
  if (asynchronous) for (let index = 0; index < count; index += 1) await run();
  else for (let index = 0; index < count; index += 1) run();
  return performance.now() - started;
}

/** The same for tasks of this process that take long enough to be timed one at a time. */
export async function ratioOfTasks(measured: () => Promise<void>, anchor: () => Promise<void>, pairs: number): Promise<number> {
  const timed = async (task: () => Promise<void>): Promise<number> => {
    const started = performance.now();
    await task();
    return performance.now() - started;
  };
  await anchor();
  await measured();
  const ratios: number[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    const measuredFirst = pair % 2 === 0;
    const first = await timed(measuredFirst ? measured : anchor);
    const second = await timed(measuredFirst ? anchor : measured);
    ratios.push(measuredFirst ? first / second : second / first);
  }
  return median(ratios);
}

/** The peak of resident memory of a command, in bytes, told by the process itself as it ends. */
export function peakMemory(command: Command): number {
  const report = `process.on("exit",()=>require("node:fs").writeSync(2,"\\npeak:"+process.resourceUsage().maxRSS))`;
  const preload = `data:text/javascript,${encodeURIComponent(`import { createRequire } from "node:module"; const require = createRequire("file:///"); ${report}`)}`;
  const peaks = [1, 2, 3, 4, 5].map(() => {
    const result = spawnSync(process.execPath, ["--import", preload, ...command.args], {
      env: { ...environment, ...command.env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    return Number(/peak:(\d+)$/.exec(result.stderr.toString())?.[1] ?? Number.NaN) * 1024;
  });
  return median(peaks);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
