import type { SecretsError } from "../errors/secrets-error.ts";
import type { ReadOutcome, SecretsManagerDriver, StoredSecret } from "../spec.ts";
import { type Call, callWith, monotonic } from "./call.ts";
import { type GuardContext, guard, guardEach, leave, managerError, wrap } from "./guard.ts";

const BREATH_AFTER_MS = 20;

/** What became of one item of many. */
export type Settled<Item, Result> = { readonly item: Item } & ({ readonly result: Result } | { readonly error: SecretsError });

/**
 * Does the same with many items, `atOnce` at a time, and hands out what became of each as it comes. Items are taken from their source only as places
 * become free, so that a listing that feeds them is not run ahead of. Each has the time of the operation for itself, and one that fails stops no other;
 * an abort ends it all, and so does a service that is silent in every place.
 */
export async function* each<Item, Result>(
  call: Call,
  context: GuardContext,
  items: AsyncIterable<Item> | Iterable<Item>,
  atOnce: number,
  run: (item: Item, step: Call) => Promise<Result>,
): AsyncGenerator<Settled<Item, Result>> {
  const places = Math.max(1, atOnce);
  const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const settled: Settled<Item, Result>[] = [];
  const state: { broken?: { readonly reason: unknown }; asking: boolean; whole: boolean; running: number } = {
    asking: false,
    whole: false,
    running: 0,
  };
  let wake = (): void => {};
  let silent = 0;
  let breathed = monotonic();

  const start = async (item: Item): Promise<void> => {
    state.running += 1;
    const step = call.step();
    const end = step.end.bind(step);
    call.watch(end);
    try {
      settled.push({ item, result: await run(item, step) });
    } catch (error) {
      settled.push({ item, error: wrap(error, "read_many", context, undefined) });
    }
    call.unwatch(end);
    state.running -= 1;
    wake();
  };
  const ask = async (): Promise<void> => {
    state.asking = true;
    call.restart();
    try {
      // An error of the source is its owner's: it passes as it is.
      const next = await guard(call, "read_many", context, undefined, async () => {
        try {
          return await source.next();
        } catch (reason) {
          state.broken = { reason };
          return undefined;
        }
      });
      if (next?.done === true) state.whole = true;
      else if (next !== undefined) void start(next.value);
    } catch (reason) {
      state.broken = { reason };
    }
    state.asking = false;
    wake();
  };
  try {
    for (;;) {
      if (state.broken !== undefined) throw state.broken.reason;
      if (!state.asking && !state.whole && state.running + settled.length < places) void ask();
      const next = settled.shift();
      if (next !== undefined) {
        silent = "error" in next && next.error.code === "timeout" ? silent + 1 : 0;
        if ("error" in next && (next.error.code === "aborted" || silent >= Math.max(2, places))) throw next.error;
        if (monotonic() - breathed > BREATH_AFTER_MS) {
          // A driver that never waits would keep signals and timers from being heard until everything is done.
          await new Promise((resolve) => setImmediate(resolve));
          breathed = monotonic();
        }
        yield next;
      } else if (state.whole && state.running === 0) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    if (!state.whole || state.running > 0) call.end("aborted");
    if (!state.whole) await leave(source as AsyncIterator<Item>);
  }
}

/**
 * Reads many secrets: with the driver's own bulk call, or else one by one, as many at once as the driver allows.
 * Every error that it yields is wrapped already.
 */
export async function* bulkRead(
  driver: SecretsManagerDriver,
  names: AsyncIterable<string>,
  call: Call,
  context: GuardContext,
  contextOf: (name: string) => GuardContext,
): AsyncGenerator<ReadOutcome> {
  if (driver.readMany !== undefined) {
    yield* batchRead(driver, driver.readMany.bind(driver), names, call, context, contextOf);
    return;
  }
  const read = (name: string, step: Call): Promise<StoredSecret | undefined> =>
    guard(step, "read", contextOf(name), driver, () => driver.read(name, callWith(step, {})));
  for await (const outcome of each(call, context, names, driver.capabilities.maxInFlight, read)) {
    if ("error" in outcome) yield { name: outcome.item, error: outcome.error };
    else yield { name: outcome.item, secret: outcome.result };
  }
}

async function* batchRead(
  driver: SecretsManagerDriver,
  readMany: NonNullable<SecretsManagerDriver["readMany"]>,
  names: AsyncIterable<string>,
  call: Call,
  context: GuardContext,
  contextOf: (name: string) => GuardContext,
): AsyncGenerator<ReadOutcome> {
  const unanswered = new Set<string>();
  const source: { broken?: { readonly reason: unknown } } = {};
  const asked = async function* (): AsyncGenerator<string> {
    try {
      for await (const name of names) {
        call.restart();
        unanswered.add(name);
        yield name;
      }
    } catch (reason) {
      source.broken = { reason };
      throw reason;
    }
  };
  try {
    for await (const outcome of guardEach(call, "read_many", context, driver, () => readMany(asked(), callWith(call, {})))) {
      // One answer per name is what users are promised, whatever a driver does.
      if (!unanswered.delete(outcome.name)) continue;
      if ("error" in outcome) yield { name: outcome.name, error: wrap(outcome.error, "read_many", contextOf(outcome.name), driver) };
      else yield outcome;
    }
  } catch (error) {
    throw source.broken === undefined ? error : source.broken.reason;
  }
  if (source.broken !== undefined) throw source.broken.reason;
  for (const name of unanswered) {
    const itemContext = contextOf(name);
    yield {
      name,
      error: managerError("unknown", `${context.flavor} gave no answer for "${itemContext.secretName ?? name}".`, itemContext),
    };
  }
}
