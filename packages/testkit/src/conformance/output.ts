import { inspect } from "node:util";

/** Something that was written to the terminal or the console. */
export interface Heard {
  readonly where: string;
  readonly shown: string;
}

const METHODS = ["log", "info", "warn", "error", "debug", "trace"] as const;
const listeners = new Set<Heard[]>();
let restore: (() => void)[] = [];

/**
 * Listens to what this process writes to its terminal and its console, and passes it on. SDKs have been seen to print whole requests
 * when a connection fails. Several may listen at once: cases run side by side.
 */
export function listenToOutput(): { stop(): readonly Heard[] } {
  const heard: Heard[] = [];
  if (listeners.size === 0) restore = tap((said) => listeners.forEach((listener) => listener.push(said)));
  listeners.add(heard);
  return {
    stop: () => {
      if (listeners.delete(heard) && listeners.size === 0) for (const undo of restore.splice(0)) undo();
      return heard;
    },
  };
}

/** Puts an ear on every way out; answers how to take each off again. */
function tap(hear: (said: Heard) => void): (() => void)[] {
  const undo: (() => void)[] = [];
  for (const name of ["stdout", "stderr"] as const) {
    const stream = process[name];
    const write = stream.write;
    const listening = function (this: typeof stream, ...args: Parameters<typeof write>): boolean {
      hear({ where: name, shown: typeof args[0] === "string" ? args[0] : Buffer.from(args[0]).toString("utf8") });
      return write.apply(stream, args);
    } as typeof write;
    stream.write = listening;
    undo.push(() => {
      // Whoever has put another ear on since keeps it.
      if (stream.write === listening) stream.write = write;
    });
  }
  for (const method of METHODS) {
    const original = console[method];
    const listening = (...args: unknown[]): void => {
      const shown = args.map((arg) => (typeof arg === "string" ? arg : inspect(arg, { depth: 12, showHidden: true }))).join(" ");
      hear({ where: "the console", shown });
      original.apply(console, args);
    };
    console[method] = listening;
    undo.push(() => {
      if (console[method] === listening) console[method] = original;
    });
  }
  return undo;
}
